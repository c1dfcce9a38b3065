//! The build of the systemd unit of an image.

use std::fs;

use crate::cli::Error;
use hocker::archive::stored_image::{self, Selection};
use hocker::nix::builder::ServiceJob;
use hocker::nix::service;
use hocker::oci::document::Document;
use hocker::oci::platform::Platform;
use hocker::oci::runtime_config::RuntimeConfig;
use hocker::output::{self, OutputDirectory};

pub(super) fn run(job: &ServiceJob) -> Result<(), Error> {
    let selection = Selection {
        name: None,
        platform: &Platform::of_this_machine(),
        is_platform_required: false,
    };
    let image = stored_image::open(&job.image, &selection)?;
    let config = image.image_config().map_err(stored_image::Error::from)?;
    let config: Document<RuntimeConfig> =
        Document::parse(config.bytes().to_vec(), None).map_err(|source| Error::Document {
            what: format!("the config of {}", job.image.display()),
            source,
        })?;
    let users = job.read_users().map_err(|source| Error::Input {
        what: job.users.display().to_string(),
        source,
    })?;
    let unit = service::unit(&config, &job.overrides, &users).map_err(|source| Error::Service {
        image: job.image.clone(),
        source,
    })?;
    let directory = OutputDirectory::create(&job.out)?;
    let units = directory.path().join("lib/systemd/system");
    let file = units.join(format!("{}.service", job.name));
    fs::create_dir_all(&units)
        .and_then(|()| fs::write(&file, unit))
        .map_err(|source| output::Error::write(&file, source))?;
    Ok(directory.commit()?)
}
