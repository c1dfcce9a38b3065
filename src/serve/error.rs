//! Errors of images on disk that cannot be served.

use std::path::{Path, PathBuf};

use crate::archive::{oci_layout, on_disk};
use crate::class::Class;
use crate::name;
use crate::oci::digest::Digest;

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
    /// The name in the layout is not one that a registry can have.
    #[error("cannot use the name of the image in {}", path.display())]
    Name {
        /// The path of the layout.
        path: PathBuf,
        /// The error of the parser.
        #[source]
        source: name::ParseError,
    },
    /// Two different images have one name.
    #[error("two images have the name {name}; the second is {digest}")]
    TwoImages {
        /// The name, `repository:tag`.
        name: String,
        /// The digest of the second image.
        digest: Digest,
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
            Self::Name { .. } => Class::Unsupported,
            Self::TwoImages { .. } => Class::Other,
        }
    }
}
