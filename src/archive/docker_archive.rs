//! The classic archive that `docker load` reads: `manifest.json`, `<config>.json`, a plain
//! `<diff id>.tar` a layer, and `repositories`.
//!
//! Source: moby, `image/spec/v1.2.md`, section "Combined Image JSON + Filesystem Changeset Format".

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use serde_json::json;

use super::docker_manifest;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::DiffId;
use crate::oci::document::Document;
use crate::oci::manifest::Manifest;

/// An archive whose every byte but the layers' own is known.
#[derive(Clone, Debug)]
pub struct Archive {
    /// What comes first, by name: the small entries that say what the large ones are.
    pub head: Vec<(String, Vec<u8>)>,
    /// The layers, each once.
    pub layers: Vec<Layer>,
    /// What comes last, by name.
    pub tail: (String, Vec<u8>),
}

/// A layer of an archive.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Its name in the archive.
    pub name: String,
    /// The blob to decompress.
    pub blob: Descriptor,
    /// What it must be then.
    pub diff_id: DiffId,
}

impl Archive {
    /// Lays out an image under names as `name:tag`. The layers with the largest blobs come first: they take longest,
    /// and the place of each in the archive depends on the sizes of those before it.
    #[must_use]
    pub fn new(manifest: &Manifest, config: &Document<ImageConfig>, tags: &[String]) -> Self {
        let config_name = format!("{}.json", config.digest().hex());
        let names: Vec<_> = config.diff_ids().iter().map(layer_name).collect();
        let docker_manifest = docker_manifest::text(&config_name, tags, &names);
        let repositories = json!(repositories(config, tags));
        // Two blobs may hold the same content, compressed differently.
        let mut seen = HashSet::new();
        let mut layers: Vec<_> = manifest
            .layers
            .iter()
            .zip(config.diff_ids())
            .filter(|(_, diff_id)| seen.insert(**diff_id))
            .map(|(blob, diff_id)| Layer {
                name: layer_name(diff_id),
                blob: blob.clone(),
                diff_id: *diff_id,
            })
            .collect();
        layers.sort_by_key(|layer| Reverse(layer.blob.size));
        Self {
            head: vec![
                (docker_manifest::NAME.to_owned(), docker_manifest),
                (config_name, config.bytes().to_vec()),
            ],
            layers,
            tail: (
                "repositories".to_owned(),
                repositories.to_string().into_bytes(),
            ),
        }
    }
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
