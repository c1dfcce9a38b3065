//! The OCI image layout: `oci-layout`, `index.json` and `blobs/<algorithm>/<hex>`, as a directory, and the
//! same names and texts for archives that contain one.
//!
//! Sources: OCI image specification, `image-layout.md`; containerd, `images/annotations.go`, for the
//! annotation with the full name.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::media_type::MediaType;

/// The content of the file `oci-layout`.
pub const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// Where a blob is, from the layout's root.
#[must_use]
pub fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

/// The text of `index.json` for a layout of one image.
#[must_use]
pub fn index(manifest: &Descriptor) -> Vec<u8> {
    json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OCI_INDEX,
        "manifests": [manifest],
    })
    .to_string()
    .into_bytes()
}

/// The annotations that carry an image's name in `index.json`: the reference in full for containerd, and
/// the tag, where there is one, for everybody else.
#[must_use]
pub fn name_annotations<'a>(
    reference: &str,
    tag: impl Into<Option<&'a str>>,
) -> BTreeMap<String, String> {
    let full = Some(("io.containerd.image.name", reference));
    let tag = tag
        .into()
        .map(|tag| ("org.opencontainers.image.ref.name", tag));
    full.into_iter()
        .chain(tag)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A layout that is being written.
#[derive(Debug)]
pub struct Layout {
    directory: PathBuf,
}

impl Layout {
    /// Starts a layout in a directory, which is made if it is not there.
    pub fn create(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory.join("blobs"))?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// A new file for a blob.
    pub fn create_blob(&self, digest: &Digest) -> io::Result<File> {
        File::create_new(self.blob_path(digest)?)
    }

    /// A link where a blob would be, for one that is kept elsewhere.
    pub fn link_blob(&self, digest: &Digest, target: &Path) -> io::Result<()> {
        symlink(target, self.blob_path(digest)?)
    }

    /// Names the one image of the layout, and completes it.
    pub fn finish(&self, manifest: &Descriptor) -> io::Result<()> {
        fs::write(self.directory.join("index.json"), index(manifest))?;
        fs::write(self.directory.join("oci-layout"), OCI_LAYOUT)
    }

    fn blob_path(&self, digest: &Digest) -> io::Result<PathBuf> {
        fs::create_dir_all(self.directory.join("blobs").join(digest.algorithm()))?;
        Ok(self.directory.join(blob_name(digest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_holds_its_blobs_once_and_names_its_image() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(&directory.path().join("oci")).unwrap();
        let digest = Digest::of(b"{}");
        layout.create_blob(&digest).unwrap();
        assert!(layout.create_blob(&digest).is_err());
        let other = Digest::of(b"");
        layout.link_blob(&other, Path::new("/nix/store/x")).unwrap();
        let mut manifest = Descriptor::new(MediaType::OCI_MANIFEST, digest, 2);
        manifest.annotations = name_annotations("docker.io/library/debian:12", "12");
        layout.finish(&manifest).unwrap();
        let read =
            |name: &str| fs::read_to_string(directory.path().join("oci").join(name)).unwrap();
        assert_eq!(read("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
        let index: serde_json::Value = serde_json::from_str(&read("index.json")).unwrap();
        assert_eq!(index["manifests"][0]["digest"], digest.to_string());
        assert_eq!(
            index["manifests"][0]["annotations"]["io.containerd.image.name"],
            "docker.io/library/debian:12"
        );
        let link = directory.path().join("oci").join(blob_name(&other));
        assert_eq!(fs::read_link(link).unwrap(), Path::new("/nix/store/x"));
    }
}
