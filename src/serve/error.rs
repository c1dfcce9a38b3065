//! What keeps images on disk from being served.

use std::path::PathBuf;

use crate::archive::oci_layout;
use crate::class::Class;
use crate::name;
use crate::oci::digest::Digest;

/// Images that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A layout cannot be used.
    #[error(transparent)]
    Layout(#[from] oci_layout::Error),
    /// The layout gives its image a name that no registry can have.
    #[error("{} names its image in a way that cannot be served", path.display())]
    Name {
        /// The layout.
        path: PathBuf,
        /// Why.
        #[source]
        source: name::ParseError,
    },
    /// Two images under one name.
    #[error("two images are named {name}, {digest} and one before it")]
    TwoImages {
        /// `repository:tag`.
        name: String,
        /// The one that came second.
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
