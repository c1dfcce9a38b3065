//! The differences between two locks, image by image.

use std::collections::{BTreeMap, BTreeSet};

use super::image::{ImageDiff, Side};
use crate::lock::{Changes, Lock, LockedImage, LockedPlatform, Name, PlatformChange};
use crate::name::Reference;
use crate::oci::digest::Digest;
use crate::oci::platform::Platform;

/// The differences between two locks.
#[derive(Clone, Debug, Default)]
pub struct LockDiff {
    /// The images that differ, by name.
    pub images: Vec<LockedChange>,
    /// The number of bytes that a host with all images of the old lock has to fetch for the new lock, by platform.
    pub fetch: BTreeMap<Platform, u64>,
}

/// An image that was added, removed or changed.
#[derive(Clone, Debug)]
pub struct LockedChange {
    /// The name.
    pub name: Name,
    /// The image in the old lock.
    pub from: Option<LockedState>,
    /// The image in the new lock.
    pub to: Option<LockedState>,
    /// The platforms of either lock.
    pub platforms: BTreeMap<Platform, PlatformDiff>,
    /// What a host with all images of the old lock has to fetch, by platform of the new lock.
    pub fetch: BTreeMap<Platform, PlatformFetch>,
}

/// What a host has to fetch for one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlatformFetch {
    /// The number of layers that no image of the old lock has.
    pub new_layers: usize,
    /// The number of all layers.
    pub layers: usize,
    /// The number of bytes.
    pub bytes: u64,
}

/// An image in one of the locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedState {
    /// The reference.
    pub reference: Reference,
    /// The digest to which the reference resolves.
    pub digest: Option<Digest>,
    /// The version that the image states, if all its platforms state the same.
    pub version: Option<String>,
}

/// The difference between an image in two locks, on one platform.
#[derive(Clone, Debug)]
pub enum PlatformDiff {
    /// Only the new lock has the platform.
    Added(Box<Side>),
    /// Only the old lock has the platform.
    Removed(Box<Side>),
    /// Both locks have the platform, perhaps with the same manifest.
    Changed(Box<ImageDiff>),
}

impl LockDiff {
    /// Compares two locks. Neither has the configs of the images.
    #[must_use]
    pub fn between(old: &Lock, new: &Lock) -> Self {
        let changes = Changes::between(old, new);
        let images = changes.images.iter().map(|change| {
            let name = &change.name;
            let (from, to) = (old.images.get(name), new.images.get(name));
            LockedChange {
                name: name.clone(),
                platforms: platforms(from, to),
                fetch: fetch(&change.platforms),
                from: from.map(LockedState::of),
                to: to.map(LockedState::of),
            }
        });
        Self {
            images: images.collect(),
            fetch: changes.fetch,
        }
    }
}

fn fetch(platforms: &BTreeMap<Platform, PlatformChange>) -> BTreeMap<Platform, PlatformFetch> {
    let platforms = platforms.iter().map(|(platform, change)| {
        let fetch = PlatformFetch {
            new_layers: change.layers.iter().filter(|layer| layer.is_new).count(),
            layers: change.layers.len(),
            bytes: change.fetch,
        };
        (platform.clone(), fetch)
    });
    platforms.collect()
}

impl LockedState {
    fn of(image: &LockedImage) -> Self {
        let versions: BTreeSet<_> = image
            .platforms()
            .values()
            .map(|locked| super::Description::of_locked(image, locked).version)
            .collect();
        let mut versions = versions.into_iter();
        Self {
            reference: image.reference().clone(),
            digest: image.digest(),
            version: versions
                .next()
                .flatten()
                .filter(|_| versions.next().is_none()),
        }
    }
}

fn platforms(
    from: Option<&LockedImage>,
    to: Option<&LockedImage>,
) -> BTreeMap<Platform, PlatformDiff> {
    let keys = [from, to].into_iter().flatten();
    let keys: BTreeSet<_> = keys.flat_map(|image| image.platforms().keys()).collect();
    let side = |image: Option<&LockedImage>, platform: &Platform| {
        let image = image?;
        let locked: &LockedPlatform = image.platforms().get(platform)?;
        let name = image.reference().to_string();
        Some(Side::of_locked(name, platform, image, locked))
    };
    let diffs = keys.into_iter().filter_map(|platform| {
        let diff = match (side(from, platform), side(to, platform)) {
            (Some(old), Some(new)) => PlatformDiff::Changed(Box::new(ImageDiff::between(old, new))),
            (Some(old), None) => PlatformDiff::Removed(Box::new(old)),
            (None, Some(new)) => PlatformDiff::Added(Box::new(new)),
            (None, None) => return None,
        };
        Some((platform.clone(), diff))
    });
    diffs.collect()
}
