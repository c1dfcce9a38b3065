//! `hocker builder`: what Nix starts to build a layer, a configuration or an image.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Context, Error, credentials, transfer, transport};
use crate::nix::builder::{Attributes, Blob as BlobJob, Job};
use crate::nix::progress::Activity;
use crate::output::{Existing, OutputFile};
use crate::registry::{Blob, Progress, Role};
use crate::safe_url::SafeUrl;

pub(super) async fn run(context: &Context) -> Result<(), Error> {
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let attributes = Attributes::read(&environment, Path::new("."))?;
    match Job::of(&attributes)? {
        Job::Blob(blob) => fetch(*blob, context)
            .await
            .map_err(|error| Error::Build(Box::new(error))),
        Job::Image(job) => Ok(job.build()?),
    }
}

async fn fetch(job: BlobJob, context: &Context) -> Result<(), Error> {
    let url = job.endpoint.blob_url(&job.repository, &job.digest);
    let client = transport::client(context, true)?;
    let name = job.endpoint.registry_name();
    let credentials = credentials::of_builder(name, &job.repository).await?;
    let registry = transport::registry(
        context,
        client,
        job.endpoint,
        &job.repository,
        credentials,
        job.mirrors,
    )
    .await?;
    let file = OutputFile::create(&job.out, Existing::Refuse)?;
    let blob = Blob {
        repository: job.repository,
        role: Role::Blob,
        digest: job.digest,
        size: None,
        urls: job.urls,
    };
    let progress = NixProgress::start(&SafeUrl::new(&url));
    transfer::to_output(&registry, &blob, file, &job.out, &progress).await?;
    progress.stop();
    Ok(())
}

/// Nix's display of the download. A log that cannot be written is no reason to stop.
struct NixProgress(Mutex<State>);

struct State {
    activity: Option<Activity<io::Stderr>>,
    done: u64,
}

impl NixProgress {
    fn start(url: &SafeUrl) -> Self {
        // Nix tells activities of different builders apart by itself.
        let id = 1;
        Self(Mutex::new(State {
            activity: Activity::start(io::stderr(), id, url, 0).ok(),
            done: 0,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        let mut state = self.state();
        let done = state.done;
        if let Some(activity) = state.activity.take() {
            let _ = activity.stop(done);
        }
    }
}

impl Progress for NixProgress {
    fn restart(&self) {
        self.state().done = 0;
    }

    fn expect(&self, size: u64) {
        if let Some(activity) = &mut self.state().activity {
            activity.expect(size);
        }
    }

    fn advance(&self, bytes: u64) {
        let mut state = self.state();
        state.done += bytes;
        let done = state.done;
        if let Some(activity) = &mut state.activity {
            let _ = activity.update(done, Instant::now());
        }
    }
}
