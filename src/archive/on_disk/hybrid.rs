//! An archive with both lists of images: `index.json` of an OCI image layout and Docker's `manifest.json`.

use std::collections::{HashMap, HashSet};

use super::Error;
use super::docker::{Item, entry};
use super::unpack::Files;
use crate::archive::oci_layout::{self, ImageName, LayoutReader};
use crate::oci::digest::Digest;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;

/// The largest number of documents that are read for a comparison.
const MAX_DOCUMENTS: usize = 10_000;

/// Compares `manifest.json` with the layout in the same archive: both must name the same images. Adds names that only
/// `manifest.json` has to `index.json`.
pub(super) fn compare(files: &Files, layout: &LayoutReader, items: &[Item]) -> Result<(), Error> {
    let index = layout.index()?;
    let configs = configs(layout, &index)?;
    let mut entries = index.manifests.clone();
    for item in items {
        let config = files.find(&item.config)?.ok_or_else(|| Error::Absent {
            name: item.config.clone(),
        })?;
        let Some(tops) = configs.get(&config.digest) else {
            let text = format!(
                "`index.json` has no image with the config {}",
                config.digest
            );
            return Err(Error::Contradiction(text));
        };
        for tag in &item.tags {
            let named: Vec<_> = index
                .images()
                .filter(|entry| ImageName::of(&entry.annotations).is(tag))
                .collect();
            if named.iter().any(|entry| !tops.contains(&entry.digest)) {
                let text = format!("they name different images {tag}");
                return Err(Error::Contradiction(text));
            }
            let top = index.images().find(|entry| tops.contains(&entry.digest));
            if let (true, Some(top)) = (named.is_empty(), top) {
                entries.push(entry(top, tag));
            }
        }
    }
    if entries.len() > index.manifests.len() {
        files.write("index.json", &oci_layout::index(&entries))?;
    }
    Ok(())
}

/// Returns for each config the entries of `index.json` that lead to it.
fn configs(
    layout: &LayoutReader,
    index: &Index,
) -> Result<HashMap<Digest, HashSet<Digest>>, Error> {
    let mut configs: HashMap<Digest, HashSet<Digest>> = HashMap::new();
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
            configs
                .entry(manifest.config.digest)
                .or_default()
                .insert(top);
        }
    }
    Ok(configs)
}
