//! The image IDs of the images at a path on disk.

use std::collections::HashSet;
use std::path::Path;

use super::blob_file::BlobFile;
use super::composition::Composition;
use super::oci_layout::LayoutReader;
use super::stored_image::{self, Error};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::{Digest, Hasher};
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;

/// Returns the digests of the indexes, manifests and configs of all images at `path`, for all platforms. `path` is the output of
/// `fetchdocker`, a script, or an OCI layout. Documents that an index names and the layout lacks are ignored.
pub(crate) fn identities(path: &Path) -> Result<HashSet<Digest>, Error> {
    match stored_image::script(path) {
        Some(script) => in_script(&script),
        None => in_layout(&*stored_image::open_layout(path)?),
    }
}

fn in_script(path: &Path) -> Result<HashSet<Digest>, Error> {
    let composition = Composition::read_script(path)?;
    let mut found = HashSet::from([*composition.manifest().digest()]);
    found.extend(composition.index().map(|index| *index.digest()));
    if let Some((config, file)) = composition.files().next() {
        found.insert(image_id(config, file)?);
    }
    Ok(found)
}

fn in_layout(layout: &LayoutReader) -> Result<HashSet<Digest>, Error> {
    let mut found = HashSet::new();
    let mut seen = HashSet::new();
    let mut pending = layout.index()?.manifests.clone();
    while let Some(descriptor) = pending.pop() {
        if !seen.insert(descriptor.digest) {
            continue;
        }
        if descriptor.media_type.is_index() {
            if let Some(index) = layout.document::<Index>(&descriptor)? {
                found.insert(*index.digest());
                pending.extend(index.manifests.iter().cloned());
            }
        } else if descriptor.media_type.is_manifest()
            && let Some(manifest) = layout.document::<Manifest>(&descriptor)?
        {
            found.insert(*manifest.digest());
            if let Some(file) = layout.blob(&manifest.config)? {
                found.insert(image_id(&manifest.config, &file)?);
            }
        }
    }
    Ok(found)
}

/// Returns the SHA-256 digest of a config, even if the manifest names another algorithm. Fails if the file is not the
/// blob that the manifest names: the result decides which images are kept.
fn image_id(config: &Descriptor, file: &Path) -> Result<Digest, Error> {
    if let Digest::Sha256(_) = config.digest {
        return Ok(config.digest);
    }
    let mut blob = BlobFile::open(config, file)?;
    let mut hasher = Hasher::sha256();
    while let Some(bytes) = blob.next_bytes()? {
        hasher.update(bytes);
    }
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Layout, MANIFEST};
    use super::*;
    use serde_json::json;

    #[test]
    fn all_images_of_a_layout_are_found_through_its_indexes() {
        let layout = Layout::new();
        let one = layout.manifest(b"{}", &[]);
        let other = layout.manifest(b"{ }", &[]);
        let absent = json!({
            "mediaType": MANIFEST,
            "digest": Digest::of(b"elsewhere"),
            "size": 9,
        });
        let index = layout.index(&[other.clone(), absent]);
        layout.list(&[one.clone(), index.clone()]);
        let digest = |value: &serde_json::Value| value["digest"].as_str().unwrap().parse().unwrap();
        assert_eq!(
            identities(&layout.path()).unwrap(),
            HashSet::from([
                Digest::of(b"{}"),
                Digest::of(b"{ }"),
                digest(&one),
                digest(&other),
                digest(&index)
            ])
        );
    }
}
