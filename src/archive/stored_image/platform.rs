//! The selection of one image by its platform, through indexes, and by the configs where an index names no platform.

use std::collections::HashSet;
use std::path::Path;

use super::images::{is_absent, only_image};
use super::{Error, MAX_NESTING, Selection};
use crate::archive::oci_layout::LayoutReader;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{Document, View};
use crate::oci::index::{Index, NoSuchPlatform, SelectError, Selected};
use crate::oci::manifest::Manifest;
use crate::oci::platform::Platform;

/// Describes an image without a name: its digest, and its platform if that is known.
pub(super) fn label(layout: &LayoutReader, entry: &Descriptor) -> String {
    match platform_of(layout, entry) {
        Some(platform) => format!("{} ({})", entry.digest, platform.normalised()),
        None => entry.digest.to_string(),
    }
}

/// Returns the platform of an image, by its entry or else by its config.
pub(super) fn platform_of(layout: &LayoutReader, entry: &Descriptor) -> Option<Platform> {
    let is_named = |platform: &Platform| !platform.is_unnamed();
    entry.platform.clone().filter(is_named).or_else(|| {
        let manifest = layout.document::<Manifest>(entry).ok()??;
        let config = layout.document::<ImageConfig>(&manifest.config).ok()??;
        Some(config.platform().clone()).filter(is_named)
    })
}

/// Returns the platform of each image, if all are known and no two of them are equal.
#[must_use]
pub fn different_platforms(layout: &LayoutReader, images: &[&Descriptor]) -> Option<Vec<Platform>> {
    let mut known = HashSet::new();
    let platforms = images.iter().map(|image| {
        platform_of(layout, image).filter(|platform| known.insert(platform.normalised()))
    });
    platforms.collect()
}

/// A manifest, and the index that names it, if no other index lies above that one.
pub(super) type Found = (Option<Document<Index>>, Document<Manifest>);

/// Returns the digest of the entry in `index` for a platform, and the manifest, following nested indexes.
pub(super) fn descend(
    layout: &LayoutReader,
    path: &Path,
    mut index: Index,
    selection: &Selection<'_>,
) -> Result<(Digest, Found), Error> {
    let mut top = None;
    let mut above: Vec<Document<Index>> = Vec::new();
    for _ in 0..=MAX_NESTING {
        let entry = entry(layout, path, &index, selection)?;
        let top = *top.get_or_insert(entry.digest);
        if entry.media_type.is_index() {
            let below = present::<Index>(layout, &entry)?;
            index = (*below).clone();
            above.push(below);
        } else {
            let manifest = present(layout, &entry)?;
            if selection.is_platform_required {
                require_platform(layout, path, &entry, selection.platform)?;
            }
            let only = above.pop().filter(|_| above.is_empty());
            return Ok((top, (only, manifest)));
        }
    }
    Err(Error::Nesting {
        path: path.to_owned(),
    })
}

/// Returns the entry in `index` for a platform. If the layout has no such image, returns the only image that the layout
/// has of the index, unless the user asks for a platform: as `docker load` does.
fn entry(
    layout: &LayoutReader,
    path: &Path,
    index: &Index,
    selection: &Selection<'_>,
) -> Result<Descriptor, Error> {
    let platform = selection.platform;
    let selected = match index.select(platform) {
        Ok(Selected::One(entry)) => Ok(entry.clone()),
        Ok(Selected::Unnamed(entries)) => unnamed(layout, path, &entries, platform),
        Err(error) => Err(error.at(path)),
    };
    let is_missing = match &selected {
        Ok(entry) => is_absent(layout, entry),
        Err(error) => matches!(error, Error::Platform { .. }),
    };
    if is_missing && !selection.is_platform_required {
        only_image(layout, index).map_or(selected, Ok)
    } else {
        selected
    }
}

/// Returns the entry that fits `platform` best, for entries without a platform. The configs of the images name the
/// platforms. Fails if different images fit equally well.
fn unnamed(
    layout: &LayoutReader,
    path: &Path,
    entries: &[&Descriptor],
    platform: &Platform,
) -> Result<Descriptor, Error> {
    let mut fitting: Vec<(usize, &Descriptor)> = Vec::new();
    let mut offered = Vec::new();
    for entry in entries {
        if entry.media_type.is_index() {
            if present::<Index>(layout, entry)?.select(platform).is_ok() {
                fitting.push((0, entry));
            }
            continue;
        }
        let manifest: Document<Manifest> = present(layout, entry)?;
        if manifest.require_image().is_ok() {
            let config: Document<ImageConfig> = present(layout, &manifest.config)?;
            let distance = platform.distance_to(config.platform());
            fitting.extend(distance.map(|distance| (distance, *entry)));
            offered.push(config.platform().clone());
        }
    }
    let Some((least, best)) = fitting.iter().min_by_key(|(distance, _)| *distance) else {
        return Err(SelectError::from(NoSuchPlatform::among(platform, &offered)).at(path));
    };
    let mut equals: Vec<&Descriptor> = Vec::new();
    for (distance, entry) in &fitting {
        if distance == least && equals.iter().all(|other| other.digest != entry.digest) {
            equals.push(entry);
        }
    }
    if equals.len() > 1 {
        return Err(Error::SeveralImages {
            path: path.to_owned(),
            names: equals.iter().map(|entry| label(layout, entry)).collect(),
        });
    }
    Ok((*best).clone())
}

/// Reads a document. Fails if the layout lacks it.
pub(super) fn present<T: View>(
    layout: &LayoutReader,
    descriptor: &Descriptor,
) -> Result<Document<T>, Error> {
    let found = layout.document(descriptor)?;
    Ok(found.ok_or_else(|| layout.absent(&descriptor.digest))?)
}

/// Refuses an image for another platform than the one that the user asks for.
pub(super) fn require_platform(
    layout: &LayoutReader,
    path: &Path,
    entry: &Descriptor,
    wanted: &Platform,
) -> Result<(), Error> {
    match platform_of(layout, entry) {
        Some(own) if wanted.distance_to(&own).is_none() => {
            Err(SelectError::from(NoSuchPlatform::of_single(wanted, &own)).at(path))
        }
        _ => Ok(()),
    }
}
