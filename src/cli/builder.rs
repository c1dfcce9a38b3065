//! `hocker builder`: what Nix starts to build a layer, a configuration or an image.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

use super::Error;
use super::credentials;
use super::source::{connect, roots_in_sandbox};
use crate::nix::builder::{Attributes, Blob, Job};
use crate::nix::progress::Activity;
use crate::output::{self, Existing, OutputFile};
use crate::registry::Role;
use crate::safe_url::SafeUrl;

pub(super) async fn run() -> Result<(), Error> {
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let attributes = Attributes::read(&environment, Path::new("."))?;
    match Job::of(&attributes)? {
        Job::Blob(blob) => fetch(*blob).await,
        Job::Image(job) => Ok(job.build()?),
    }
}

async fn fetch(job: Blob) -> Result<(), Error> {
    let url = job.endpoint.blob_url(&job.repository, &job.digest);
    let credentials =
        credentials::of_builder(job.endpoint.registry_name(), &job.repository).await?;
    let registry = connect(job.endpoint, credentials, roots_in_sandbox()?)?;
    let mut file = OutputFile::create(&job.out, Existing::Refuse)?;
    let mut progress = Progress::start(&SafeUrl::new(&url));
    let mut blob = registry
        .blob(&job.repository, Role::Blob, job.digest, None)
        .await?;
    progress.expect(blob.size());
    while let Some(chunk) = blob.chunk().await? {
        file.write_all(&chunk)
            .map_err(|source| output::Error::write(&job.out, source))?;
        progress.advance(chunk.len());
    }
    file.commit()?;
    progress.stop();
    Ok(())
}

/// Nix's display of the download. A log that cannot be written is no reason to stop.
struct Progress {
    activity: Option<Activity<io::Stderr>>,
    done: u64,
}

impl Progress {
    fn start(url: &SafeUrl) -> Self {
        // Nix tells activities of different builders apart by itself.
        let id = 1;
        Self {
            activity: Activity::start(io::stderr(), id, url, 0).ok(),
            done: 0,
        }
    }

    fn expect(&mut self, size: Option<u64>) {
        if let (Some(activity), Some(size)) = (&mut self.activity, size) {
            activity.expect(size);
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.done += bytes as u64;
        if let Some(activity) = &mut self.activity {
            let _ = activity.update(self.done, Instant::now());
        }
    }

    fn stop(self) {
        if let Some(activity) = self.activity {
            let _ = activity.stop(self.done);
        }
    }
}
