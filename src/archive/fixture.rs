//! OCI image layouts on disk, for tests.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::oci_layout::{self, OCI_LAYOUT};
use crate::oci::digest::Digest;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A layout to which blobs can be added. Each method returns the descriptor of what it added.
pub(crate) struct Layout(tempfile::TempDir);

impl Layout {
    /// Returns a layout without images.
    pub(crate) fn new() -> Self {
        let layout = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(layout.path().join("blobs/sha256")).unwrap();
        layout.write("oci-layout", OCI_LAYOUT);
        layout.list(&[]);
        layout
    }

    /// Returns the directory of the layout. Its parent belongs to the test, too.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("layout")
    }

    /// Returns the file of a blob.
    pub(crate) fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.path().join(oci_layout::blob_name(digest))
    }

    /// Writes a file of the layout.
    pub(crate) fn write(&self, file: impl AsRef<Path>, content: &[u8]) {
        std::fs::write(self.path().join(file), content).unwrap();
    }

    /// Adds a blob.
    pub(crate) fn blob(&self, media_type: &str, content: &[u8]) -> Value {
        let digest = Digest::of(content);
        self.write(self.blob_path(&digest), content);
        json!({ "mediaType": media_type, "digest": digest, "size": content.len() })
    }

    /// Adds a config, and the manifest of an image with this config and these layers.
    pub(crate) fn manifest(&self, config: &[u8], layers: &[Value]) -> Value {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(CONFIG, config),
            "layers": layers,
        });
        self.blob(MANIFEST, manifest.to_string().as_bytes())
    }

    /// Adds an index of other documents.
    pub(crate) fn index(&self, entries: &[Value]) -> Value {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
        self.blob(INDEX, index.to_string().as_bytes())
    }

    /// Writes an `index.json` with these entries.
    pub(crate) fn list(&self, entries: &[Value]) {
        let index = json!({ "schemaVersion": 2, "manifests": entries });
        self.write("index.json", index.to_string().as_bytes());
    }
}
