//! The hybrid archive: an OCI image layout that also has Docker's `manifest.json`, with the blobs of the registry
//! unchanged. Docker 20.10 and later loads it with either image store. Podman, skopeo and containerd read it, too.
//!
//! Sources: OCI image specification, `image-layout.md`; Docker's `image/tarexport`; containerd's
//! `images/annotations.go`.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::blob_file::{BlobFile, check_size};
use super::composition::{self, Composition};
use super::docker_manifest;
use super::header::{self, Members};
use super::names::Names;
use super::oci_layout::{NIX_STORE, OCI_LAYOUT, blob_name, index};
use super::placed::Placed;
use crate::class::Class;
use crate::input;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::Document;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;

/// The format of an archive with an OCI layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// An OCI layout with Docker's `manifest.json`.
    DockerSave,
    /// Only an OCI layout. If the image has several names, `manifest.json` as well: podman does not read a
    /// layout with several entries, and finds the names there.
    OciArchive,
    /// As [`DockerSave`](Self::DockerSave), for the upload to a daemon: `index.json` has the image's own name only, so
    /// that podman reads the layout. The caller adds the other names afterwards.
    Upload,
}

/// The members of an archive, whose blobs can be written in order or each at its place.
#[derive(Clone, Debug)]
pub struct Archive {
    /// The members in their order. Small members that describe the others come first.
    pub members: Vec<Member>,
}

/// A member of an archive.
#[derive(Clone, Debug)]
pub struct Member {
    /// The path in the archive.
    pub name: String,
    /// The content.
    pub content: Content,
}

/// The content of a member.
#[derive(Clone, Debug)]
pub enum Content {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// The blob of this descriptor.
    Blob(Box<Descriptor>),
}

impl Archive {
    /// Creates the archive of an image. The archive names the layers in `left_out` but does not contain them. The
    /// reader must have them already.
    #[must_use]
    pub fn new(
        format: ArchiveFormat,
        names: &Names,
        manifest: &Document<Manifest>,
        left_out: &HashSet<Digest>,
    ) -> Self {
        Self::with_index(format, names, manifest, None, left_out)
    }

    /// Creates the archive of an image. With an index that names the manifest, `index.json` lists the index, whose other
    /// manifests are absent.
    #[must_use]
    pub fn with_index(
        format: ArchiveFormat,
        names: &Names,
        manifest: &Document<Manifest>,
        of_platforms: Option<&Document<Index>>,
        left_out: &HashSet<Digest>,
    ) -> Self {
        let mut archive = Self {
            members: Vec::new(),
        };
        archive.add("oci-layout", OCI_LAYOUT.to_vec());
        let mut entries = match of_platforms {
            Some(index) => names
                .with_digest(index.digest())
                .entries(&index.descriptor()),
            None => names.entries(&manifest.descriptor()),
        };
        if format == ArchiveFormat::Upload {
            entries.truncate(1);
        }
        archive.add("index.json", index(&entries));
        if let Some(index) = of_platforms {
            archive.add(&blob_name(index.digest()), index.bytes().to_vec());
        }
        if format != ArchiveFormat::OciArchive || entries.len() > 1 {
            // Podman reads `manifest.json` if the layout has several entries. It takes short names for its own, not for
            // those of Docker Hub; Docker understands both.
            let tags = if entries.len() > 1 {
                names.full_tags()
            } else {
                names.repo_tags.clone()
            };
            archive.add(docker_manifest::NAME, manifest_json(&tags, manifest));
        }
        let own_name = blob_name(manifest.digest());
        archive.add(&own_name, manifest.bytes().to_vec());
        let mut written = HashSet::from([*manifest.digest()]);
        written.extend(left_out);
        for blob in std::iter::once(&manifest.config).chain(&manifest.layers) {
            // An image may have the same layer twice.
            if written.insert(blob.digest) {
                archive.members.push(Member {
                    name: blob_name(&blob.digest),
                    content: Content::Blob(Box::new(blob.clone())),
                });
            }
        }
        archive
    }

    fn add(&mut self, name: &str, bytes: Vec<u8>) {
        self.members.push(Member {
            name: name.to_owned(),
            content: Content::Bytes(bytes),
        });
    }

    /// Writes all members without the contents of the blobs to an empty file, and returns the offset of each blob in
    /// bytes.
    pub fn place(&self, file: &File) -> Result<Vec<(&Descriptor, u64)>, header::Error> {
        let mut placed = Placed::new(file);
        let mut blobs = Vec::new();
        for member in &self.members {
            match &member.content {
                Content::Bytes(bytes) => placed.bytes(&member.name, bytes)?,
                Content::Blob(descriptor) => {
                    let offset = placed.reserve(&member.name, descriptor.size)?;
                    blobs.push((&**descriptor, offset));
                }
            }
        }
        placed.finish()?;
        Ok(blobs)
    }

    /// Writes the archive in order, with the blobs from the files of `composition`. No blob is held in memory. If a
    /// file has the wrong content, the archive ends early, so no reader accepts it.
    pub fn write<W: Write>(&self, composition: &Composition, out: W) -> Result<W, Error> {
        let files: HashMap<Digest, &Path> = composition
            .files()
            .map(|(descriptor, path)| (descriptor.digest, path))
            .collect();
        let mut members = Members::new(out);
        for member in &self.members {
            match &member.content {
                Content::Bytes(bytes) => members.bytes(&member.name, bytes)?,
                Content::Blob(descriptor) => {
                    // `self` was created from the same manifest.
                    if let Some(path) = files.get(&descriptor.digest) {
                        write_blob(&mut members, &member.name, descriptor, path)?;
                    }
                }
            }
        }
        Ok(members.finish()?)
    }
}

/// Returns Docker's `manifest.json`, which names the blobs of the layout.
fn manifest_json(repo_tags: &[String], manifest: &Manifest) -> Vec<u8> {
    let layers: Vec<_> = manifest
        .layers
        .iter()
        .map(|layer| blob_name(&layer.digest))
        .collect();
    let config = blob_name(&manifest.config.digest);
    docker_manifest::text(&config, repo_tags, &layers)
}

/// Writes an image of files as a hybrid archive.
pub fn write<W: Write>(composition: &Composition, out: W) -> Result<W, Error> {
    let (names, manifest) = (&composition.names, composition.manifest());
    let (format, index) = (ArchiveFormat::DockerSave, composition.named_index());
    Archive::with_index(format, names, manifest, index, &HashSet::new()).write(composition, out)
}

fn write_blob<W: Write>(
    members: &mut Members<W>,
    name: &str,
    descriptor: &Descriptor,
    path: &Path,
) -> Result<(), Error> {
    if let Some((path, file)) = of_store(path)? {
        let found = file.metadata().map_err(|source| reading(&path, source))?;
        check_size(descriptor, &path, found.len())?;
        return Ok(members.file(name, &file, descriptor.size)?);
    }
    let mut blob = BlobFile::open(descriptor, path)?;
    members.begin(name, descriptor.size)?;
    while let Some(bytes) = blob.next_bytes()? {
        members.content(bytes).map_err(header::Error::Write)?;
    }
    Ok(members.end(descriptor.size)?)
}

/// Opens the file at the end of the links at `path` if it lies in the Nix store; otherwise returns `None`. Nix verified
/// files in the store, and they do not change. So the kernel copies the content, without another verification.
fn of_store(path: &Path) -> Result<Option<(PathBuf, File)>, Error> {
    let path = path
        .canonicalize()
        .map_err(|source| reading(path, source))?;
    if !path.starts_with(NIX_STORE) {
        return Ok(None);
    }
    let file = input::open(&path).map_err(|source| reading(&path, source))?;
    Ok(Some((path, file)))
}

fn reading(path: &Path, source: io::Error) -> composition::Error {
    composition::Error::Read {
        path: path.to_owned(),
        source,
    }
}

/// The archive cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The parts of the image cannot be read, or do not belong together.
    #[error(transparent)]
    Composition(#[from] composition::Error),
    /// A member cannot be written.
    #[error(transparent)]
    Member(#[from] header::Error),
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Composition(error) => error.class(),
            Self::Member(error) => error.class(),
        }
    }

    /// Returns the operating system's error if the output failed. The caller does not report a closed pipe as a
    /// failure.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        match self {
            Self::Member(error) => error.io(),
            Self::Composition(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
