//! Errors of images on disk that cannot be served.

use std::path::PathBuf;

use crate::archive::oci_layout;
use crate::class::Class;
use crate::name;
use crate::oci::digest::Digest;

/// The failure to serve images.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A layout cannot be used.
    #[error(transparent)]
    Layout(#[from] oci_layout::Error),
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
    /// The kind of failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Layout(error) => error.class(),
            Self::Name { .. } => Class::Unsupported,
            Self::TwoImages { .. } => Class::Other,
        }
    }
}
