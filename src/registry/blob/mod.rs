//! Blobs: content that is fetched by its digest.
//!
//! A download has these parts. [`pieces`] records which bytes are missing. A `Connection` fetches the bytes of one
//! piece, and requests the missing bytes again after a failure. The `Assembly` puts the bytes in order, verifies them,
//! and passes them on. `download` starts with one connection, and adds others if they make the download faster.

mod assembly;
mod connection;
mod download;
mod foreign;
mod pieces;
mod scratch;

use std::fs::File;
use std::io::{self, Write as _};

use url::Url;

pub(super) use self::download::EXTRA_CONNECTIONS;
pub(super) use self::scratch::Scratch;

use super::{Cause, Error, Object, Registry, Role};
use crate::name::Repository;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{Document, MAX_DOCUMENT_SIZE, ParseError, View};
use crate::output::OutputFile;
use crate::verify::Size;

/// The maximum size of a small blob in bytes. At 10 MB/s and 50 ms in each direction, the round trip takes half of the
/// time.
const SMALL: u64 = 1 << 20;

/// A request for a blob.
#[derive(Clone, Debug)]
pub struct BlobRequest {
    /// The repository of the blob.
    pub repository: Repository,
    /// The role of the blob in the image, for messages.
    pub role: Role,
    /// The digest of the blob.
    pub digest: Digest,
    /// The size in bytes, or a limit if it is unknown.
    pub size: Size,
    /// Other URLs of the blob, from the descriptor of a layer that registries may not distribute.
    pub urls: Vec<String>,
}

impl BlobRequest {
    /// Returns whether the blob has a known size of at most 1 MiB.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.size.known().is_some_and(is_small)
    }
}

/// Returns whether a blob of `size` bytes is small: at most 1 MiB.
#[must_use]
pub fn is_small(size: u64) -> bool {
    size <= SMALL
}

/// The destination of a blob.
pub enum Destination<'a> {
    /// A file for this blob only. It is complete and verified only at the end.
    File(&'a File),
    /// A part of a file, for a blob of known size. Bytes outside the part are not changed. The blob is verified only at
    /// the end.
    Part {
        /// The file.
        file: &'a File,
        /// The offset of the blob's first byte.
        offset: u64,
    },
    /// A function that gets the bytes in order. The last bytes are passed on only after the blob is verified.
    InOrder {
        /// Called with the next bytes.
        take: &'a mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
        /// A file for bytes that arrive out of order. Without it, only one connection is used.
        spool: Option<&'a File>,
    },
}

impl<'a> Destination<'a> {
    /// Returns the file for bytes that arrive out of order, and the offset of the blob's first byte in it.
    pub(super) fn store(&self) -> Option<(&'a File, u64)> {
        match self {
            Self::File(file) => Some((file, 0)),
            Self::Part { file, offset } => Some((file, *offset)),
            Self::InOrder { spool, .. } => spool.map(|spool| (spool, 0)),
        }
    }

    /// Borrows the destination for one attempt.
    fn reborrow(&mut self) -> Destination<'_> {
        match self {
            Self::File(file) => Destination::File(file),
            Self::Part { file, offset } => Destination::Part {
                file,
                offset: *offset,
            },
            Self::InOrder { take, spool } => Destination::InOrder {
                take: &mut **take,
                spool: *spool,
            },
        }
    }
}

/// Receives the progress of a download.
pub trait Progress: Send + Sync {
    /// Called when the size in bytes is known.
    fn expect(&self, size: u64);
    /// Called when more bytes have arrived.
    fn advance(&self, bytes: u64);
    /// Called when the download starts again from the first byte.
    fn restart(&self);
}

/// Ignores all progress.
pub struct Silent;

impl Progress for Silent {
    fn expect(&self, _size: u64) {}
    fn advance(&self, _bytes: u64) {}
    fn restart(&self) {}
}

/// A failed download.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The blob cannot be fetched.
    #[error(transparent)]
    Registry(Box<Error>),
    /// The destination cannot be written.
    #[error("cannot write the fetched blob")]
    Destination(#[source] io::Error),
}

impl Registry {
    /// Fetches and verifies a blob, from a mirror, the registry or the blob's URLs. If it succeeds, the blob is
    /// complete and verified.
    pub async fn fetch_blob(
        &self,
        blob: &BlobRequest,
        mut destination: Destination<'_>,
        progress: &dyn Progress,
    ) -> Result<(), DownloadError> {
        let fetched = self.fetch_blob_from_mirrors(blob, &mut destination, progress);
        if fetched.await? {
            return Ok(());
        }
        match self.download(blob, destination.reborrow(), progress).await {
            Err(DownloadError::Registry(error)) if error.is_absent() && !blob.urls.is_empty() => {
                self.fetch_foreign(blob, destination, progress).await
            }
            outcome => outcome,
        }
    }

    /// Fetches a blob from this registry only.
    pub(super) async fn download(
        &self,
        blob: &BlobRequest,
        destination: Destination<'_>,
        progress: &dyn Progress,
    ) -> Result<(), DownloadError> {
        let source = BlobSource {
            blob: blob.clone(),
            foreign_url: None,
        };
        download::run(self, source, destination, progress)
            .await
            .map_err(|failure| match failure {
                Failure::Cause(cause) => {
                    DownloadError::Registry(Box::new(self.blob_failed(blob, cause)))
                }
                Failure::Destination(source) => DownloadError::Destination(source),
            })
    }

    /// Fetches a blob into an output file. Writes in order if the output is a pipe.
    pub async fn fetch_to(
        &self,
        blob: &BlobRequest,
        file: &OutputFile,
        progress: &dyn Progress,
    ) -> Result<(), DownloadError> {
        let mut writer = file.as_file();
        let mut take = |chunk: &[u8]| writer.write_all(chunk);
        let destination = if file.is_seekable() {
            Destination::File(file.as_file())
        } else {
            Destination::InOrder {
                take: &mut take,
                spool: None,
            }
        };
        self.fetch_blob(blob, destination, progress).await
    }

    /// Fetches a config: the document of `descriptor`.
    pub(super) async fn config_blob<T: View>(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
    ) -> Result<Document<T>, Error> {
        let blob = request(repository, Role::Config, descriptor);
        let bytes = self.blob_in_memory(&blob, MAX_DOCUMENT_SIZE).await?;
        Document::parse(bytes, Some(&descriptor.media_type))
            .map_err(|error| self.blob_failed(&blob, error))
    }

    /// Fetches a blob of at most `limit` bytes into memory.
    ///
    /// # Errors
    ///
    /// A cause [`ParseError::TooLarge`] if the blob has more bytes.
    pub async fn small_blob(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        limit: usize,
    ) -> Result<Vec<u8>, Error> {
        let blob = request(repository, Role::Blob, descriptor);
        self.blob_in_memory(&blob, limit).await
    }

    async fn blob_in_memory(&self, blob: &BlobRequest, limit: usize) -> Result<Vec<u8>, Error> {
        if blob.size.known().is_none_or(|size| size > limit as u64) {
            return Err(self.blob_failed(blob, ParseError::TooLarge));
        }
        let mut bytes = Vec::new();
        let destination = Destination::InOrder {
            take: &mut |chunk| {
                bytes.extend_from_slice(chunk);
                Ok(())
            },
            spool: None,
        };
        match self.fetch_blob(blob, destination, &Silent).await {
            Ok(()) => Ok(bytes),
            Err(DownloadError::Registry(error)) => Err(*error),
            Err(DownloadError::Destination(source)) => {
                Err(self.blob_failed(blob, Cause::Scratch(source)))
            }
        }
    }

    fn blob_failed(&self, blob: &BlobRequest, cause: impl Into<Cause>) -> Error {
        Error {
            object: Object::Blob {
                role: blob.role,
                digest: blob.digest,
                repository: blob.repository.clone(),
            },
            registry: self.endpoint.registry_name().to_string(),
            cause: cause.into(),
        }
    }
}

/// Returns the request for the blob of a descriptor.
fn request(repository: &Repository, role: Role, descriptor: &Descriptor) -> BlobRequest {
    BlobRequest {
        repository: repository.clone(),
        role,
        digest: descriptor.digest,
        size: Size::Exact(descriptor.size),
        urls: Vec::new(),
    }
}

/// A blob and the server from which it is fetched.
struct BlobSource {
    blob: BlobRequest,
    /// A URL from the manifest, instead of the registry's. It gets no credentials.
    foreign_url: Option<Url>,
}

impl BlobSource {
    fn url(&self, registry: &Registry) -> Url {
        match &self.foreign_url {
            Some(url) => url.clone(),
            None => registry
                .endpoint
                .blob_url(&self.blob.repository, &self.blob.digest),
        }
    }
}

/// The cause of a failed download.
enum Failure {
    Cause(Cause),
    Destination(io::Error),
}

impl<T: Into<Cause>> From<T> for Failure {
    fn from(cause: T) -> Self {
        Self::Cause(cause.into())
    }
}
