//! `hocker builder`: builds a layer, a config or an image. Nix starts this command.

mod activity;
mod credentials;
mod rootfs;
mod service;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use self::activity::NixProgress;
use self::credentials::Credentials;
use super::{Context, Error, erofs, transport};
use hocker::archive::docker_save::ArchiveFormat;
use hocker::archive::stored_image::Selection;
use hocker::compression::Limit;
use hocker::http::Client;
use hocker::name::Endpoint;
use hocker::nix::builder::{self, ArchiveJob, Attributes, BlobJob, FetchError, Job, Location};
use hocker::oci::platform::Platform;
use hocker::output::{Existing, OutputFile};
use hocker::pull::{Image, LayerNames};
use hocker::registry::{Progress, Registry};
use hocker::safe_url::SafeUrl;

pub(super) async fn run(context: &Context) -> Result<(), Error> {
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let attributes = Attributes::read(&environment, Path::new("."))?;
    match Job::of(&attributes)? {
        Job::Blob(job) => fetch(*job, context)
            .await
            .map_err(|error| Error::Build(Box::new(error))),
        Job::Image(job) => Ok(job.build()?),
        Job::PodmanStore(job) => Ok(job.build()?),
        Job::Erofs(job) => tokio::task::spawn_blocking(move || erofs::build(&job))
            .await
            .map_err(Error::Task)?
            .map_err(|error| Error::Build(Box::new(error))),
        Job::Archive(job) => archive(job, context).await,
        Job::Rootfs(job) => rootfs::run(job).await,
        Job::Service(job) => service::run(&job),
    }
}

/// Writes an image of the store as one file.
async fn archive(job: ArchiveJob, context: &Context) -> Result<(), Error> {
    let file = OutputFile::create(&job.out, Existing::Refuse)?;
    let selection = Selection {
        name: None,
        platform: &Platform::of_this_machine(),
        is_platform_required: false,
    };
    let image = Image::on_disk(&job.image, &selection, Arc::new(context.display.clone()))?;
    if job.plain {
        image
            .write_docker_archive(LayerNames::Directories, Limit::default(), file)
            .await?;
    } else {
        image
            .write_layout_archive(ArchiveFormat::DockerSave, file)
            .await?;
    }
    Ok(())
}

async fn fetch(job: BlobJob, context: &Context) -> Result<(), Error> {
    let locations = std::iter::once(&job.location).chain(&job.alternatives);
    let registries: BTreeSet<_> = locations.map(|place| place.endpoint.base()).collect();
    let build = Build {
        context,
        mirrors: job.mirrors.clone(),
        credentials: Credentials::of_build(&job, registries.len() > 1, context),
    };
    let client = transport::client(context, true)?;
    let fetched = builder::fetch(job, &client, &build).await;
    fetched.map_err(|error| match error {
        FetchError::Context(error) => error,
        FetchError::Registry(error) => Error::Registry(error),
        FetchError::AllLocations(error) => Error::AllLocations(error),
        FetchError::Output(error) => Error::Output(error),
    })
}

/// The context, the mirrors and the credentials of a build.
struct Build<'a> {
    context: &'a Context,
    mirrors: Vec<Endpoint>,
    credentials: Credentials<'a>,
}

impl builder::FetchContext for Build<'_> {
    type Error = Error;

    async fn registry(&self, location: &Location, client: Client) -> Result<Registry, Error> {
        transport::registry(
            self.context,
            client,
            location.endpoint.clone(),
            &location.repository,
            self.credentials.find(location).await?,
            self.mirrors.clone(),
        )
        .await
    }

    fn progress(&self, url: &SafeUrl) -> impl Progress {
        NixProgress::start(url)
    }
}
