//! The OCI image layout: a directory with `oci-layout`, `index.json` and `blobs/<algorithm>/<hex>`.
//!
//! Source: OCI image specification, `image-layout.md`; containerd's annotation for the full name.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::media_type::MediaType;

/// The content of the file `oci-layout`.
pub const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// The annotation by which containerd names an image in full.
pub const IMAGE_NAME: &str = "io.containerd.image.name";
/// The annotation for the tag.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// A layout that is being written.
#[derive(Debug)]
pub struct Layout {
    directory: PathBuf,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: MediaType,
    manifests: [&'a Descriptor; 1],
}

impl Layout {
    /// Starts a layout in an empty directory.
    pub fn create(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory.join("blobs"))?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// Where a blob is kept; its directory is there.
    pub fn blob_path(&self, digest: &Digest) -> io::Result<PathBuf> {
        let directory = self.directory.join("blobs").join(digest.algorithm());
        fs::create_dir_all(&directory)?;
        Ok(directory.join(digest.hex()))
    }

    /// A new file for a blob.
    pub fn create_blob(&self, digest: &Digest) -> io::Result<File> {
        File::create_new(self.blob_path(digest)?)
    }

    /// Names the one image of the layout, and completes it.
    pub fn finish(&self, manifest: &Descriptor) -> io::Result<()> {
        fs::write(self.directory.join("index.json"), index(manifest)?)?;
        fs::write(self.directory.join("oci-layout"), OCI_LAYOUT)
    }
}

/// The text of `index.json` for one image.
pub fn index(manifest: &Descriptor) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(&Index {
        schema_version: 2,
        media_type: MediaType::OCI_INDEX,
        manifests: [manifest],
    })?)
}

/// The annotations that carry an image's name: the full name for containerd, the tag for everybody.
#[must_use]
pub fn name_annotations(full_name: &str, tag: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (IMAGE_NAME.to_owned(), format!("{full_name}:{tag}")),
        (REF_NAME.to_owned(), tag.to_owned()),
    ])
}
