//! The store from which podman runs an image, made from the file system images of its layers in the Nix store. Only the
//! manifest, the index and the config are copied: the layers are links.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::image::{self, Spec};
use crate::class::Class;
use crate::erofs::{self, CheckError};
use crate::input;
use crate::oci::digest::DiffId;
use crate::oci::document::{Document, ParseError};
use crate::podman_store::{self, Diff, LayerFile, StoreImage};

/// A store to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodmanStoreJob {
    /// The directory.
    pub out: PathBuf,
    /// Its image.
    pub spec: StoreSpec,
}

/// The store as the derivation's attribute `podmanStore` describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSpec {
    /// The image. If its manifest is known, its layers are not needed.
    pub image: Spec,
    /// The layers as file system images, lowest first.
    pub layers: Vec<MountedLayer>,
}

/// A layer as a file system image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MountedLayer {
    /// The EROFS image.
    pub image: PathBuf,
    /// Where a unit mounts it.
    pub mount: PathBuf,
}

impl PodmanStoreJob {
    /// Verifies the file system images against the config, and writes the store.
    pub fn build(&self) -> Result<(), Error> {
        let StoreSpec { image, layers } = &self.spec;
        let (manifest, config) = image.documents()?;
        let index = image.index.clone().map(String::into_bytes);
        let index = index.map(|text| Document::parse(text, None)).transpose();
        let names = image.names();
        let image = StoreImage::new(&names, manifest, index.map_err(Error::Index)?, config)?;
        if image.layers().len() != layers.len() {
            return Err(Error::LayerCount {
                manifest: image.layers().len(),
                files: layers.len(),
            });
        }
        let files = image.layers().iter().zip(layers).map(|(layer, mounted)| {
            Ok(LayerFile {
                image: mounted.image.clone(),
                size: checked_size(&mounted.image, &layer.diff_id)?,
                diff: Diff::At(mounted.mount.clone()),
            })
        });
        let files = files.collect::<Result<Vec<_>, Error>>()?;
        fs::create_dir(&self.out)
            .and_then(|()| podman_store::write(&self.out, &image, &files))
            .map_err(|source| Error::Write {
                path: self.out.clone(),
                source,
            })
    }
}

/// Returns the size of a file system image in bytes, after a look at whose it is: the config names each layer by its diff
/// ID, and Nix only knows the digest of the compressed layer.
fn checked_size(path: &Path, diff_id: &DiffId) -> Result<u64, Error> {
    input::open(path)
        .map_err(CheckError::Read)
        .and_then(|file| erofs::check(&file, diff_id))
        .map_err(|source| Error::Layer {
            path: path.to_owned(),
            source,
        })
}

/// The store cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifest or the config cannot be used.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// The index is invalid.
    #[error("cannot use the image's index")]
    Index(#[source] ParseError),
    /// Podman cannot have the image.
    #[error(transparent)]
    Store(#[from] podman_store::Error),
    /// A file system image is not that of its layer.
    #[error("cannot use {} as a layer", path.display())]
    Layer {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: CheckError,
    },
    /// The number of files differs from the number of layers.
    #[error("the manifest names {manifest} layers, but the image has {files} files")]
    LayerCount {
        /// The number of layers in the manifest.
        manifest: usize,
        /// The number of files.
        files: usize,
    },
    /// The store cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The store.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Image(error) => error.class(),
            Self::Index(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Layer { source, .. } => source.class(),
            Self::LayerCount { .. } => Class::Integrity,
            Self::Write { .. } => Class::Other,
        }
    }
}

#[cfg(test)]
mod tests;
