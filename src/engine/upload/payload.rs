//! What is sent: the members of the archive for one daemon, and the layers in it that are to be looked at.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::check::Check;
use super::pipe::Pipe;
use super::{Sent, UploadError, plain};
use crate::archive::composition::Composition;
use crate::archive::docker_save::{Archive, Content, Kind};
use crate::archive::header::Members;
use crate::archive::names::Names;
use crate::archive::oci_layout::blob_name;
use crate::compression::{Limit, sniff};
use crate::config::ImageConfig;
use crate::digest::{DiffId, Digest};
use crate::engine::form::Form;
use crate::media_type::Compression;

/// An image as one daemon gets it.
#[derive(Debug)]
pub(in crate::engine) struct Payload {
    parts: Vec<Part>,
    checks: Vec<Check>,
}

/// A member of the archive.
#[derive(Debug)]
enum Part {
    Bytes(String, Vec<u8>),
    /// A file as it is.
    File(String, PathBuf),
    /// What a layer decompresses to.
    Plain(String, Check),
}

/// What goes into a [`Payload`].
#[derive(Clone, Debug)]
pub(in crate::engine) struct Ingredients<'a> {
    pub(in crate::engine) composition: &'a Composition,
    pub(in crate::engine) config: &'a ImageConfig,
    pub(in crate::engine) names: &'a Names,
    pub(in crate::engine) left_out: &'a HashSet<Digest>,
    pub(in crate::engine) limit: Limit,
}

impl Ingredients<'_> {
    /// The distinct layers that are sent.
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
                        media_type: layer.media_type.to_string(),
                    });
                }
                Ok(Check {
                    path: path.to_owned(),
                    digest: layer.digest,
                    size: layer.size,
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
    /// The image in the form that is wanted.
    pub(in crate::engine) fn new(from: &Ingredients<'_>, form: Form) -> Result<Self, UploadError> {
        let mut is_plain = HashSet::new();
        for check in from.checks()? {
            if form.is_plain(compression(&check.path)?) {
                is_plain.insert(check.digest);
            }
        }
        if is_plain.is_empty() {
            Self::as_they_are(from)
        } else {
            Self::with_plain_layers(from, &is_plain)
        }
    }

    /// The blobs as they are, as an OCI image layout that Docker reads too.
    fn as_they_are(from: &Ingredients<'_>) -> Result<Self, UploadError> {
        let manifest = from.composition.manifest();
        let archive = Archive::new(Kind::DockerSave, from.names, manifest, from.left_out);
        let paths = from.paths();
        let parts = archive
            .members
            .into_iter()
            .filter_map(|member| match member.content {
                Content::Bytes(bytes) => Some(Part::Bytes(member.name, bytes)),
                // The archive was laid out from the same manifest.
                Content::Blob(blob) => paths
                    .get(&blob.digest)
                    .map(|path| Part::File(member.name, (*path).to_owned())),
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
        let list = json!([{ "Config": config, "RepoTags": from.names.repo_tags, "Layers": names }]);
        let mut parts = vec![Part::Bytes(
            "manifest.json".to_owned(),
            list.to_string().into_bytes(),
        )];
        parts.extend(
            (from.composition.files().take(1))
                .map(|(_, path)| Part::File(config.clone(), path.to_owned())),
        );
        let mut checks = Vec::new();
        let mut seen = HashSet::new();
        for check in from.checks()? {
            let name = name(&check.digest, &check.diff_id);
            let is_first = seen.insert(name.clone());
            match (is_first, is_plain.contains(&check.digest)) {
                (true, true) => parts.push(Part::Plain(name, check)),
                // Another blob of the same content.
                (false, true) => {}
                (is_first, false) => {
                    parts.extend(is_first.then(|| Part::File(name, check.path.clone())));
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
                Part::Bytes(name, bytes) => members.bytes(name, bytes).map_err(stopped)?,
                Part::File(name, path) => {
                    let (file, size) = open(path)?;
                    let file = Told { file, sent };
                    members.reader(name, file, size).map_err(stopped)?;
                }
                Part::Plain(name, layer) => plain::write(&mut members, name, layer, &stop, sent)?,
            }
        }
        members.finish().map_err(stopped)
    }
}

/// A file that tells what is read of it.
struct Told<'a> {
    file: File,
    sent: &'a Sent,
}

impl Read for Told<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        (self.sent)(count as u64);
        Ok(count)
    }
}

/// The pipe is broken where nobody wants the archive any more.
pub(super) fn stopped(error: crate::archive::header::Error) -> UploadError {
    match error.io() {
        Some(source) if source.kind() == io::ErrorKind::BrokenPipe => UploadError::Stopped,
        _ => UploadError::Archive(error),
    }
}

fn open(path: &Path) -> Result<(File, u64), UploadError> {
    let file = File::open(path).map_err(|source| read(path, source))?;
    let size = file.metadata().map_err(|source| read(path, source))?.len();
    Ok((file, size))
}

fn read(path: &Path, source: io::Error) -> UploadError {
    UploadError::Read {
        path: path.to_owned(),
        source,
    }
}

/// How a file is compressed, by its first bytes.
fn compression(path: &Path) -> Result<Compression, UploadError> {
    let (file, _) = open(path)?;
    let mut magic = Vec::new();
    BufReader::with_capacity(8, file.take(4))
        .read_to_end(&mut magic)
        .map_err(|source| read(path, source))?;
    Ok(sniff(&magic))
}
