//! Blobs: content that is asked for by its digest.
//!
//! A download is a few parts that work together. The [`pieces`] say which bytes are still to be asked for. A
//! `Connection` brings the bytes of one piece, and asks again for what a broken body did not bring. The
//! `Assembly` puts the bytes in order, holds them against the digest, and hands them on. `download` lets one
//! connection begin, and adds others where that is worth it.

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

/// At 10 MB/s and a way of 50 ms, half of what a blob of so many bytes takes is the way.
const SMALL: u64 = 1 << 20;

/// A blob that is wanted.
#[derive(Clone, Debug)]
pub struct BlobRequest {
    /// The repository to ask.
    pub repository: Repository,
    /// What it is to the image.
    pub role: Role,
    /// What it must hash to.
    pub digest: Digest,
    /// Its size in bytes, or the limit where no descriptor says it.
    pub size: Size,
    /// Where else it may be, as a descriptor says of a layer that registries may not distribute.
    pub urls: Vec<String>,
}

impl BlobRequest {
    /// Whether the way to the registry and back takes longer than the bytes themselves.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.size.known().is_some_and(is_small)
    }
}

/// The same of a blob of so many bytes.
#[must_use]
pub fn is_small(size: u64) -> bool {
    size <= SMALL
}

/// Where the bytes of a blob go.
pub enum Destination<'a> {
    /// A file of its own, each byte at its offset. It is complete and verified at the end, and not before.
    File(&'a File),
    /// A place in a file that holds other things too, for a blob whose size is known. What comes is written
    /// there and nowhere else, and is verified at the end.
    Part {
        /// The file.
        file: &'a File,
        /// Where the blob's first byte belongs.
        offset: u64,
    },
    /// Someone who takes the bytes in order. They are verified as a whole only at the end. Where there is a
    /// file for bytes that come out of order, several connections can be used.
    InOrder {
        /// Takes the next bytes.
        take: &'a mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
        /// Keeps what comes too early.
        spool: Option<&'a File>,
    },
}

impl<'a> Destination<'a> {
    /// Where bytes can be kept that come out of order: a file, and the place in it of the blob's first byte.
    pub(super) fn store(&self) -> Option<(&'a File, u64)> {
        match self {
            Self::File(file) => Some((file, 0)),
            Self::Part { file, offset } => Some((file, *offset)),
            Self::InOrder { spool, .. } => spool.map(|spool| (spool, 0)),
        }
    }

    /// The same for a first attempt.
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

/// Hears how a download goes.
pub trait Progress: Send + Sync {
    /// The size in bytes is known now.
    fn expect(&self, size: u64);
    /// So many more bytes have come.
    fn advance(&self, bytes: u64);
    /// What has come was no good; it begins again.
    fn restart(&self);
}

/// For whom it is enough to hear of the end.
pub struct Silent;

impl Progress for Silent {
    fn expect(&self, _size: u64) {}
    fn advance(&self, _bytes: u64) {}
    fn restart(&self) {}
}

/// A download that came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The registry's side.
    #[error(transparent)]
    Registry(Box<Error>),
    /// The destination does not take it.
    #[error("cannot write the fetched blob")]
    Destination(#[source] io::Error),
}

impl Registry {
    /// Fetches a blob. At the end all of it was found good.
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

    /// Fetches a blob from this very registry.
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

    /// Fetches a blob into an output file: at any place of a file, in order into a pipe.
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

    /// Fetches an image's configuration: the document that `descriptor` describes.
    pub(super) async fn config_blob<T: View>(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
    ) -> Result<Document<T>, Error> {
        let blob = BlobRequest {
            repository: repository.clone(),
            role: Role::Config,
            digest: descriptor.digest,
            size: Size::Exact(descriptor.size),
            urls: Vec::new(),
        };
        if descriptor.size > MAX_DOCUMENT_SIZE as u64 {
            return Err(self.blob_failed(&blob, ParseError::TooLarge));
        }
        let mut bytes = Vec::new();
        let destination = Destination::InOrder {
            take: &mut |chunk| {
                bytes.extend_from_slice(chunk);
                Ok(())
            },
            spool: None,
        };
        match self.fetch_blob(&blob, destination, &Silent).await {
            Ok(()) => Document::parse(bytes, Some(&descriptor.media_type))
                .map_err(|error| self.blob_failed(&blob, error)),
            Err(DownloadError::Registry(error)) => Err(*error),
            Err(DownloadError::Destination(source)) => {
                Err(self.blob_failed(&blob, Cause::Scratch(source)))
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

/// A blob, and where it is asked for.
struct BlobSource {
    blob: BlobRequest,
    /// Another place than the registry, which gets no credentials.
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

/// Why a download ended early.
enum Failure {
    Cause(Cause),
    Destination(io::Error),
}

impl<T: Into<Cause>> From<T> for Failure {
    fn from(cause: T) -> Self {
        Self::Cause(cause.into())
    }
}
