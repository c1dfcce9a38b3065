//! Mirrors: servers that are tried before the registry, only for content with a known digest. hocker verifies all
//! content. If a mirror lacks the content or sends other bytes, hocker tries the next mirror, and then the registry.

use std::sync::atomic::{AtomicBool, Ordering};

use super::blob::Scratch;
use super::{BlobRequest, Destination, DownloadError, Error, Progress, Registry};
use crate::http::retry::{Next, Notice};

/// A mirror and its state.
#[derive(Debug)]
pub(super) struct Mirror {
    registry: Registry,
    /// Whether the mirror had a transient failure. Trying it again for each layer would cost time.
    is_out: AtomicBool,
}

impl Registry {
    /// Sets the mirrors, which are tried in this order before the registry.
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

    /// Returns the mirrors without a transient failure.
    pub(super) fn usable_mirrors(&self) -> impl Iterator<Item = &Mirror> {
        self.mirrors
            .iter()
            .filter(|mirror| !mirror.is_out.load(Ordering::Relaxed))
    }

    /// Fetches a blob from the first mirror that has it. Returns false if none has it.
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
    /// Returns the client for the mirror.
    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Reports the failure to the user, and disables the mirror after a transient failure.
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
