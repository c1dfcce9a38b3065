//! Mirrors are asked before the registry itself, and only for what is named by its digest: nothing that they
//! send is believed before it was found good, and what one lacks, breaks or falsifies comes from the next.

use std::sync::atomic::{AtomicBool, Ordering};

use super::blob::Scratch;
use super::{BlobRequest, Destination, DownloadError, Error, Progress, Registry};
use crate::http::retry::{Next, Notice};

/// A mirror, and whether it is worth asking.
#[derive(Debug)]
pub(super) struct Mirror {
    registry: Registry,
    /// It could not be reached; asking it again for every layer would only take time.
    is_out: AtomicBool,
}

impl Registry {
    /// Adds places to be asked before this registry, in this order.
    #[must_use]
    pub fn with_mirrors(mut self, mirrors: Vec<Self>) -> Self {
        self.mirrors = mirrors
            .into_iter()
            .map(|registry| Mirror {
                registry,
                is_out: AtomicBool::new(false),
            })
            .collect();
        self
    }

    /// The mirrors that are worth asking.
    pub(super) fn usable_mirrors(&self) -> impl Iterator<Item = &Mirror> {
        self.mirrors
            .iter()
            .filter(|mirror| !mirror.is_out.load(Ordering::Relaxed))
    }

    /// Fetches a blob from the first mirror that has it. False if none does.
    pub(super) async fn fetch_blob_from_mirrors(
        &self,
        blob: &BlobRequest,
        destination: &mut Destination<'_>,
        progress: &dyn Progress,
    ) -> Result<bool, DownloadError> {
        if self.usable_mirrors().next().is_none() {
            return Ok(false);
        }
        let scratch = Scratch::of(destination).map_err(DownloadError::Destination)?;
        for mirror in self.usable_mirrors() {
            let fetched = mirror
                .registry
                .download(blob, scratch.attempt(), progress)
                .await;
            match fetched {
                Ok(()) => {
                    scratch
                        .replay(destination)
                        .map_err(DownloadError::Destination)?;
                    return Ok(true);
                }
                Err(DownloadError::Registry(error)) => {
                    mirror.failed(&error);
                    progress.restart();
                    scratch.reset().map_err(DownloadError::Destination)?;
                }
                Err(error @ DownloadError::Destination(_)) => return Err(error),
            }
        }
        Ok(false)
    }
}

impl Mirror {
    /// Where it is.
    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Tells the user, and remembers a mirror that could not be reached.
    pub(super) fn failed(&self, error: &Error) {
        if error.cause().is_transient() {
            self.is_out.store(true, Ordering::Relaxed);
        }
        let policy = &self.registry.client.settings().policy;
        (policy.notify)(&Notice {
            next: Next::Elsewhere,
            reason: format!("{error}: {}", error.cause()),
            after: None,
        });
    }
}
