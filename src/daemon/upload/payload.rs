//! The content of an upload: the members of the archive for one daemon, and the layers to verify.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::check::LayerCheck;
use super::pipe::Pipe;
use super::{OnSent, UploadError, plain};
use crate::archive::blob_file::BlobFile;
use crate::archive::composition::Composition;
use crate::archive::docker_manifest;
use crate::archive::docker_save::{Archive, ArchiveFormat, Content, Member};
use crate::archive::header::{self, Members};
use crate::archive::names::Names;
use crate::archive::oci_layout::blob_name;
use crate::compression::{Limit, sniff_file};
use crate::daemon::form::LayerForm;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::{DiffId, Digest};
use crate::oci::document::Document;
use crate::oci::index::Index;
use crate::oci::media_type::Compression;
use crate::printable::Printable;

/// An image in the form for one daemon.
#[derive(Debug)]
pub(in crate::daemon) struct Payload {
    parts: Vec<Part>,
    checks: Vec<LayerCheck>,
}

/// A member of the archive.
#[derive(Debug)]
enum Part {
    Bytes(String, Vec<u8>),
    /// An unchanged blob from a file.
    Blob(String, Box<Descriptor>, PathBuf),
    /// The decompressed content of a layer.
    Plain(String, LayerCheck),
}

/// The input of a [`Payload`].
#[derive(Clone, Debug)]
pub(in crate::daemon) struct PayloadSource<'a> {
    pub(in crate::daemon) composition: &'a Composition,
    pub(in crate::daemon) config: &'a Document<ImageConfig>,
    /// The index, if the daemon keeps its digest.
    pub(in crate::daemon) index: Option<&'a Document<Index>>,
    pub(in crate::daemon) names: &'a Names,
    pub(in crate::daemon) left_out: &'a HashSet<Digest>,
    pub(in crate::daemon) limit: Limit,
}

impl PayloadSource<'_> {
    /// Returns the distinct layers that are sent.
    pub(in crate::daemon) fn checks(&self) -> Result<Vec<LayerCheck>, UploadError> {
        let mut seen = HashSet::new();
        let layers = self.composition.files().skip(1);
        layers
            .zip(self.config.diff_ids())
            .filter(|((layer, _), diff_id)| {
                !self.left_out.contains(&layer.digest) && seen.insert((layer.digest, **diff_id))
            })
            .map(|((layer, path), diff_id)| {
                if layer.media_type.layer_compression().is_none() {
                    return Err(UploadError::NotALayer {
                        layer: layer.digest,
                        media_type: Printable::new(&layer.media_type.to_string()),
                    });
                }
                Ok(LayerCheck {
                    path: path.to_owned(),
                    blob: Box::new(layer.clone()),
                    diff_id: *diff_id,
                    limit: self.limit,
                })
            })
            .collect()
    }

    fn paths(&self) -> HashMap<Digest, &Path> {
        self.composition
            .files()
            .map(|(descriptor, path)| (descriptor.digest, path))
            .collect()
    }
}

impl Payload {
    /// Creates the payload in the given form.
    pub(in crate::daemon) fn new(
        from: &PayloadSource<'_>,
        form: LayerForm,
    ) -> Result<Self, UploadError> {
        let mut is_plain = HashSet::new();
        for check in from.checks()? {
            if form.decompresses(compression(&check.path)?) {
                is_plain.insert(check.blob.digest);
            }
        }
        if is_plain.is_empty() {
            Self::unchanged(from)
        } else {
            Self::with_decompressed_layers(from, &is_plain)
        }
    }

    /// Creates a payload without layers, for a daemon that has them: it gives the image its own name alone.
    pub(in crate::daemon) fn of_name(from: &PayloadSource<'_>) -> Self {
        let names = Names {
            reference: from.names.reference.clone(),
            ..Names::default()
        };
        let layers = from.composition.manifest().layers.iter();
        let left_out = layers.map(|layer| layer.digest).collect();
        // With `manifest.json`, podman would look for the layers.
        Self {
            parts: parts(from, ArchiveFormat::OciArchive, &names, &left_out),
            checks: Vec::new(),
        }
    }

    /// Creates a payload with unchanged blobs: an OCI image layout with Docker's `manifest.json`.
    fn unchanged(from: &PayloadSource<'_>) -> Result<Self, UploadError> {
        Ok(Self {
            parts: parts(from, ArchiveFormat::Upload, from.names, from.left_out),
            checks: from.checks()?,
        })
    }

    /// Creates a payload in which some layers are decompressed and named by their diff IDs. It is not an OCI image
    /// layout.
    fn with_decompressed_layers(
        from: &PayloadSource<'_>,
        is_plain: &HashSet<Digest>,
    ) -> Result<Self, UploadError> {
        let name = |layer: &Digest, diff_id: &DiffId| {
            if is_plain.contains(layer) {
                format!("{}.tar", diff_id.digest().hex())
            } else {
                blob_name(layer)
            }
        };
        let manifest = from.composition.manifest();
        let layers = manifest.layers.iter().zip(from.config.diff_ids());
        let names: Vec<_> = layers.map(|(layer, id)| name(&layer.digest, id)).collect();
        let config = blob_name(&manifest.config.digest);
        let list = docker_manifest::text(&config, &from.names.repo_tags, &names);
        let mut parts = vec![
            Part::Bytes(docker_manifest::NAME.to_owned(), list),
            Part::Bytes(config, from.config.bytes().to_vec()),
        ];
        let mut checks = Vec::new();
        let mut seen = HashSet::new();
        for check in from.checks()? {
            let name = name(&check.blob.digest, &check.diff_id);
            let is_first = seen.insert(name.clone());
            match (is_first, is_plain.contains(&check.blob.digest)) {
                (true, true) => parts.push(Part::Plain(name, check)),
                // Another blob with the same content.
                (false, true) => {}
                (is_first, false) => {
                    let blob = check.blob.clone();
                    parts.extend(is_first.then(|| Part::Blob(name, blob, check.path.clone())));
                    checks.push(check);
                }
            }
        }
        Ok(Self { parts, checks })
    }

    /// Returns the layers to verify while the archive is sent.
    pub(super) fn checks(&self) -> &[LayerCheck] {
        &self.checks
    }

    /// Writes the archive and returns the pipe, which still holds the end.
    pub(super) fn write(&self, pipe: Pipe, sent: &OnSent) -> Result<Pipe, UploadError> {
        let stop = pipe.stop();
        let mut members = Members::new(pipe);
        for part in &self.parts {
            match part {
                Part::Bytes(name, bytes) => members
                    .bytes(name, bytes)
                    .map_err(UploadError::of_archive)?,
                Part::Blob(name, descriptor, path) => {
                    write_blob(&mut members, name, descriptor, path, sent)?;
                }
                Part::Plain(name, layer) => plain::write(&mut members, name, layer, &stop, sent)?,
            }
        }
        members.finish().map_err(UploadError::of_archive)
    }
}

/// Returns the members of an archive with unchanged blobs.
fn parts(
    from: &PayloadSource<'_>,
    format: ArchiveFormat,
    names: &Names,
    left_out: &HashSet<Digest>,
) -> Vec<Part> {
    let manifest = from.composition.manifest();
    let archive = Archive::with_index(format, names, manifest, from.index, left_out);
    let paths = from.paths();
    let part = |member: Member| match member.content {
        Content::Bytes(bytes) => Some(Part::Bytes(member.name, bytes)),
        Content::Blob(blob) if blob.digest == manifest.config.digest => {
            Some(Part::Bytes(member.name, from.config.bytes().to_vec()))
        }
        // `archive` was created from the same manifest.
        Content::Blob(blob) => paths
            .get(&blob.digest)
            .map(|path| Part::Blob(member.name, blob, (*path).to_owned())),
    };
    archive.members.into_iter().filter_map(part).collect()
}

/// Writes a blob as a member with this name, and verifies it at the same time.
fn write_blob(
    members: &mut Members<Pipe>,
    name: &str,
    descriptor: &Descriptor,
    path: &Path,
    sent: &OnSent,
) -> Result<(), UploadError> {
    let mut blob = BlobFile::open(descriptor, path)?;
    members
        .begin(name, descriptor.size)
        .map_err(UploadError::of_archive)?;
    while let Some(bytes) = blob.next_bytes()? {
        let written = members.content(bytes);
        written.map_err(|error| UploadError::of_archive(header::Error::Write(error)))?;
        sent(bytes.len() as u64);
    }
    members
        .end(descriptor.size)
        .map_err(UploadError::of_archive)
}

fn compression(path: &Path) -> Result<Compression, UploadError> {
    sniff_file(path).map_err(|source| UploadError::Read {
        path: path.to_owned(),
        source,
    })
}
