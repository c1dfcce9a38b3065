//! Errors of images on disk that cannot be served.

use std::path::{Path, PathBuf};

use crate::archive::{oci_layout, on_disk};
use crate::class::Class;

/// The failure to serve images.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A layout cannot be used.
    #[error(transparent)]
    Layout(#[from] oci_layout::Error),
    /// An archive cannot be read.
    #[error("cannot use the archive {}", path.display())]
    Archive {
        /// The path of the archive.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<on_disk::Error>,
    },
    /// The layout lists nothing that can be served.
    #[error("{} has no image", path.display())]
    NoImage {
        /// The path of the layout.
        path: PathBuf,
    },
}

impl Error {
    pub(super) fn on_disk(path: &Path, error: on_disk::Error) -> Self {
        match error {
            on_disk::Error::Layout(error) => Self::Layout(error),
            source => Self::Archive {
                path: path.to_owned(),
                source: Box::new(source),
            },
        }
    }

    /// The kind of failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Layout(error) => error.class(),
            Self::Archive { source, .. } => source.class(),
            Self::NoImage { .. } => Class::NotFound,
        }
    }
}
