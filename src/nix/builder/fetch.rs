//! The download of a blob in a build. The locations are tried in order. A location that does not answer is soon left
//! for the next one. It is tried again with all retries only if no other location has the blob.

use std::path::PathBuf;

use super::places::{AllLocationsFailed, Attempt};
use super::{BlobJob, Location};
use crate::http::Client;
use crate::http::retry::{Next, Notice};
use crate::name::Endpoint;
use crate::oci::digest::Digest;
use crate::output::{self, Existing, OutputFile};
use crate::registry::{self, BlobRequest, DownloadError, Progress, Registry, Role};
use crate::safe_url::SafeUrl;
use crate::verify::Size;

/// The number of retries while further locations can be tried.
const RETRIES_BEFORE_NEXT: u32 = 1;

/// The access to registries, and the display of a download.
pub trait FetchContext {
    /// The error if a registry cannot be used.
    type Error;

    /// Returns a client for the registry of a location, with the credentials of the build.
    fn registry(
        &self,
        location: &Location,
        client: Client,
    ) -> impl Future<Output = Result<Registry, Self::Error>>;

    /// Starts to show the download from a URL. The display ends when the value is dropped.
    fn progress(&self, url: &SafeUrl) -> impl Progress;
}

/// The blob cannot be fetched.
#[derive(Debug)]
pub enum FetchError<E> {
    /// The client for the registry cannot be created.
    Context(E),
    /// The only location does not provide the blob.
    Registry(Box<registry::Error>),
    /// No location provides the blob.
    AllLocations(AllLocationsFailed),
    /// The output cannot be written.
    Output(output::Error),
}

/// The part of a download that is the same for all locations.
struct Download<'a, S> {
    context: &'a S,
    out: PathBuf,
    digest: Digest,
    size: Size,
}

/// Fetches a blob into the output of a derivation.
pub async fn fetch<S: FetchContext>(
    job: BlobJob,
    client: &Client,
    context: &S,
) -> Result<(), FetchError<S::Error>> {
    let locations = std::iter::once(job.location).chain(job.alternatives);
    let mut attempts: Vec<Attempt> = locations.map(Attempt::at).collect();
    let download = Download {
        context,
        out: job.out,
        digest: job.digest,
        size: job.size,
    };
    if let [only] = attempts.as_slice() {
        let attempt = download.attempt(&only.location, client, job.urls);
        return attempt.await;
    }
    let retries = client.settings().policy.retries;
    let few = retries.min(RETRIES_BEFORE_NEXT);
    if download
        .try_all(&mut attempts, &client.with_retries(few), Round::First)
        .await?
    {
        return Ok(());
    }
    if retries > few
        && download
            .try_all(&mut attempts, client, Round::Second)
            .await?
    {
        return Ok(());
    }
    // Foreign layers, which registries may not distribute. Manifests of several registries provide their URLs, so each
    // registry must permit the URL.
    let mut urls = job.urls;
    urls.retain(|url| attempts.iter().all(|attempt| attempt.admits(url)));
    if !urls.is_empty()
        && let Some(attempt) = attempts.iter_mut().find(|attempt| attempt.is_absent())
        && download.try_one(attempt, client, urls).await?
    {
        return Ok(());
    }
    let failed = AllLocationsFailed::new(job.digest, attempts);
    Err(FetchError::AllLocations(failed))
}

/// The round of attempts at all locations.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    First,
    Second,
}

impl<E, S: FetchContext<Error = E>> Download<'_, S> {
    /// Tries each location where an attempt may succeed, until the blob is fetched. If a registry cannot be reached,
    /// its other locations are skipped in this round. If a registry has a transient failure, its other repositories are
    /// tried without retries, because there may be a hundred of them.
    async fn try_all(
        &self,
        attempts: &mut [Attempt],
        client: &Client,
        round: Round,
    ) -> Result<bool, FetchError<E>> {
        let mut failure = None;
        let mut with_failures: Vec<Endpoint> = Vec::new();
        let mut skipped: Vec<Endpoint> = Vec::new();
        for attempt in attempts {
            let endpoint = &attempt.location.endpoint;
            if !attempt.may_succeed() || skipped.contains(endpoint) {
                continue;
            }
            if let Some(reason) = failure.take() {
                (client.settings().policy.notify)(&Notice {
                    next: Next::Elsewhere,
                    reason,
                    after: None,
                });
            }
            let fetched = if with_failures.contains(endpoint) {
                self.try_one(attempt, &client.with_retries(0), Vec::new())
                    .await?
            } else {
                self.try_one(attempt, client, Vec::new()).await?
            };
            if fetched {
                return Ok(true);
            }
            failure = attempt.reason();
            let endpoint = attempt.location.endpoint.clone();
            if attempt.is_unreachable() || (attempt.may_succeed() && round == Round::Second) {
                skipped.push(endpoint);
            } else if attempt.may_succeed() {
                with_failures.push(endpoint);
            }
        }
        Ok(false)
    }

    /// Tries one location and records its failure. Returns whether the blob was fetched.
    async fn try_one(
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
        let registry = self.context.registry(location, client.clone());
        let registry = registry.await.map_err(FetchError::Context)?;
        let file = OutputFile::create(&self.out, Existing::Refuse).map_err(FetchError::Output)?;
        let blob = BlobRequest {
            repository: location.repository.clone(),
            role: Role::Blob,
            digest: self.digest,
            size: self.size,
            urls,
        };
        let url = SafeUrl::new(&location.endpoint.blob_url(&blob.repository, &blob.digest));
        let progress = self.context.progress(&url);
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
