//! Sends an image, or its lowest layer by itself. The archive is written while it is sent, and its end is sent only after all layers are verified: a
//! daemon that never receives the end registers nothing. All data is hashed while it is sent, so a file that changes
//! meanwhile is detected. Layers that are sent decompressed are verified against their diff IDs at the same time. Other
//! layers are decompressed in parallel, only to verify them.

mod check;
mod gate;
mod payload;
mod pipe;
mod plain;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub(super) use self::check::LayerCheck;
pub(super) use self::gate::Gate;
pub(super) use self::payload::{Payload, PayloadSource};
pub(super) use self::pipe::{Pipe, StopSignal, channel};

use crate::archive::plain_layer::LayerError;
use crate::archive::{composition, header};
use crate::class::Class;
use crate::oci::digest::Digest;
use crate::printable::Printable;

/// Called with the number of sent bytes of the image's compressed blobs.
pub type OnSent = Arc<dyn Fn(u64) + Send + Sync>;

/// The largest number of verification threads. More would not be faster, because the daemon limits the speed.
const MAX_CHECKERS: usize = 4;

/// Writes the decompressed content of a layer into `pipe`, and sends its end after it is verified.
pub(super) fn run_layer(
    layer: &LayerCheck,
    mut pipe: Pipe,
    sent: &OnSent,
) -> Result<(), UploadError> {
    let stop = pipe.stop();
    layer.write(&stop, &mut pipe, |bytes| sent(bytes))?;
    pipe.finish().map_err(|_| UploadError::Stopped)
}

/// Writes the archive into `pipe`, and sends its end after every layer is verified and `gate` is open.
pub(super) fn run(
    payload: &Payload,
    pipe: Pipe,
    sent: &OnSent,
    gate: Gate,
) -> Result<(), UploadError> {
    let stop = pipe.stop();
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    let fail = |error| {
        let mut failure = failure
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        failure.get_or_insert(error);
        stop.set();
    };
    let checks = payload.checks();
    let checkers = thread::available_parallelism()
        .map_or(1, std::num::NonZero::get)
        .min(MAX_CHECKERS)
        .min(checks.len());
    let written = thread::scope(|scope| {
        for _ in 0..checkers {
            scope.spawn(|| {
                while let Some(check) = checks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match check.run(&stop) {
                        Ok(()) => {}
                        // The first failure is reported.
                        Err(UploadError::Stopped) => return,
                        Err(error) => return fail(error),
                    }
                }
            });
        }
        let written = payload.write(pipe, sent);
        if written.is_err() {
            stop.set();
        }
        written
    });
    let failure = failure
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    match (failure, written) {
        (Some(error), _) | (None, Err(error)) => Err(error),
        (None, Ok(pipe)) => {
            gate.wait()?;
            pipe.finish().map_err(|_| UploadError::Stopped)
        }
    }
}

/// The image cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A blob cannot be read, or is not what the image names.
    #[error(transparent)]
    Blob(#[from] composition::Error),
    /// A layer is not what the image names.
    #[error("the layer {layer} does not match the image")]
    Layer {
        /// The digest of the layer.
        layer: Digest,
        /// The cause.
        #[source]
        source: LayerError,
    },
    /// A layer has a media type that is not a layer.
    #[error("the layer {layer} has the type {media_type}, which is not a file system layer")]
    NotALayer {
        /// The digest of the layer.
        layer: Digest,
        /// The media type.
        media_type: Printable,
    },
    /// The archive cannot be written.
    #[error("cannot write the archive")]
    Archive(#[source] header::Error),
    /// The daemon does not read the archive any more, or another error occurred before.
    #[error("the archive was not sent to its end")]
    Stopped,
}

impl UploadError {
    /// Converts an error of the archive's writer. A broken pipe means that the reader stopped.
    fn of_archive(error: header::Error) -> Self {
        match error.io() {
            Some(source) if source.kind() == io::ErrorKind::BrokenPipe => Self::Stopped,
            _ => Self::Archive(error),
        }
    }

    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Layer { source, .. } => source.class(),
            Self::Blob(error) => error.class(),
            Self::Archive(error) => error.class(),
            Self::NotALayer { .. } => Class::Unsupported,
            Self::Read { .. } | Self::Stopped => Class::Other,
        }
    }
}
