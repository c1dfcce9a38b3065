//! The build of one file system of all layers.

use std::fs;

use tokio::task::spawn_blocking;

use crate::cli::Error;
use hocker::archive::stored_image::{self, Selection};
use hocker::compression::Limit;
use hocker::erofs::{LayerFile, Rootfs};
use hocker::nix::builder::RootfsJob;
use hocker::nix::service::USER_FILES;
use hocker::oci::platform::Platform;
use hocker::output::{self, Existing, OutputDirectory, OutputFile};

pub(super) async fn run(job: RootfsJob) -> Result<(), Error> {
    spawn_blocking(move || write(&job))
        .await
        .map_err(Error::Task)?
}

fn write(job: &RootfsJob) -> Result<(), Error> {
    let file = OutputFile::create(&job.out, Existing::Refuse)?;
    let selection = Selection {
        name: None,
        platform: &Platform::of_this_machine(),
        is_platform_required: false,
    };
    let image = stored_image::open(&job.image, &selection)?;
    let layers = LayerFile::all_of(&image).map_err(stored_image::Error::from)?;
    let rootfs = Rootfs {
        layers: &layers,
        limit: Limit::default(),
        mount_points: &job.mount_points,
        keep: &USER_FILES,
    };
    let written = rootfs
        .write(file.as_file(), output::parent(&job.out))
        .map_err(|source| Error::Rootfs {
            image: job.image.clone(),
            source: Box::new(source),
        })?;
    if let Some(users) = &job.users {
        let directory = OutputDirectory::create(users)?;
        for (path, bytes) in &written.kept {
            let name = path.rsplit('/').next().unwrap_or(path);
            let file = directory.path().join(name);
            fs::write(&file, bytes).map_err(|source| output::Error::write(&file, source))?;
        }
        directory.commit()?;
    }
    Ok(file.commit()?)
}
