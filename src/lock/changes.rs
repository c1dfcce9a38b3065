//! The differences between two locks, and the bytes that a host has to fetch for them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lock, LockedImage, LockedPlatform, Name};
use crate::name::{Reference, Tag};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::platform::Platform;

/// The difference between two locks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The images that differ, by name.
    pub images: Vec<Change>,
    /// The number of bytes that a host with all images of the old lock has to fetch for the new lock, by platform.
    pub fetch: BTreeMap<Platform, u64>,
}

/// An image that was added, removed or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The name.
    pub name: Name,
    /// The reference, in the new lock if it has the image.
    pub reference: Reference,
    /// The tag in the old lock.
    pub from_tag: Option<Tag>,
    /// The tag in the new lock.
    pub to_tag: Option<Tag>,
    /// The digest to which the reference resolved. `None` if the image is new.
    pub from: Option<Digest>,
    /// The digest to which the reference resolves. `None` if the image was removed.
    pub to: Option<Digest>,
    /// The changes by platform.
    pub platforms: BTreeMap<Platform, PlatformChange>,
}

/// The change of an image on one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformChange {
    /// The digest of the old manifest. `None` if the platform was not locked.
    pub from: Option<Digest>,
    /// The digest of the new manifest.
    pub to: Digest,
    /// The layers, lowest first.
    pub layers: Vec<NewLayer>,
    /// The number of bytes that a host with all images of the old lock has to fetch for this image alone.
    pub fetch: u64,
}

/// A layer of an image that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLayer {
    /// The layer.
    pub layer: Descriptor,
    /// Whether no image of the old lock has it on this platform.
    pub is_new: bool,
}

impl Changes {
    /// Returns the differences between two locks.
    #[must_use]
    pub fn between(old: &Lock, new: &Lock) -> Self {
        let had = blobs(old);
        let names: BTreeSet<_> = old.images.keys().chain(new.images.keys()).collect();
        let images = names.into_iter().filter_map(|name| {
            let (from, to) = (old.images.get(name), new.images.get(name));
            let is_same = from.zip(to).is_some_and(|(from, to)| from.is_same_as(to));
            let image = to.or(from).filter(|_| !is_same)?;
            Some(Change {
                name: name.clone(),
                reference: image.reference().clone(),
                from_tag: from.and_then(|image| image.reference().tag.clone()),
                to_tag: to.and_then(|image| image.reference().tag.clone()),
                from: from.and_then(LockedImage::digest),
                to: to.and_then(LockedImage::digest),
                platforms: platforms(from, to, &had),
            })
        });
        let fetch = blobs(new).into_iter().map(|(platform, blobs)| {
            let had = had.get(&platform);
            let missing = blobs
                .iter()
                .filter(|(digest, _)| !had.is_some_and(|had| had.contains_key(digest)));
            let bytes = missing.map(|(_, size)| size).sum();
            (platform, bytes)
        });
        Self {
            fetch: fetch.filter(|(_, bytes)| *bytes > 0).collect(),
            images: images.collect(),
        }
    }
}

type Blobs = BTreeMap<Platform, BTreeMap<Digest, u64>>;

/// Returns the blobs of all images, by platform, with their sizes in bytes.
fn blobs(lock: &Lock) -> Blobs {
    let mut blobs = Blobs::new();
    for (platform, locked) in lock.images.values().flat_map(LockedImage::platforms) {
        let of_platform = blobs.entry(platform.clone()).or_default();
        of_platform.extend(locked.blobs().map(|blob| (blob.digest, blob.size)));
    }
    blobs
}

fn platforms(
    from: Option<&LockedImage>,
    to: Option<&LockedImage>,
    had: &Blobs,
) -> BTreeMap<Platform, PlatformChange> {
    let none = BTreeMap::new();
    let now = to.into_iter().flat_map(LockedImage::platforms);
    now.map(|(platform, locked)| {
        let had = had.get(platform).unwrap_or(&none);
        let before = from.and_then(|image| image.platforms().get(platform));
        (platform.clone(), change(before, locked, had))
    })
    .collect()
}

fn change(
    before: Option<&LockedPlatform>,
    now: &LockedPlatform,
    had: &BTreeMap<Digest, u64>,
) -> PlatformChange {
    let missing: BTreeMap<_, _> = now
        .blobs()
        .filter(|blob| !had.contains_key(&blob.digest))
        .map(|blob| (blob.digest, blob.size))
        .collect();
    let layers = now.manifest.layers.iter().map(|layer| NewLayer {
        is_new: missing.contains_key(&layer.digest),
        layer: layer.clone(),
    });
    PlatformChange {
        from: before.map(|before| *before.manifest.digest()),
        to: *now.manifest.digest(),
        layers: layers.collect(),
        fetch: missing.values().sum(),
    }
}
