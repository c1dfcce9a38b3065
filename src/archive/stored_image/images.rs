//! Which entries of an index are images, and the only image of an index.

use crate::archive::oci_layout::LayoutReader;
use crate::oci::descriptor::Descriptor;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;

/// Returns whether an entry is a manifest or an index.
pub(super) fn is_document(entry: &Descriptor) -> bool {
    entry.media_type.is_manifest() || entry.media_type.is_index()
}

/// Returns whether an entry is certainly not an image.
pub(super) fn is_artifact(layout: &LayoutReader, entry: &Descriptor) -> bool {
    entry.media_type.is_manifest()
        && matches!(
            layout.document::<Manifest>(entry),
            Ok(Some(manifest)) if manifest.require_image().is_err()
        )
}

/// Returns whether the layout certainly lacks the document of an entry. A copy of one platform lacks those of the others
/// (OCI image specification, `image-layout.md`).
pub(super) fn is_absent(layout: &LayoutReader, entry: &Descriptor) -> bool {
    matches!(layout.blob(entry), Ok(None))
}

/// Returns the only image in an index that the layout has. Returns `None` if the layout has several of them or none, or
/// if an entry is not valid.
pub(super) fn only_image(layout: &LayoutReader, index: &Index) -> Option<Descriptor> {
    index.require_all().ok()?;
    let mut images = index
        .images()
        .filter(|entry| is_document(entry) && !is_absent(layout, entry))
        .filter(|entry| !is_artifact(layout, entry));
    let only = images.next()?;
    images
        .all(|other| other.digest == only.digest)
        .then(|| only.clone())
}
