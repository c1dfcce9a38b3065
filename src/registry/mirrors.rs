//! Mirrors are asked before the registry itself, and only for what is named by its digest: nothing that they
//! send is believed before it was found good, and what one lacks, breaks or falsifies comes from the next.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Blob, Destination, DownloadError, Error, Progress, Registry};
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
        blob: &Blob,
        destination: &mut Destination<'_>,
        progress: &dyn Progress,
    ) -> Result<bool, DownloadError> {
        if self.usable_mirrors().next().is_none() {
            return Ok(false);
        }
        // Only a file can be begun again when a mirror turns out to be wrong.
        let own;
        let (file, offset) = if let Some(store) = destination.store() {
            store
        } else {
            own = tempfile::tempfile().map_err(DownloadError::Destination)?;
            (&own, 0)
        };
        let is_part = matches!(destination, Destination::Part { .. });
        let attempt = || {
            if is_part {
                Destination::Part { file, offset }
            } else {
                Destination::File(file)
            }
        };
        for mirror in self.usable_mirrors() {
            let fetched = mirror.registry.download(blob, attempt(), progress).await;
            match fetched {
                Ok(()) => {
                    replay(file, destination).map_err(DownloadError::Destination)?;
                    return Ok(true);
                }
                Err(DownloadError::Registry(error)) => {
                    mirror.failed(&error);
                    progress.restart();
                    if !is_part {
                        file.set_len(0).map_err(DownloadError::Destination)?;
                    }
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

/// Hands on what was fetched to someone who takes it in order.
fn replay(mut file: &File, destination: &mut Destination<'_>) -> io::Result<()> {
    let Destination::InOrder { take, .. } = destination else {
        return Ok(());
    };
    file.rewind()?;
    let mut buffer = vec![0; 128 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        match buffer.get(..count) {
            Some(bytes) if !bytes.is_empty() => take(bytes)?,
            _ => return Ok(()),
        }
    }
}
