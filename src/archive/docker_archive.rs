//! The classic archive that `docker load` reads: `manifest.json`, `<config>.json`, a plain
//! `<diff id>.tar` a layer, and `repositories`.
//!
//! Source: moby, `image/spec/v1.2.md`, section "Combined Image JSON + Filesystem Changeset Format".

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;

use serde_json::json;

use super::header::{Error, Members};
use crate::config::ImageConfig;
use crate::digest::DiffId;
use crate::document::Document;

/// An image whose layers are at hand, decompressed and verified.
pub struct Image<'a> {
    /// The configuration.
    pub config: &'a Document<ImageConfig>,
    /// The distinct layers.
    pub layers: Vec<Layer>,
    /// The names that `docker load` gives the image, as `name:tag`.
    pub tags: &'a [String],
}

/// One plain layer.
#[derive(Debug)]
pub struct Layer {
    /// What it was verified against.
    pub diff_id: DiffId,
    /// The content, from its start.
    pub file: File,
    /// The content's length in bytes.
    pub size: u64,
}

/// Writes the archive. The small entries that say what the large ones are come first.
pub fn write<W: Write>(image: &Image<'_>, output: W) -> Result<W, Error> {
    let config_name = format!("{}.json", image.config.digest().hex());
    let layers: Vec<_> = image.config.diff_ids().iter().map(layer_name).collect();
    let manifest = json!([{
        "Config": config_name,
        "RepoTags": image.tags,
        "Layers": layers,
    }]);
    let repositories = json!(repositories(image.config, image.tags));
    let mut members = Members::new(output);
    members.bytes("manifest.json", manifest.to_string().as_bytes())?;
    members.bytes(&config_name, image.config.bytes())?;
    for layer in &image.layers {
        members.file(&layer_name(&layer.diff_id), &layer.file, layer.size)?;
    }
    members.bytes("repositories", repositories.to_string().as_bytes())?;
    members.finish()
}

fn layer_name(diff_id: &DiffId) -> String {
    format!("{}.tar", diff_id.digest().hex())
}

/// The index by name and tag that daemons before 1.10 read: it names the top layer.
fn repositories<'a>(
    config: &Document<ImageConfig>,
    tags: &'a [String],
) -> BTreeMap<&'a str, BTreeMap<&'a str, String>> {
    let mut repositories: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    if let Some(top) = config.diff_ids().last() {
        for (name, tag) in tags.iter().filter_map(|tag| tag.rsplit_once(':')) {
            repositories
                .entry(name)
                .or_default()
                .insert(tag, top.digest().hex());
        }
    }
    repositories
}
