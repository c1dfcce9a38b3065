//! Sending an image: the archive is made while it goes out, and its end is held back until all of it was found good.
//! A daemon that never sees the end registers nothing. All that goes out is hashed as it goes, so that a file that is
//! changed meanwhile is found out. Layers that go out decompressed are held against their diff ids on the way; others
//! are decompressed beside that, for nothing but to find out.

mod check;
mod payload;
mod pipe;
mod plain;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub(super) use self::payload::{Ingredients, Payload};
pub(super) use self::pipe::{Stop, channel};

use self::pipe::Pipe;
use crate::archive::plain_layer::LayerError;
use crate::archive::{composition, header};
use crate::class::Class;
use crate::oci::digest::Digest;
use crate::printable::Printable;

/// Told of bytes of the image's blobs, compressed as they are, when they are on their way.
pub type Sent = Arc<dyn Fn(u64) + Send + Sync>;

/// More threads than this decompress no faster than the daemon takes the archive.
const MAX_CHECKERS: usize = 4;

/// Writes the archive into `pipe`, and lets its end go when every layer in it is good.
pub(super) fn run(payload: &Payload, pipe: Pipe, sent: &Sent) -> Result<(), UploadError> {
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
                        // The first to fail says why.
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
        (None, Ok(pipe)) => pipe.finish().map_err(|_| UploadError::Stopped),
    }
}

/// What is wrong with what is to be sent.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A blob is not what the image says, or cannot be read.
    #[error(transparent)]
    Blob(#[from] composition::Error),
    /// A layer is not what the image says.
    #[error("the layer {layer} is not what the image says")]
    Layer {
        /// Its digest.
        layer: Digest,
        /// What is wrong with it.
        #[source]
        source: LayerError,
    },
    /// A layer that is none.
    #[error("the layer {layer} is of type {media_type}, which is not a layer of a filesystem")]
    NotALayer {
        /// Its digest.
        layer: Digest,
        /// What it says it is.
        media_type: Printable,
    },
    /// The archive cannot be written.
    #[error("cannot make the archive")]
    Archive(#[source] header::Error),
    /// Nobody takes the archive any more, or something else was found wrong before.
    #[error("the archive was not sent to its end")]
    Stopped,
}

impl UploadError {
    /// The error for an archive that cannot be written. A broken pipe means that its reader wants no more of it.
    fn of_archive(error: header::Error) -> Self {
        match error.io() {
            Some(source) if source.kind() == io::ErrorKind::BrokenPipe => Self::Stopped,
            _ => Self::Archive(error),
        }
    }

    /// The kind of failure.
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
