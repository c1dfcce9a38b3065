//! What is sent: the members of the archive for one daemon, and the layers in it that are to be looked at.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::check::Check;
use super::pipe::Pipe;
use super::{Sent, UploadError, plain};
use crate::archive::blob_file::BlobFile;
use crate::archive::composition::Composition;
use crate::archive::docker_manifest;
use crate::archive::docker_save::{Archive, Content, Kind};
use crate::archive::header::{self, Members};
use crate::archive::names::Names;
use crate::archive::oci_layout::blob_name;
use crate::compression::{Limit, sniff_file};
use crate::daemon::form::Form;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::{DiffId, Digest};
use crate::oci::document::Document;
use crate::oci::media_type::Compression;
use crate::printable::Printable;

/// An image as one daemon gets it.
#[derive(Debug)]
pub(in crate::daemon) struct Payload {
    parts: Vec<Part>,
    checks: Vec<Check>,
}

/// A member of the archive.
#[derive(Debug)]
enum Part {
    Bytes(String, Vec<u8>),
    /// A blob as it is, in a file.
    Blob(String, Box<Descriptor>, PathBuf),
    /// What a layer decompresses to.
    Plain(String, Check),
}

/// What goes into a [`Payload`].
#[derive(Clone, Debug)]
pub(in crate::daemon) struct Ingredients<'a> {
    pub(in crate::daemon) composition: &'a Composition,
    pub(in crate::daemon) config: &'a Document<ImageConfig>,
    pub(in crate::daemon) names: &'a Names,
    pub(in crate::daemon) left_out: &'a HashSet<Digest>,
    pub(in crate::daemon) limit: Limit,
}

impl Ingredients<'_> {
    /// Returns the distinct layers that are sent.
    fn checks(&self) -> Result<Vec<Check>, UploadError> {
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
                Ok(Check {
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
    /// Returns the image in the form that is wanted.
    pub(in crate::daemon) fn new(from: &Ingredients<'_>, form: Form) -> Result<Self, UploadError> {
        let mut is_plain = HashSet::new();
        for check in from.checks()? {
            if form.is_plain(compression(&check.path)?) {
                is_plain.insert(check.blob.digest);
            }
        }
        if is_plain.is_empty() {
            Self::as_they_are(from)
        } else {
            Self::with_plain_layers(from, &is_plain)
        }
    }

    /// Returns the blobs as they are, as an OCI image layout that Docker reads too.
    fn as_they_are(from: &Ingredients<'_>) -> Result<Self, UploadError> {
        let manifest = from.composition.manifest();
        let archive = Archive::new(Kind::DockerSave, from.names, manifest, from.left_out);
        let paths = from.paths();
        let parts = archive
            .members
            .into_iter()
            .filter_map(|member| match member.content {
                Content::Bytes(bytes) => Some(Part::Bytes(member.name, bytes)),
                Content::Blob(blob) if blob.digest == manifest.config.digest => {
                    Some(Part::Bytes(member.name, from.config.bytes().to_vec()))
                }
                // The archive was laid out from the same manifest.
                Content::Blob(blob) => paths
                    .get(&blob.digest)
                    .map(|path| Part::Blob(member.name, blob, (*path).to_owned())),
            })
            .collect();
        Ok(Self {
            parts,
            checks: from.checks()?,
        })
    }

    /// The same with some layers decompressed, and named by their diff ids. There is no OCI image layout then.
    fn with_plain_layers(
        from: &Ingredients<'_>,
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
                // Another blob of the same content.
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

    /// What is to be looked at while it is sent.
    pub(super) fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Writes the archive, and gives the pipe back with its end still in it.
    pub(super) fn write(&self, pipe: Pipe, sent: &Sent) -> Result<Pipe, UploadError> {
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

/// Writes a blob as a member of this name. It is hashed on the way: what is sent is what the image says.
fn write_blob(
    members: &mut Members<Pipe>,
    name: &str,
    descriptor: &Descriptor,
    path: &Path,
    sent: &Sent,
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
