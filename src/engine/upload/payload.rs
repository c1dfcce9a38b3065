//! What is sent: the members of the archive for one daemon, and the layers in it that are to be looked at.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::UploadError;
use super::check::Check;
use super::pipe::{Pipe, Stop};
use crate::archive::composition::Composition;
use crate::archive::docker_save::{Archive, Content, Kind};
use crate::archive::header::Members;
use crate::archive::names::Names;
use crate::archive::oci_layout::blob_name;
use crate::compression::{Limit, sniff};
use crate::config::ImageConfig;
use crate::descriptor::Descriptor;
use crate::digest::{DiffId, Digest};
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
    /// What a file in zstd decompresses to, which is so many bytes.
    Plain(String, PathBuf, u64),
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
    /// The blobs as they are, as an OCI image layout that Docker reads too.
    pub(in crate::engine) fn new(from: &Ingredients<'_>) -> Result<Self, UploadError> {
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

    /// The same for a daemon that cannot read zstd: such layers are plain, and named by their diff ids. Their
    /// sizes must be known before they are sent, so they are looked at here.
    pub(in crate::engine) fn without_zstd(
        from: &Ingredients<'_>,
        stop: &Stop,
    ) -> Result<Self, UploadError> {
        let mut plain = HashMap::new();
        let mut checks = Vec::new();
        for check in from.checks()? {
            if is_zstd(&check.path)? {
                let size = check.run(stop)?;
                plain.insert(check.diff_id, (check.path, size));
            } else {
                checks.push(check);
            }
        }
        if plain.is_empty() {
            return Self::new(from);
        }
        let manifest = from.composition.manifest();
        let name = |layer: &Descriptor, diff_id: &DiffId| {
            if plain.contains_key(diff_id) {
                format!("{}.tar", diff_id.digest().hex())
            } else {
                blob_name(&layer.digest)
            }
        };
        let layers = || manifest.layers.iter().zip(from.config.diff_ids());
        let names: Vec<_> = layers().map(|(layer, id)| name(layer, id)).collect();
        let config = blob_name(&manifest.config.digest);
        let list = json!([{ "Config": config, "RepoTags": from.names.repo_tags, "Layers": names }]);
        let mut parts = vec![Part::Bytes(
            "manifest.json".to_owned(),
            list.to_string().into_bytes(),
        )];
        let mut seen = HashSet::new();
        for ((descriptor, path), diff_id) in from
            .composition
            .files()
            .zip(std::iter::once(None).chain(from.config.diff_ids().iter().map(Some)))
        {
            let part = match diff_id.and_then(|diff_id| Some((diff_id, plain.get(diff_id)?))) {
                Some((diff_id, (path, size))) => {
                    Part::Plain(name(descriptor, diff_id), path.clone(), *size)
                }
                None => Part::File(blob_name(&descriptor.digest), path.to_owned()),
            };
            if !from.left_out.contains(&descriptor.digest) && seen.insert(part.name().to_owned()) {
                parts.push(part);
            }
        }
        Ok(Self { parts, checks })
    }

    /// What is to be looked at while it is sent.
    pub(super) fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Writes the archive, and gives the pipe back with its end still in it.
    pub(super) fn write(&self, pipe: Pipe) -> Result<Pipe, UploadError> {
        let mut members = Members::new(pipe);
        for part in &self.parts {
            match part {
                Part::Bytes(name, bytes) => members.bytes(name, bytes),
                Part::File(name, path) => {
                    let (file, size) = open(path)?;
                    members.file(name, &file, size)
                }
                Part::Plain(name, path, size) => {
                    let (file, _) = open(path)?;
                    let plain = zstd::stream::read::Decoder::new(file)
                        .map_err(|source| read(path, source))?;
                    members.reader(name, plain, *size)
                }
            }
            .map_err(stopped)?;
        }
        members.finish().map_err(stopped)
    }
}

impl Part {
    fn name(&self) -> &str {
        match self {
            Self::Bytes(name, _) | Self::File(name, _) | Self::Plain(name, ..) => name,
        }
    }
}

/// The pipe is broken where nobody wants the archive any more.
fn stopped(error: crate::archive::header::Error) -> UploadError {
    match error.io() {
        Some(source) if source.kind() == std::io::ErrorKind::BrokenPipe => UploadError::Stopped,
        _ => UploadError::Archive(error),
    }
}

fn open(path: &Path) -> Result<(File, u64), UploadError> {
    let file = File::open(path).map_err(|source| read(path, source))?;
    let size = file.metadata().map_err(|source| read(path, source))?.len();
    Ok((file, size))
}

fn read(path: &Path, source: std::io::Error) -> UploadError {
    UploadError::Read {
        path: path.to_owned(),
        source,
    }
}

fn is_zstd(path: &Path) -> Result<bool, UploadError> {
    let (file, _) = open(path)?;
    let mut magic = Vec::new();
    BufReader::with_capacity(8, file.take(4))
        .read_to_end(&mut magic)
        .map_err(|source| read(path, source))?;
    Ok(sniff(&magic) == Compression::Zstd)
}
