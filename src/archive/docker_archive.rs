//! The classic archive that `docker load` reads: `manifest.json`, `<config>.json`, a file for each layer, and `repositories`.
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

/// The names of the layers in an archive. Readers find them by `manifest.json`, most with any name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerNames {
    /// `<diff id>.tar`, as skopeo and the classic program write them
    Files,
    /// `<diff id>/layer.tar`, as `docker save` wrote them before Docker 25. `buildImage` of nixpkgs' dockerTools looks for
    /// store paths that an image contains only in files of this name.
    Directories,
}

impl LayerNames {
    fn name(self, diff_id: &DiffId) -> String {
        let hex = diff_id.digest().hex();
        match self {
            Self::Files => format!("{hex}.tar"),
            Self::Directories => format!("{hex}/layer.tar"),
        }
    }
}

/// The contents of an archive, except those of the layers.
#[derive(Clone, Debug)]
pub(crate) struct Archive {
    /// The small members at the beginning, by name. They describe the large ones.
    pub head: Vec<(String, Vec<u8>)>,
    /// The distinct layers, in the order of the archive.
    pub layers: Vec<Layer>,
    /// The last member, by name.
    pub tail: (String, Vec<u8>),
}

/// A layer of an archive.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// The name in the archive.
    pub name: String,
    /// The blob to decompress.
    pub blob: Descriptor,
    /// The digest of the decompressed content.
    pub diff_id: DiffId,
}

impl Archive {
    /// Creates the archive of an image with these names (`name:tag`). The layers with the largest blobs are first: they
    /// take longest, and the position of each layer depends on the sizes of those before it.
    #[must_use]
    pub(crate) fn new(
        manifest: &Manifest,
        config: &Document<ImageConfig>,
        tags: &[String],
        layer_names: LayerNames,
    ) -> Self {
        let config_name = format!("{}.json", config.digest().hex());
        let diff_ids = config.diff_ids().iter();
        let names: Vec<_> = diff_ids.map(|id| layer_names.name(id)).collect();
        let docker_manifest = docker_manifest::text(&config_name, tags, &names);
        let repositories = json!(repositories(config, tags));
        // Two blobs may have the same content in different compressions.
        let mut seen = HashSet::new();
        let mut layers: Vec<_> = manifest
            .layers
            .iter()
            .zip(config.diff_ids())
            .filter(|(_, diff_id)| seen.insert(**diff_id))
            .map(|(blob, diff_id)| Layer {
                name: layer_names.name(diff_id),
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

/// Returns the content of `repositories`, which daemons before 1.10 read: the top layer by name and tag.
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
