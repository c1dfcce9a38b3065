//! Why an image does not become a store.

use crate::class::Class;
use crate::name;
use crate::oci::digest::Digest;
use crate::oci::document::ParseError;

/// An image that podman's storage cannot have.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifest, the index and the config do not belong together.
    #[error("cannot use the image's manifest")]
    Manifest(#[source] ParseError),
    /// The index does not name the manifest.
    #[error("the index {index} does not name the manifest {manifest}")]
    NotInIndex {
        /// The digest of the index.
        index: Box<Digest>,
        /// The digest of the manifest.
        manifest: Box<Digest>,
    },
    /// The config that is given is not the one that the manifest names.
    #[error("the config is {config}, but the manifest names {expected}")]
    OtherConfig {
        /// The digest of the config.
        config: Box<Digest>,
        /// The digest in the manifest.
        expected: Box<Digest>,
    },
    /// A name is no reference. Podman would refuse all images of the store.
    #[error("cannot use the image's name")]
    Name(#[source] name::ParseError),
    /// A digest that podman does not use as an ID.
    #[error("podman identifies images and layers by SHA-256, but the image has {0}")]
    Algorithm(Box<Digest>),
}

impl Error {
    /// The class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Manifest(error) => error.class(),
            Self::NotInIndex { .. } | Self::OtherConfig { .. } => Class::Integrity,
            Self::Name(_) | Self::Algorithm(_) => Class::Unsupported,
        }
    }
}
