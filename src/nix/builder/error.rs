//! The reasons why a derivation is not a job.

use std::io;
use std::path::PathBuf;

use crate::name;
use crate::name::endpoint;
use crate::nix::hash_text;
use crate::oci::digest::{self, Digest};

/// The derivation cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of the attributes cannot be read.
    #[error("cannot read the derivation's attributes from {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// The file of the attributes is not a JSON object.
    #[error("cannot read the derivation's attributes from {}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The JSON parser's error.
        #[source]
        source: serde_json::Error,
    },
    /// The file of the attributes does not exist.
    #[error("the derivation has structured attributes, but their file does not exist")]
    NoAttributes,
    /// A required attribute is missing.
    #[error("the derivation has no attribute `{0}`; only Nix can start this command")]
    Missing(&'static str),
    /// An attribute is not a string.
    #[error("the derivation's attribute `{0}` is not a string")]
    NotText(&'static str),
    /// The output hash is invalid.
    #[error("cannot use the derivation's `outputHash`")]
    OutputHash(#[from] hash_text::ParseError),
    /// The digest of the layer is invalid.
    #[error("cannot use the derivation's `layerDigest`")]
    LayerDigest(#[source] digest::ParseError),
    /// Two attributes name different content.
    #[error("`layerDigest` is {layer}, but the output hash is {digest}")]
    Disagreement {
        /// The value of `layerDigest`.
        layer: Box<Digest>,
        /// The output hash.
        digest: Box<Digest>,
    },
    /// The address of the registry is invalid.
    #[error("cannot use the derivation's `registry`")]
    Registry(#[from] endpoint::ParseError),
    /// The repository is invalid.
    #[error("cannot use the derivation's `repository`")]
    Repository(#[from] name::ParseError),
    /// The further locations are invalid.
    #[error("cannot use the derivation's `alternatives`")]
    Alternatives(#[source] serde_json::Error),
    /// A number of bytes is invalid.
    #[error("cannot use the derivation's `{name}`")]
    Size {
        /// The attribute.
        name: &'static str,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The description of the archive is invalid.
    #[error("cannot use the derivation's `imageArchive`")]
    ImageArchive(#[source] serde_json::Error),
    /// The description of the file system is invalid.
    #[error("cannot use the derivation's `imageRootfs`")]
    ImageRootfs(#[source] serde_json::Error),
    /// The description of the service is invalid.
    #[error("cannot use the derivation's `imageService`")]
    ImageService(#[source] serde_json::Error),
    /// The description of the store is invalid.
    #[error("cannot use the derivation's `podmanStore`")]
    PodmanStore(#[source] serde_json::Error),
    /// The description of the image is invalid.
    #[error("cannot use the derivation's `imageSpec`")]
    ImageSpec(#[source] serde_json::Error),
}
