//! The choice of one image from a layout: by name, by digest, and by platform.
//!
//! Images are told apart by digest. A layout may list one image several times, once for each name. Entries for
//! artifacts, signatures and attestations are not images.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::listed::{Listed, list};
use super::platform::{descend, different_platforms, platform_of, present, require_platform};
use super::{Error, MAX_NESTING, Selection};
use crate::archive::names::Names;
use crate::archive::oci_layout::LayoutReader;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::Document;
use crate::oci::index::{Index, Selected};
use crate::oci::manifest::Manifest;
use crate::oci::platform::Platform;

/// The largest number of documents in which a digest is searched.
const MAX_DOCUMENTS: usize = 10_000;
/// The beginning of the media types of manifests of Docker's schema 1.
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+";

/// An image of a layout.
pub(super) struct Chosen {
    /// The names of the image.
    pub(super) names: Names,
    /// The index that `index.json` lists for the image, if it names the manifest.
    pub(super) index: Option<Document<Index>>,
    pub(super) manifest: Document<Manifest>,
}

/// Returns the image that `selection` selects.
pub(super) fn choose(
    layout: &LayoutReader,
    path: &Path,
    selection: &Selection<'_>,
) -> Result<Chosen, Error> {
    let index = layout.index()?;
    let listed = list(layout, &index);
    if listed.is_empty() {
        explain(layout, &index)?;
    }
    let absent = || Error::NoImage {
        path: path.to_owned(),
        wanted: selection.name.map(str::to_owned),
    };
    if let Some(Ok(digest)) = selection.name.map(str::parse::<Digest>) {
        let (top, found) = find_digest(layout, &listed, &digest)?.ok_or_else(absent)?;
        let names = top.names()?;
        if found.media_type.is_index() {
            let (index, manifest) = descend(layout, path, index.with(vec![found]), selection)?.1;
            return Ok(Chosen {
                names,
                index,
                manifest,
            });
        }
        return Ok(Chosen {
            names,
            index: None,
            manifest: present(layout, &found)?,
        });
    }
    let chosen = named(&listed, selection.name);
    if chosen.is_empty() {
        return Err(absent());
    }
    let is_one_name = |listed: &&Listed| {
        let first = chosen.first().map(|first| &first.names);
        Some(&listed.names) == first
            || selection
                .name
                .is_some_and(|wanted| listed.names.iter().any(|name| name.is(wanted)))
    };
    if chosen.len() > 1 && !chosen.iter().all(is_one_name) {
        return Err(several(layout, path, &chosen));
    }
    if let [only] = chosen.as_slice()
        && only.entry.media_type.is_manifest()
    {
        let manifest = present::<Manifest>(layout, &only.entry)?;
        if selection.is_platform_required {
            require_platform(layout, path, &only.entry, selection.platform)?;
        }
        return Ok(Chosen {
            names: only.names()?,
            index: None,
            manifest,
        });
    }
    let equals = nearest(layout, &chosen, selection.platform);
    if equals.len() > 1 {
        return Err(several(layout, path, &equals));
    }
    let fitting = if equals.is_empty() { &chosen } else { &equals };
    let entries = fitting.iter().map(|listed| listed.entry.clone()).collect();
    let (top, (index, manifest)) = descend(layout, path, index.with(entries), selection)?;
    let names = chosen
        .iter()
        .find(|listed| listed.entry.digest == top)
        .map_or_else(|| Ok(Names::default()), |listed| listed.names())?;
    Ok(Chosen {
        names,
        index,
        manifest,
    })
}

/// Fails with the reason why a layout lists no image, if an entry is invalid or has an old manifest.
fn explain(layout: &LayoutReader, index: &Index) -> Result<(), Error> {
    layout.check_entries(index)?;
    for entry in index.images() {
        if entry.media_type.as_str().starts_with(SCHEMA_1) {
            layout.document::<Manifest>(entry)?;
        }
    }
    Ok(())
}

/// Returns the name or the digest of each image, if there are several that differ by more than the platform. Images that
/// share a name have their digests, in the order of the layout: the last gets the name, as in `docker load`.
pub(super) fn choices(layout: &LayoutReader) -> Result<Vec<String>, Error> {
    let index = layout.index()?;
    let listed = list(layout, &index);
    let all: Vec<&Listed> = listed.iter().collect();
    let first = listed.first().map(|first| &first.names);
    let have_one_name = listed.iter().all(|image| Some(&image.names) == first);
    if listed.len() < 2 || (have_one_name && differ_by_platform(layout, &all)) {
        return Ok(Vec::new());
    }
    let mut choices = Vec::new();
    let mut known: HashMap<String, bool> = HashMap::new();
    for image in &listed {
        let name = image.names.first().filter(|name| {
            *known.entry(name.to_string()).or_insert_with(|| {
                let same = all.iter().filter(|other| other.names.contains(name));
                let same: Vec<&Listed> = same.copied().collect();
                same.len() < 2 || differ_by_platform(layout, &same)
            })
        });
        let choice = name.map_or_else(|| image.entry.digest.to_string(), ToString::to_string);
        if !choices.contains(&choice) {
            choices.push(choice);
        }
    }
    Ok(choices)
}

fn differ_by_platform(layout: &LayoutReader, images: &[&Listed]) -> bool {
    let entries: Vec<_> = images.iter().map(|image| &image.entry).collect();
    different_platforms(layout, &entries).is_some()
}

/// Returns the images that serve the platform best. They must not be more than one: entries of `index.json` are images of
/// their own, so the first of equal ones is not preferred as in an index. A manifest beside an index that leads to it is
/// the same image.
fn nearest<'l>(
    layout: &LayoutReader,
    chosen: &[&'l Listed],
    platform: &Platform,
) -> Vec<&'l Listed> {
    let fitting = chosen.iter().filter_map(|listed| {
        let (distance, manifest) = fit(layout, &listed.entry, platform)?;
        Some((distance, manifest, *listed))
    });
    let fitting: Vec<_> = fitting.collect();
    let least = fitting.iter().map(|(distance, ..)| *distance).min();
    let mut seen = HashSet::new();
    fitting
        .into_iter()
        .filter(|(distance, ..)| Some(*distance) == least)
        .filter(|(_, manifest, _)| seen.insert(*manifest))
        .map(|(_, _, listed)| listed)
        .collect()
}

/// Returns how well an image or an index serves a platform, and the digest of the manifest. The distance of an index is that
/// of its best manifest.
fn fit(layout: &LayoutReader, entry: &Descriptor, platform: &Platform) -> Option<(usize, Digest)> {
    if entry.media_type.is_index() {
        let index = layout.document::<Index>(entry).ok()??;
        return match index.select(platform).ok()? {
            Selected::One(found) => {
                // An index below the index may have any platform.
                let distance = match platform_of(layout, found) {
                    Some(own) => platform.distance_to(&own)?,
                    None => 0,
                };
                Some((distance, found.digest))
            }
            Selected::Unnamed(found) => {
                let distances = found.iter().filter_map(|found| {
                    let distance = platform.distance_to(&platform_of(layout, found)?)?;
                    Some((distance, found.digest))
                });
                distances.min_by_key(|(distance, _)| *distance)
            }
        };
    }
    let distance = platform.distance_to(&platform_of(layout, entry)?)?;
    Some((distance, entry.digest))
}

/// Returns the error for several images, with their names, or with their digests where these differ alone.
fn several(layout: &LayoutReader, path: &Path, images: &[&Listed]) -> Error {
    let names: Vec<_> = images.iter().map(|image| image.label(layout)).collect();
    let is_unique = |name: &String| names.iter().filter(|other| *other == name).count() == 1;
    let labels = images.iter().zip(&names).map(|(image, name)| {
        if is_unique(name) {
            name.clone()
        } else {
            format!("{name} ({})", image.entry.digest)
        }
    });
    Error::SeveralImages {
        path: path.to_owned(),
        names: labels.collect(),
    }
}

/// Returns the images with a name, or all of them. A name that Docker considers equal comes before the text of an
/// annotation.
fn named<'l>(listed: &'l [Listed], wanted: Option<&str>) -> Vec<&'l Listed> {
    let Some(wanted) = wanted else {
        return listed.iter().collect();
    };
    let by_name: Vec<_> = listed
        .iter()
        .filter(|listed| listed.names.iter().any(|name| name.is(wanted)))
        .collect();
    if by_name.is_empty() {
        let by_text = listed.iter().filter(|listed| listed.texts.contains(wanted));
        return by_text.collect();
    }
    by_name
}

/// Finds the document with a digest, in `index.json` and in the indexes below it. Returns the entry of `index.json`
/// that leads to it, too.
fn find_digest<'l>(
    layout: &LayoutReader,
    listed: &'l [Listed],
    wanted: &Digest,
) -> Result<Option<(&'l Listed, Descriptor)>, Error> {
    let mut pending: Vec<(&Listed, Descriptor, usize)> = listed
        .iter()
        .rev()
        .map(|listed| (listed, listed.entry.clone(), 0))
        .collect();
    let mut seen = HashSet::new();
    while let Some((top, entry, depth)) = pending.pop() {
        if entry.digest == *wanted {
            return Ok(Some((top, entry)));
        }
        if seen.len() >= MAX_DOCUMENTS || depth > MAX_NESTING || !seen.insert(entry.digest) {
            continue;
        }
        if entry.media_type.is_index()
            && let Some(index) = layout.document::<Index>(&entry)?
        {
            let below = index.images().rev().cloned();
            pending.extend(below.map(|entry| (top, entry, depth + 1)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
