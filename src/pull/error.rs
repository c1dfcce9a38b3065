//! What can go wrong between a source and a sink.

use std::io;
use std::path::{Path, PathBuf};

use crate::archive::plain_layer::LayerError;
use crate::archive::{composition, header, stored_image};
use crate::class::Class;
use crate::erofs::RootfsError;
use crate::oci::digest::Digest;
use crate::{erofs, output, podman_store, registry};

/// An image that cannot be pulled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry fails.
    #[error(transparent)]
    Registry(Box<registry::Error>),
    /// The image on disk cannot be used.
    #[error("cannot use the image")]
    StoredImage(#[source] Box<stored_image::Error>),
    /// A layer does not decompress to what its configuration says.
    #[error("cannot use the layer {layer}")]
    Layer {
        /// The layer's digest.
        layer: Digest,
        /// The fault.
        #[source]
        source: LayerError,
    },
    /// A layer cannot be converted into a file system image.
    #[error("cannot convert the layer {layer}")]
    Erofs {
        /// The layer's digest.
        layer: Digest,
        /// The fault.
        #[source]
        source: Box<erofs::Error>,
    },
    /// Podman's storage cannot have the image.
    #[error(transparent)]
    Store(#[from] podman_store::Error),
    /// The archive cannot be written.
    #[error("cannot write the image to {}", path.display())]
    Archive {
        /// The archive's path.
        path: PathBuf,
        /// The fault.
        #[source]
        source: header::Error,
    },
    /// The file system of all layers cannot be written.
    #[error("cannot write the image to {}", path.display())]
    Rootfs {
        /// The path of the file system image.
        path: PathBuf,
        /// The fault.
        #[source]
        source: Box<RootfsError>,
    },
    /// The output file or directory cannot be written.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// A temporary file cannot be written.
    #[error("cannot write to {}", path.display())]
    Scratch {
        /// Its directory.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A transfer ended without a result.
    #[error("a transfer ended early")]
    Task(#[from] tokio::task::JoinError),
}

impl Error {
    /// The kind of failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Registry(error) => error.class(),
            Self::StoredImage(error) => error.class(),
            Self::Layer { source, .. } => source.class(),
            Self::Archive { source, .. } => source.class(),
            Self::Rootfs { source, .. } => source.class(),
            Self::Erofs { source, .. } => source.class(),
            Self::Store(error) => error.class(),
            Self::Output(_) | Self::Scratch { .. } | Self::Task(_) => Class::Other,
        }
    }

    /// The error for an archive at `path`.
    pub(super) fn archive(path: &Path, source: header::Error) -> Self {
        let path = path.to_owned();
        Self::Archive { path, source }
    }
}

impl From<registry::Error> for Error {
    fn from(error: registry::Error) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl From<stored_image::Error> for Error {
    fn from(error: stored_image::Error) -> Self {
        Self::StoredImage(Box::new(error))
    }
}

impl From<composition::Error> for Error {
    fn from(error: composition::Error) -> Self {
        stored_image::Error::from(error).into()
    }
}
