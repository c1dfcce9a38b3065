//! Reading an OCI image layout that may be wrong. Every document has a size limit and is verified against its
//! descriptor. Paths of blobs consist of parsed digests.
//!
//! Source: OCI image specification, `image-layout.md`.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::MapAccess;

use super::blob_name;
use crate::class::Class;
use crate::go_json::{self, Fields, Object, as_go_reads};
use crate::input;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{self, Document, ParseError, View};
use crate::oci::index::Index;
use crate::oci::media_type::MediaType;
use crate::printable::Printable;

/// The directory of the Nix store, whose files Nix verified.
pub const NIX_STORE: &str = "/nix/store";

/// A directory with `oci-layout`, `index.json` and `blobs/`.
#[derive(Clone, Debug)]
pub struct LayoutReader {
    /// The path without links, so that paths of blobs can be compared with it.
    directory: PathBuf,
    /// The directory in messages.
    shown: PathBuf,
    /// Blobs in an archive whose content has another digest than their name, with that digest.
    wrong: Arc<HashMap<Digest, Digest>>,
}

/// The content of the file `oci-layout`.
#[derive(Default)]
struct Marker {
    version: String,
}

impl Fields for Marker {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "imagelayoutversion" => go_json::text(&mut self.version, map),
            _ => Ok(false),
        }
    }
}

impl LayoutReader {
    /// Opens the layout at `path`, or the layout `oci/` in the output of `fetchdocker`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let directory = Self::locate(path)?;
        let directory = directory.canonicalize().map_err(|source| Error::Read {
            path: directory,
            source,
        })?;
        let version = version(&directory)?;
        // Version 1.x is supported. The meaning of a version 2.0 is unknown.
        if !version.is_empty() && version.split('.').next() != Some("1") {
            return Err(Error::Version {
                path: directory,
                version: Printable::at_most(20, &version),
            });
        }
        Ok(Self {
            shown: directory.clone(),
            directory,
            wrong: Arc::default(),
        })
    }

    /// Returns the directory of the layout at `path`, without reading a document.
    pub fn locate(path: &Path) -> Result<PathBuf, Error> {
        [path.to_owned(), path.join("oci")]
            .into_iter()
            .find(|directory| is_layout(directory))
            .ok_or_else(|| Error::no_layout(path))
    }

    /// Opens the layout of an archive in a temporary directory. Errors name `shown` instead of the directory. `wrong` has
    /// the blobs that are not in the directory, because their content has another digest, with that digest.
    pub fn open_as(
        directory: &Path,
        shown: &Path,
        wrong: &HashMap<Digest, Digest>,
    ) -> Result<Self, Error> {
        let opened = Self::open(directory).map_err(|error| error.below(directory, shown))?;
        Ok(Self {
            shown: shown.to_owned(),
            wrong: Arc::new(wrong.clone()),
            ..opened
        })
    }

    /// Reads `index.json`, the list of the images.
    pub fn index(&self) -> Result<Document<Index>, Error> {
        let path = self.directory.join("index.json");
        let read = || {
            let absent = || Error::Absent { path: path.clone() };
            let bytes = read_document(&path)?.ok_or_else(absent)?;
            let parsed = match Document::parse(bytes.clone(), None) {
                // Without a media type and with `null` for the manifests, only its name says that it is an index.
                Err(ParseError::Unsupported(_)) => {
                    Document::parse(bytes, Some(&MediaType::OCI_INDEX))
                }
                parsed => parsed,
            };
            parsed.map_err(|source| Error::Document {
                path: path.clone(),
                source,
            })
        };
        read().map_err(|error| self.show(error))
    }

    /// Checks that all entries of `index.json` can be followed.
    pub fn check_entries(&self, index: &Index) -> Result<(), Error> {
        index.require_all().map_err(|source| Error::Document {
            path: self.shown.join("index.json"),
            source,
        })
    }

    /// Reads the manifest or index that `descriptor` names. Returns `None` if the layout lacks it.
    pub fn document<T: View>(&self, descriptor: &Descriptor) -> Result<Option<Document<T>>, Error> {
        self.read(descriptor).map_err(|error| self.show(error))
    }

    fn read<T: View>(&self, descriptor: &Descriptor) -> Result<Option<Document<T>>, Error> {
        let path = self.blob_path(&descriptor.digest);
        let Some(bytes) = read_document(&path)? else {
            return self.none(&path, descriptor);
        };
        let mut hasher = descriptor.digest.hasher();
        hasher.update(&bytes);
        check_digest(&path, descriptor, &hasher.finish())?;
        check_size(&path, descriptor, bytes.len() as u64)?;
        Document::parse(bytes, Some(&descriptor.media_type))
            .map(Some)
            .map_err(|source| Error::Document { path, source })
    }

    /// Returns the path of the blob that `descriptor` names, or `None` if the layout lacks it. Fails if the file has
    /// another size. The reader of the file must verify the content, because the file may change.
    ///
    /// A blob may be a link. A link to a file outside of the layout must not disclose that file, so its content must
    /// have the digest. Files in the Nix store are exempt: all users can read them, and Nix verified the targets of the
    /// links that `fetchdocker` makes.
    pub fn blob(&self, descriptor: &Descriptor) -> Result<Option<PathBuf>, Error> {
        self.find(descriptor).map_err(|error| self.show(error))
    }

    fn find(&self, descriptor: &Descriptor) -> Result<Option<PathBuf>, Error> {
        let path = self.blob_path(&descriptor.digest);
        let error = |source| Error::Read {
            path: path.clone(),
            source,
        };
        let file = match path.canonicalize() {
            Ok(file) => file,
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                return self.none(&path, descriptor);
            }
            Err(source) => return Err(error(source)),
        };
        let content = input::open(&file).map_err(error)?;
        check_size(&path, descriptor, content.metadata().map_err(error)?.len())?;
        if !file.starts_with(&self.directory) && !file.starts_with(NIX_STORE) {
            let content = content.take(descriptor.size.saturating_add(1));
            let found = descriptor.digest.hasher().read(content).map_err(error)?;
            check_digest(&path, descriptor, &found)?;
        }
        Ok(Some(file))
    }

    /// Returns nothing for a blob without a file, unless an archive has it with another digest.
    fn none<T>(&self, path: &Path, descriptor: &Descriptor) -> Result<Option<T>, Error> {
        match self.wrong.get(&descriptor.digest) {
            None => Ok(None),
            Some(found) => check_digest(path, descriptor, found).map(|()| None),
        }
    }

    /// Returns the error for a blob that the layout lacks but must have.
    #[must_use]
    pub fn absent(&self, digest: &Digest) -> Error {
        Error::Absent {
            path: self.shown.join(blob_name(digest)),
        }
    }

    fn show(&self, error: Error) -> Error {
        error.below(&self.directory, &self.shown)
    }

    /// Returns the path of a blob.
    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.directory.join(blob_name(digest))
    }
}

/// Returns whether a directory is a layout. podman and skopeo do not need the file `oci-layout`.
fn is_layout(directory: &Path) -> bool {
    directory.join("oci-layout").exists()
        || (directory.join("index.json").exists() && directory.join("blobs").is_dir())
}

/// Returns the version of a layout, or an empty text if it names none. The file has no digest, so it is read as Go
/// reads it.
fn version(directory: &Path) -> Result<String, Error> {
    let path = directory.join("oci-layout");
    let bytes = read_document(&path)?.unwrap_or_default();
    if bytes.trim_ascii().is_empty() {
        return Ok(String::new());
    }
    match go_json::first_value(&as_go_reads(&bytes)) {
        Ok(Object(Marker { version })) => Ok(version),
        Err(source) => Err(Error::Document {
            source: ParseError::json(source, &bytes),
            path,
        }),
    }
}

fn check_digest(path: &Path, descriptor: &Descriptor, found: &Digest) -> Result<(), Error> {
    if *found == descriptor.digest {
        return Ok(());
    }
    Err(Error::Digest {
        path: path.to_owned(),
        expected: Box::new(descriptor.digest),
        found: Box::new(*found),
    })
}

fn check_size(path: &Path, descriptor: &Descriptor, found: u64) -> Result<(), Error> {
    if found == descriptor.size {
        return Ok(());
    }
    Err(Error::Size {
        path: path.to_owned(),
        expected: descriptor.size,
        found,
    })
}

/// Reads a document. Returns `None` if there is no file.
fn read_document(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match input::open(path).and_then(document::read) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The layout cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path is neither an OCI layout nor an output of `fetchdocker`.
    #[error("{} is not an image: neither `oci-layout` nor `oci/oci-layout` exists", path.display())]
    NotALayout {
        /// The path.
        path: PathBuf,
    },
    /// Nothing exists at the path.
    #[error("{} does not exist", path.display())]
    NoPath {
        /// The path.
        path: PathBuf,
    },
    /// The path is a store from which podman runs an image.
    #[error("{} is a store for podman: it has file system images of layers, not layers", path.display())]
    IsStore {
        /// The path.
        path: PathBuf,
    },
    /// The version of the layout is unknown.
    #[error("unknown version {version} of the OCI layout {}", path.display())]
    Version {
        /// The layout.
        path: PathBuf,
        /// The version.
        version: Printable,
    },
    /// The layout lacks a file that it names.
    #[error("{} does not exist", path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A manifest or index is invalid or contradicts itself.
    #[error("cannot use {}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: ParseError,
    },
    /// The content of a file does not have the digest that its descriptor names.
    #[error("digest mismatch in {}: expected {expected}, got {found}", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// The value in the descriptor.
        expected: Box<Digest>,
        /// The digest of the content.
        found: Box<Digest>,
    },
    /// A file does not have the size that its descriptor names.
    #[error("size mismatch in {}: expected {expected} bytes, got {found}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// The value in the descriptor.
        expected: u64,
        /// The size of the file in bytes.
        found: u64,
    },
}

impl Error {
    /// Describes a path at which no layout is.
    fn no_layout(path: &Path) -> Self {
        let path = path.to_owned();
        if path.join("overlay-images").is_dir() {
            Self::IsStore { path }
        } else if path.symlink_metadata().is_err() {
            Self::NoPath { path }
        } else {
            Self::NotALayout { path }
        }
    }

    /// Replaces a directory in the path.
    fn below(mut self, directory: &Path, shown: &Path) -> Self {
        let (Self::NotALayout { path }
        | Self::NoPath { path }
        | Self::IsStore { path }
        | Self::Version { path, .. }
        | Self::Absent { path }
        | Self::Read { path, .. }
        | Self::Document { path, .. }
        | Self::Digest { path, .. }
        | Self::Size { path, .. }) = &mut self;
        if let Ok(rest) = path.strip_prefix(directory) {
            *path = if rest.as_os_str().is_empty() {
                shown.to_owned()
            } else {
                shown.join(rest)
            };
        }
        self
    }

    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::NotALayout { .. } | Self::NoPath { .. } | Self::Absent { .. } => Class::NotFound,
            Self::IsStore { .. } | Self::Version { .. } => Class::Unsupported,
            Self::Read { .. } => Class::Other,
            Self::Document { source, .. } => source.class(),
            Self::Digest { .. } | Self::Size { .. } => Class::Integrity,
        }
    }
}
