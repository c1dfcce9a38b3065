//! An archive with both lists of images: `index.json` of an OCI image layout and Docker's `manifest.json`.

use std::collections::{HashMap, HashSet};

use super::Error;
use super::docker::{Item, entry};
use super::unpack::Files;
use crate::archive::oci_layout::{self, ImageName, LayoutReader};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;

/// The largest number of documents that are read for a comparison.
const MAX_DOCUMENTS: usize = 10_000;

/// Adds to `index.json` what only `manifest.json` has: names, images, and layers. Docker's own store reads
/// `manifest.json`, and other programs read `index.json`, so both must mean the same images by the same names.
///
/// Docker 25.0 wrote manifests without layers (moby issue 47065). Docker leaves images that are saved by a digest out of
/// `index.json` (moby issues 47210 and 51389).
pub(super) fn compare(files: &Files, layout: &LayoutReader, items: &[Item]) -> Result<(), Error> {
    let index = layout.index()?;
    let configs = configs(layout, &index)?;
    let mut entries = index.manifests.clone();
    for item in items {
        let config = files.find(&item.config)?.ok_or_else(|| Error::Absent {
            name: item.config.clone(),
        })?;
        let tops = configs.get(&config.digest).map_or(&[][..], Vec::as_slice);
        let mut unlisted = Vec::new();
        for tag in &item.tags {
            let named: Vec<_> = index
                .images()
                .filter(|entry| ImageName::of(&entry.annotations).is(tag))
                .collect();
            let is_top = |entry: &Descriptor| tops.iter().any(|top| top.digest == entry.digest);
            if !named.iter().all(|entry| is_top(entry)) {
                let text = format!("they name different images {tag}");
                return Err(Error::Contradiction(text));
            }
            if named.is_empty() {
                unlisted.push(tag);
            }
        }
        let is_whole = |top: &&Top| !top.lacks_layers(item);
        let whole = tops.iter().find(is_whole).map(|top| &top.digest);
        if let Some(top) = index.images().find(|entry| Some(&entry.digest) == whole) {
            entries.extend(unlisted.into_iter().map(|tag| entry(top, tag)));
            continue;
        }
        let composed = item.manifest(files)?;
        if tops.is_empty() {
            entries.extend(item.entries(&composed));
            continue;
        }
        for entry in &mut entries {
            if tops.iter().any(|top| top.digest == entry.digest) {
                let annotations = std::mem::take(&mut entry.annotations);
                *entry = composed.clone();
                entry.annotations = annotations;
            }
        }
        entries.extend(unlisted.into_iter().map(|tag| entry(&composed, tag)));
    }
    if entries != index.manifests {
        files.write("index.json", &oci_layout::index(&entries))?;
    }
    Ok(())
}

/// An entry of `index.json` that leads to a config.
struct Top {
    digest: Digest,
    /// The number of layers, if the entry is the manifest itself.
    layers: Option<usize>,
}

impl Top {
    /// Returns whether the entry is a manifest with fewer layers than `manifest.json` has for the same config.
    fn lacks_layers(&self, item: &Item) -> bool {
        self.layers.is_some_and(|layers| layers < item.layers.len())
    }
}

/// Returns for each config the entries of `index.json` that lead to it.
fn configs(layout: &LayoutReader, index: &Index) -> Result<HashMap<Digest, Vec<Top>>, Error> {
    let mut configs: HashMap<Digest, Vec<Top>> = HashMap::new();
    let mut pending: Vec<_> = index
        .manifests
        .iter()
        .map(|entry| (entry.digest, entry.clone()))
        .collect();
    let mut seen = HashSet::new();
    while let Some((top, entry)) = pending.pop() {
        if seen.len() >= MAX_DOCUMENTS || !seen.insert((top, entry.digest)) {
            continue;
        }
        if entry.media_type.is_index() {
            if let Some(index) = layout.document::<Index>(&entry)? {
                pending.extend(index.manifests.iter().map(|below| (top, below.clone())));
            }
        } else if entry.media_type.is_manifest()
            && let Some(manifest) = layout.document::<Manifest>(&entry)?
        {
            let layers = (top == entry.digest).then_some(manifest.layers.len());
            let tops = configs.entry(manifest.config.digest).or_default();
            tops.push(Top {
                digest: top,
                layers,
            });
        }
    }
    Ok(configs)
}
