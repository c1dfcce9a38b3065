//! Several images of a layout for different platforms. Under one name, they are one image for clients: an index.

use std::collections::HashSet;

use crate::archive::oci_layout::{self, ImageName, LayoutReader};
use crate::archive::stored_image::different_platforms;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::Document;
use crate::oci::index::Index;

/// Returns whether the images among the `entries` of a layout are one image: there is only one, or they differ by their
/// platforms alone.
pub(super) fn is_only_image(layout: &LayoutReader, index: &Index, entries: &[&Descriptor]) -> bool {
    let images: HashSet<_> = index.images().map(|image| image.digest).collect();
    let is_image = |entry: &&&Descriptor| images.contains(&entry.digest);
    let images = each_once(entries.iter().filter(is_image).copied());
    let is_unnamed = |image: &&Descriptor| ImageName::of(&image.annotations) == ImageName::Unnamed;
    images.len() == 1
        || (images.iter().all(is_unnamed) && different_platforms(layout, &images).is_some())
}

/// Returns the index of images that differ by their platforms alone. Returns `None` for other images, and for a single
/// one.
pub(super) fn index(layout: &LayoutReader, images: &[&Descriptor]) -> Option<Document<Index>> {
    let images = each_once(images.iter().copied());
    if images.len() < 2 {
        return None;
    }
    let platforms = different_platforms(layout, &images)?;
    let entries: Vec<_> = images
        .iter()
        .zip(platforms)
        .map(|(image, platform)| {
            let mut entry = Descriptor::new(image.media_type.clone(), image.digest, image.size);
            entry.platform = Some(platform);
            entry
        })
        .collect();
    Document::parse(oci_layout::index(&entries), None).ok()
}

/// Returns the digest of the index among the images that names all others: clients get the index.
pub(super) fn covering(layout: &LayoutReader, images: &[&Descriptor]) -> Option<Digest> {
    let mut indexes = images.iter().filter(|image| image.media_type.is_index());
    let covering = indexes.find(|candidate| {
        let Ok(Some(index)) = layout.document::<Index>(candidate) else {
            return false;
        };
        let mut known: HashSet<_> = index.manifests.iter().map(|entry| entry.digest).collect();
        known.insert(candidate.digest);
        images.iter().all(|image| known.contains(&image.digest))
    });
    covering.map(|index| index.digest)
}

/// Returns the descriptors with different digests.
fn each_once<'d>(entries: impl Iterator<Item = &'d Descriptor>) -> Vec<&'d Descriptor> {
    let mut seen = HashSet::new();
    entries.filter(|entry| seen.insert(entry.digest)).collect()
}
