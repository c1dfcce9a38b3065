//! The source of an image's layers: a registry, or files on disk. Both verify every byte that they give.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Error;
use crate::archive::blob_file::BlobFile;
use crate::archive::composition::{self, Composition};
use crate::name::Repository;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::output;
use crate::registry::{BlobRequest, Destination, DownloadError, Progress, Registry, Role};
use crate::verify::Size;

/// The layers of one image. Cheap to clone.
#[derive(Clone)]
pub(super) enum Source {
    /// In a registry.
    Registry {
        registry: Arc<Registry>,
        repository: Repository,
    },
    /// On disk.
    Files(Arc<HashMap<Digest, PathBuf>>),
}

impl Source {
    /// The layers of an image on disk.
    pub(super) fn of_files(composition: &Composition) -> Self {
        let files = composition.files();
        let files = files.map(|(descriptor, path)| (descriptor.digest, path.to_owned()));
        Self::Files(Arc::new(files.collect()))
    }

    /// The file of a layer that is on disk already, not verified.
    pub(super) fn local(&self, layer: &Descriptor) -> Option<&Path> {
        match self {
            Self::Registry { .. } => None,
            Self::Files(files) => Some(path_of(files, layer)),
        }
    }

    /// Copies a layer to `destination`. The result is `Ok` only if all of it is verified.
    pub(super) async fn fetch(
        &self,
        layer: &Descriptor,
        destination: Destination<'_>,
        progress: &dyn Progress,
    ) -> Result<(), FetchError> {
        match self {
            Self::Registry {
                registry,
                repository,
            } => {
                let blob = blob(repository, layer);
                Ok(registry.fetch_blob(&blob, destination, progress).await?)
            }
            Self::Files(files) => copy(layer, path_of(files, layer), destination, progress).await,
        }
    }
}

fn blob(repository: &Repository, layer: &Descriptor) -> BlobRequest {
    BlobRequest {
        repository: repository.clone(),
        role: Role::Layer,
        digest: layer.digest,
        size: Size::Exact(layer.size),
        urls: layer.urls.clone(),
    }
}

/// The file of a layer. A composition has a file for each layer of its manifest.
fn path_of<'f>(files: &'f HashMap<Digest, PathBuf>, layer: &Descriptor) -> &'f Path {
    files.get(&layer.digest).map_or(Path::new(""), |path| path)
}

async fn copy(
    layer: &Descriptor,
    path: &Path,
    mut destination: Destination<'_>,
    progress: &dyn Progress,
) -> Result<(), FetchError> {
    let mut blob = BlobFile::open(layer, path)?;
    let mut position = 0;
    progress.expect(layer.size);
    while let Some(bytes) = blob.next_bytes()? {
        match &mut destination {
            Destination::File(file) => file.write_all_at(bytes, position),
            Destination::Part { file, offset } => file.write_all_at(bytes, *offset + position),
            Destination::InOrder { take, .. } => take(bytes),
        }
        .map_err(FetchError::Destination)?;
        position += bytes.len() as u64;
        progress.advance(bytes.len() as u64);
        // Reading a file never waits, so other tasks, such as the one for signals, get their turn here.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// A layer that could not be copied.
pub(super) enum FetchError {
    /// The source failed.
    Source(Box<Error>),
    /// The destination cannot be written.
    Destination(io::Error),
}

impl FetchError {
    /// The error for a destination in `path`.
    pub(super) fn writing_to(self, path: &Path) -> Error {
        match self {
            Self::Source(error) => *error,
            Self::Destination(source) => output::Error::write(path, source).into(),
        }
    }
}

impl From<DownloadError> for FetchError {
    fn from(error: DownloadError) -> Self {
        match error {
            DownloadError::Registry(error) => Self::Source(Box::new(Error::Registry(error))),
            DownloadError::Destination(source) => Self::Destination(source),
        }
    }
}

impl From<composition::Error> for FetchError {
    fn from(error: composition::Error) -> Self {
        Self::Source(Box::new(error.into()))
    }
}
