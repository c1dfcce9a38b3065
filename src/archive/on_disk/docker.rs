//! Docker's `manifest.json`: images whose config and layers are members with any names. Where the archive has no layout,
//! the manifests are composed from the files.
//!
//! Source: moby, `image/spec/v1.2.md`, section "Combined Image JSON + Filesystem Changeset Format".

use std::io::{Read as _, Seek as _};

use serde::de::MapAccess;
use serde_json::json;

use super::Error;
use super::unpack::{Blob, Files};
use crate::archive::docker_manifest::NAME;
use crate::archive::names::Names;
use crate::archive::oci_layout::{self, FULL_NAME, OCI_LAYOUT};
use crate::compression::{UnsupportedCompression, sniff};
use crate::go_json::{self, Fields, Object, as_go_reads};
use crate::input;
use crate::name::Reference;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::{DiffId, Digest};
use crate::oci::document::{Document, ParseError};
use crate::oci::media_type::{Compression, MediaType};

/// The number of first bytes that tell the compression.
const START: u64 = 16;

/// An image in `manifest.json`.
#[derive(Default)]
pub(super) struct Item {
    pub(super) config: String,
    pub(super) tags: Vec<String>,
    pub(super) layers: Vec<String>,
}

impl Fields for Item {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "config" => go_json::text(&mut self.config, map),
            "repotags" => texts(&mut self.tags, map),
            "layers" => texts(&mut self.layers, map),
            _ => Ok(false),
        }
    }
}

fn texts<'de, A: MapAccess<'de>>(field: &mut Vec<String>, map: &mut A) -> Result<bool, A::Error> {
    let texts: Option<Vec<Option<String>>> = map.next_value()?;
    let texts = texts.unwrap_or_default();
    *field = texts.into_iter().map(Option::unwrap_or_default).collect();
    Ok(true)
}

/// Reads `manifest.json` as Docker does: nothing verifies it by a digest. Returns `None` if the archive lacks it.
pub(super) fn items(files: &Files) -> Result<Option<Vec<Item>>, Error> {
    let Some(bytes) = files.read(NAME)? else {
        return Ok(None);
    };
    // Docker reads the first value, and ignores the text after it.
    let items: Option<Vec<Object<Item>>> =
        go_json::first_value(&as_go_reads(&bytes)).map_err(|source| Error::Document {
            name: NAME.to_owned(),
            source: ParseError::json(source, &bytes),
        })?;
    let items = items.unwrap_or_default();
    Ok(Some(items.into_iter().map(|Object(item)| item).collect()))
}

/// Writes a layout with the images of `manifest.json`.
pub(super) fn compose(files: &Files, items: &[Item]) -> Result<(), Error> {
    let mut entries = Vec::new();
    for item in items {
        let manifest = item.manifest(files)?;
        entries.extend(item.entries(&manifest));
    }
    files.write("index.json", &oci_layout::index(&entries))?;
    files.write("oci-layout", OCI_LAYOUT)
}

impl Item {
    /// Composes the manifest of the image, and returns its descriptor.
    pub(super) fn manifest(&self, files: &Files) -> Result<Descriptor, Error> {
        let absent = |name: &str| Error::Absent {
            name: name.to_owned(),
        };
        let config = files
            .find(&self.config)?
            .ok_or_else(|| absent(&self.config))?;
        let bytes = files
            .read(&self.config)?
            .ok_or_else(|| absent(&self.config))?;
        let document =
            Document::<ImageConfig>::parse(bytes, None).map_err(|source| Error::Document {
                name: self.config.clone(),
                source,
            })?;
        let mut layers = Vec::new();
        for (position, name) in self.layers.iter().enumerate() {
            let blob = files.find(name)?.ok_or_else(|| absent(name))?;
            let diff_id = document.diff_ids().get(position);
            layers.push(layer(files, name, &blob, diff_id)?);
        }
        let text = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::OCI_MANIFEST,
            "config": Descriptor::new(MediaType::OCI_CONFIG, config.digest, config.size),
            "layers": layers,
        })
        .to_string();
        let digest = Digest::of(text.as_bytes());
        files.write(&oci_layout::blob_name(&digest), text.as_bytes())?;
        let mut manifest = Descriptor::new(MediaType::OCI_MANIFEST, digest, text.len() as u64);
        manifest.platform = Some(document.platform().clone()).filter(|named| !named.is_unnamed());
        Ok(manifest)
    }

    /// Returns the entries of `index.json` for the image, one for each name.
    pub(super) fn entries(&self, manifest: &Descriptor) -> Vec<Descriptor> {
        if self.tags.is_empty() {
            return vec![manifest.clone()];
        }
        let entries = self.tags.iter().map(|tag| entry(manifest, tag));
        entries.collect()
    }
}

/// Returns an entry of `index.json` with a name. A text that is not a name stays as it is written.
pub(super) fn entry(manifest: &Descriptor, tag: &str) -> Descriptor {
    if let Ok(reference) = tag.parse::<Reference>() {
        let named = Names::of_reference(&reference).entries(manifest);
        if let Some(entry) = named.into_iter().next() {
            return entry;
        }
    }
    let mut entry = manifest.clone();
    entry.annotations = [(FULL_NAME.to_owned(), tag.to_owned())].into();
    entry
}

/// Returns the descriptor of a layer. A plain layer must have the diff ID; a compressed layer is checked when it is
/// decompressed.
fn layer(
    files: &Files,
    name: &str,
    blob: &Blob,
    diff_id: Option<&DiffId>,
) -> Result<Descriptor, Error> {
    let mut start = Vec::new();
    input::open(&files.path(blob))
        .and_then(|mut file| {
            file.rewind()?;
            file.take(START).read_to_end(&mut start)
        })
        .map_err(|error| files.failed(error))?;
    // The specification has no media types for layers of xz and bzip2.
    let blob = &match UnsupportedCompression::sniff(&start) {
        Some(_) => files.decompress(blob)?,
        None => *blob,
    };
    let media_type = match sniff(&start) {
        Compression::Gzip => MediaType::OCI_LAYER_GZIP,
        Compression::Zstd => MediaType::OCI_LAYER_ZSTD,
        Compression::None => {
            if let Some(diff_id) = diff_id
                && matches!(diff_id.digest(), Digest::Sha256(_))
                && *diff_id.digest() != blob.digest
            {
                return Err(Error::Digest {
                    name: name.to_owned(),
                    expected: Box::new(*diff_id.digest()),
                    found: Box::new(blob.digest),
                });
            }
            MediaType::OCI_LAYER
        }
    };
    Ok(Descriptor::new(media_type, blob.digest, blob.size))
}
