//! Reading an OCI image layout on disk, with suspicion: every document is bounded and held against its
//! descriptor, and blob paths are made of parsed digests.
//!
//! Source: OCI image specification, `image-layout.md`.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::blob_name;
use crate::class::Class;
use crate::input;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{self, Document, ParseError, View};
use crate::oci::index::Index;
use crate::printable::Printable;

/// Where Nix keeps what it has checked.
pub const NIX_STORE: &str = "/nix/store";

/// A directory with `oci-layout`, `index.json` and `blobs/`.
#[derive(Debug)]
pub struct LayoutReader {
    /// Free of links, so that a blob's place can be compared with it.
    directory: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

impl LayoutReader {
    /// Opens a layout, or the layout `oci/` inside of what `fetchdocker` built.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let directory = [path.to_owned(), path.join("oci")]
            .into_iter()
            .find(|directory| directory.join("oci-layout").exists())
            .ok_or_else(|| Error::NotALayout {
                path: path.to_owned(),
            })?;
        let directory = directory.canonicalize().map_err(|source| Error::Read {
            path: directory,
            source,
        })?;
        let marker = directory.join("oci-layout");
        let bytes = read_document(&marker)?.ok_or_else(|| Error::NotALayout {
            path: path.to_owned(),
        })?;
        let version = serde_json::from_slice::<Marker>(&bytes)
            .map_err(|source| Error::Document {
                source: ParseError::json(source, &bytes),
                path: marker,
            })?
            .image_layout_version;
        // Version 1.x is read, and what 2.0 will mean is not known.
        if version.split('.').next() != Some("1") {
            return Err(Error::Version {
                path: directory,
                version: Printable::at_most(20, &version),
            });
        }
        Ok(Self { directory })
    }

    /// `index.json`, the list of what the layout holds.
    pub fn index(&self) -> Result<Document<Index>, Error> {
        let path = self.directory.join("index.json");
        let bytes = read_document(&path)?.ok_or_else(|| Error::Absent { path: path.clone() })?;
        Document::parse(bytes, None).map_err(|source| Error::Document { path, source })
    }

    /// The same, if every entry of it can be followed.
    pub fn complete_index(&self) -> Result<Document<Index>, Error> {
        let index = self.index()?;
        index.require_all().map_err(|source| Error::Document {
            path: self.directory.join("index.json"),
            source,
        })?;
        Ok(index)
    }

    /// The manifest or index that `descriptor` names; `None` where the layout lacks it.
    pub fn document<T: View>(&self, descriptor: &Descriptor) -> Result<Option<Document<T>>, Error> {
        let path = self.blob_path(&descriptor.digest);
        let Some(bytes) = read_document(&path)? else {
            return Ok(None);
        };
        let mut hasher = descriptor.digest.hasher();
        hasher.update(&bytes);
        check_digest(&path, descriptor, &hasher.finish())?;
        check_size(&path, descriptor, bytes.len() as u64)?;
        Document::parse(bytes, Some(&descriptor.media_type))
            .map(Some)
            .map_err(|source| Error::Document { path, source })
    }

    /// The file of the blob that `descriptor` names, in the size that it must have; `None` where the layout lacks it. Its
    /// reader verifies it once more: by then the file may be another.
    ///
    /// Blobs may be links, and one that leads to some other file must not give that file away. So what lies
    /// outside of the layout is given only if it hashes to the digest. The Nix store is exempt, because
    /// everyone can read it, and because Nix has checked what `fetchdocker` links to.
    pub fn blob(&self, descriptor: &Descriptor) -> Result<Option<PathBuf>, Error> {
        let path = self.blob_path(&descriptor.digest);
        let error = |source| Error::Read {
            path: path.clone(),
            source,
        };
        let file = match path.canonicalize() {
            Ok(file) => file,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
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

    /// The error that a blob which must be there is not.
    #[must_use]
    pub fn absent(&self, digest: &Digest) -> Error {
        Error::Absent {
            path: self.blob_path(digest),
        }
    }

    /// Where a blob of this digest belongs.
    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.directory.join(blob_name(digest))
    }
}

fn check_digest(path: &Path, descriptor: &Descriptor, found: &Digest) -> Result<(), Error> {
    if *found == descriptor.digest {
        return Ok(());
    }
    Err(Error::Digest {
        path: path.to_owned(),
        expected: descriptor.digest,
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

/// The bytes of a document; `None` where there is nothing.
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

/// A layout that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither an OCI layout nor what `fetchdocker` builds.
    #[error("{} holds no image: neither `oci-layout` nor `oci/oci-layout` is there", path.display())]
    NotALayout {
        /// The path that was named.
        path: PathBuf,
    },
    /// A layout of a version that did not exist when this was written.
    #[error("{} is an OCI layout of version {version}, and only 1 is known", path.display())]
    Version {
        /// The layout.
        path: PathBuf,
        /// What it says.
        version: Printable,
    },
    /// The layout names a file and lacks it.
    #[error("{} is not there", path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A manifest or index that cannot be understood or contradicts itself.
    #[error("{} is not the document it should be", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ParseError,
    },
    /// A file's content is not what its name says.
    #[error("{} does not have the digest {expected}", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// What its descriptor says.
        expected: Digest,
    },
    /// A file is longer or shorter than its descriptor.
    #[error("{} has {found} bytes, and must have {expected}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// What its descriptor says.
        expected: u64,
        /// What it has.
        found: u64,
    },
}

impl Error {
    /// The kind of failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::NotALayout { .. } | Self::Absent { .. } => Class::NotFound,
            Self::Version { .. } => Class::Unsupported,
            Self::Read { .. } => Class::Other,
            Self::Document { source, .. } => source.class(),
            Self::Digest { .. } | Self::Size { .. } => Class::Integrity,
        }
    }
}
