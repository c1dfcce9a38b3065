//! The download of a build: from the first of the places that gives the blob. A place that does not answer is soon left
//! for the next, and asked again with all retries where no other has helped.

use std::path::PathBuf;

use super::places::{AllPlacesFailed, Attempt};
use super::{Blob as Job, Location};
use crate::http::Client;
use crate::http::retry::{Next, Notice};
use crate::name::Endpoint;
use crate::oci::digest::Digest;
use crate::output::{self, Existing, OutputFile};
use crate::registry::{self, Blob, DownloadError, Progress, Registry, Role};
use crate::safe_url::SafeUrl;
use crate::verify::Size;

/// The transient failures in a row that are retried while there are other places to ask.
const RETRIES_IN_HASTE: u32 = 1;

/// How the builder reaches a registry, and how it shows a download.
pub trait Surroundings {
    /// Why a registry cannot be asked.
    type Error;

    /// The registry at a place, as the user of the build sees it.
    fn registry(
        &self,
        location: &Location,
        client: Client,
    ) -> impl Future<Output = Result<Registry, Self::Error>>;

    /// Begins to show the download from a URL. It ends when the value is dropped.
    fn progress(&self, url: &SafeUrl) -> impl Progress;
}

/// A blob that was not fetched.
#[derive(Debug)]
pub enum FetchError<E> {
    /// The registry cannot be asked.
    Surroundings(E),
    /// The only place does not give it.
    Registry(Box<registry::Error>),
    /// None of the places gives it.
    AllPlaces(AllPlacesFailed),
    /// The output cannot be written.
    Output(output::Error),
}

/// What is the same wherever the blob comes from.
struct Download<'a, S> {
    surroundings: &'a S,
    out: PathBuf,
    digest: Digest,
    size: Size,
}

/// Fetches a blob into the output of a derivation.
pub async fn fetch<S: Surroundings>(
    job: Job,
    client: &Client,
    surroundings: &S,
) -> Result<(), FetchError<S::Error>> {
    let locations = std::iter::once(job.location).chain(job.alternatives);
    let mut attempts: Vec<Attempt> = locations.map(Attempt::at).collect();
    let download = Download {
        surroundings,
        out: job.out,
        digest: job.digest,
        size: job.size,
    };
    if let [only] = attempts.as_slice() {
        let attempt = download.attempt(&only.location, client, job.urls);
        return attempt.await;
    }
    let retries = client.settings().policy.retries;
    let haste = retries.min(RETRIES_IN_HASTE);
    if download
        .ask_around(&mut attempts, &client.with_retries(haste), Round::First)
        .await?
    {
        return Ok(());
    }
    if retries > haste
        && download
            .ask_around(&mut attempts, client, Round::Second)
            .await?
    {
        return Ok(());
    }
    // Layers that no registry may distribute. Their URLs come from the manifests of several registries.
    let mut urls = job.urls;
    urls.retain(|url| attempts.iter().all(|attempt| attempt.admits(url)));
    if !urls.is_empty()
        && let Some(attempt) = attempts.iter_mut().find(|attempt| attempt.is_absent())
        && download.ask(attempt, client, urls).await?
    {
        return Ok(());
    }
    let failed = AllPlacesFailed::new(job.digest, attempts);
    Err(FetchError::AllPlaces(failed))
}

/// How often the places were asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    First,
    Second,
}

impl<E, S: Surroundings<Error = E>> Download<'_, S> {
    /// Asks each place where an attempt may succeed, until the blob is there. A registry that cannot be reached is left
    /// alone for the rest of the round. A registry with a transient failure is asked for its other repositories too, but
    /// without retries: there may be a hundred of them.
    async fn ask_around(
        &self,
        attempts: &mut [Attempt],
        client: &Client,
        round: Round,
    ) -> Result<bool, FetchError<E>> {
        let mut failure = None;
        let mut troubled: Vec<Endpoint> = Vec::new();
        let mut left_alone: Vec<Endpoint> = Vec::new();
        for attempt in attempts {
            let endpoint = &attempt.location.endpoint;
            if !attempt.may_succeed() || left_alone.contains(endpoint) {
                continue;
            }
            if let Some(reason) = failure.take() {
                (client.settings().policy.notify)(&Notice {
                    next: Next::Elsewhere,
                    reason,
                    after: None,
                });
            }
            let asked = if troubled.contains(endpoint) {
                self.ask(attempt, &client.with_retries(0), Vec::new())
                    .await?
            } else {
                self.ask(attempt, client, Vec::new()).await?
            };
            if asked {
                return Ok(true);
            }
            failure = attempt.reason();
            let endpoint = attempt.location.endpoint.clone();
            if attempt.is_unreachable() || (attempt.may_succeed() && round == Round::Second) {
                left_alone.push(endpoint);
            } else if attempt.may_succeed() {
                troubled.push(endpoint);
            }
        }
        Ok(false)
    }

    /// Asks one place, and keeps its failure. False if the blob did not come.
    async fn ask(
        &self,
        attempt: &mut Attempt,
        client: &Client,
        urls: Vec<String>,
    ) -> Result<bool, FetchError<E>> {
        match self.attempt(&attempt.location, client, urls).await {
            Ok(()) => Ok(true),
            Err(FetchError::Registry(error)) => {
                attempt.error = Some(error);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn attempt(
        &self,
        location: &Location,
        client: &Client,
        urls: Vec<String>,
    ) -> Result<(), FetchError<E>> {
        let registry = self.surroundings.registry(location, client.clone());
        let registry = registry.await.map_err(FetchError::Surroundings)?;
        let file = OutputFile::create(&self.out, Existing::Refuse).map_err(FetchError::Output)?;
        let blob = Blob {
            repository: location.repository.clone(),
            role: Role::Blob,
            digest: self.digest,
            size: self.size,
            urls,
        };
        let url = SafeUrl::new(&location.endpoint.blob_url(&blob.repository, &blob.digest));
        let progress = self.surroundings.progress(&url);
        let fetched = registry.fetch_to(&blob, &file, &progress).await;
        fetched.map_err(|error| match error {
            DownloadError::Registry(error) => FetchError::Registry(error),
            DownloadError::Destination(source) => {
                FetchError::Output(output::Error::write(&self.out, source))
            }
        })?;
        file.commit().map_err(FetchError::Output)
    }
}
