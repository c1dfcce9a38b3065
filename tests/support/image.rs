//! Small images made in memory, by other code than the one under test, and the ways to put them where the program
//! finds them: a scripted registry, or an OCI image layout on disk.
//!
//! Sources: OCI image specification (manifest, index, layout); Docker "Image Manifest Version 2, Schema 2".

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

pub(crate) use super::layer::{Layer, Packing, gzip};
use super::scripted_registry::{Answer, Registry, get};

/// SHA-256 in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    hex_of(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub(crate) fn hex_of(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// `sha256:<hex>`
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(bytes))
}

/// Bytes that do not compress, always the same.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// Whose media types are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Docker,
    Oci,
}

/// One image.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) config: Vec<u8>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) manifest: Vec<u8>,
    pub(crate) media_type: &'static str,
    platform: Value,
}

impl Image {
    /// An image of these layers for linux/amd64. `command` becomes its `Cmd`.
    pub(crate) fn new(family: Family, command: &[&str], layers: Vec<Layer>) -> Self {
        Self::for_platform(
            family,
            &json!({"os": "linux", "architecture": "amd64"}),
            command,
            layers,
        )
    }

    /// The same for another platform, given as indexes write it.
    pub(crate) fn for_platform(
        family: Family,
        platform: &Value,
        command: &[&str],
        layers: Vec<Layer>,
    ) -> Self {
        let mut config = json!({
            "created": "2024-01-01T00:00:00Z",
            "config": {"Cmd": command, "Env": ["PATH=/usr/bin:/bin"]},
            "rootfs": {
                "type": "layers",
                "diff_ids": layers.iter().map(|layer| digest(&layer.tar)).collect::<Vec<_>>(),
            },
            "history": layers.iter().map(|_| json!({"created_by": "tests"})).collect::<Vec<_>>(),
        });
        for (name, value) in platform.as_object().unwrap() {
            config[name] = value.clone();
        }
        let config = serde_json::to_vec(&config).unwrap();
        Self::with_config(family, platform, config, layers)
    }

    /// An image with exactly this configuration.
    pub(crate) fn with_config(
        family: Family,
        platform: &Value,
        config: Vec<u8>,
        layers: Vec<Layer>,
    ) -> Self {
        let (media_type, config_type) = match family {
            Family::Docker => (
                "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.docker.container.image.v1+json",
            ),
            Family::Oci => (
                "application/vnd.oci.image.manifest.v1+json",
                "application/vnd.oci.image.config.v1+json",
            ),
        };
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {
                "mediaType": config_type,
                "size": config.len(),
                "digest": digest(&config),
            },
            "layers": layers.iter().map(|layer| json!({
                "mediaType": layer.media_type(family),
                "size": layer.blob.len(),
                "digest": layer.digest(),
            })).collect::<Vec<_>>(),
        });
        // Docker indents by three spaces. Whoever serialises anew instead of keeping the bytes shows here.
        let mut manifest_bytes = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"   ");
        let mut serializer = serde_json::Serializer::with_formatter(&mut manifest_bytes, formatter);
        serde::Serialize::serialize(&manifest, &mut serializer).unwrap();
        Self {
            config,
            layers,
            manifest: manifest_bytes,
            media_type,
            platform: platform.clone(),
        }
    }

    /// The manifest's digest.
    pub(crate) fn digest(&self) -> String {
        digest(&self.manifest)
    }

    /// The configuration's digest: Docker's image id.
    pub(crate) fn config_digest(&self) -> String {
        digest(&self.config)
    }

    /// The platform as people write it.
    pub(crate) fn platform_name(&self) -> String {
        ["os", "architecture", "variant"]
            .iter()
            .filter_map(|field| self.platform[field].as_str())
            .collect::<Vec<_>>()
            .join("/")
    }

    /// The image's entry in an index.
    pub(crate) fn descriptor(&self) -> Value {
        json!({
            "mediaType": self.media_type,
            "digest": self.digest(),
            "size": self.manifest.len(),
            "platform": self.platform,
        })
    }

    /// The answer to a request for the manifest.
    pub(crate) fn manifest_answer(&self) -> Answer {
        Answer::ok(self.manifest.clone())
            .header("Content-Type", self.media_type)
            .header("Docker-Content-Digest", self.digest())
    }

    /// Expects one request for the manifest under a tag or digest.
    pub(crate) fn serve_manifest(&self, registry: &Registry, repository: &str, reference: &str) {
        registry.on(
            get(format!("/v2/{repository}/manifests/{reference}")),
            self.manifest_answer(),
        );
    }

    /// Expects one request for the configuration.
    pub(crate) fn serve_config(&self, registry: &Registry, repository: &str) {
        registry.on(
            get(blob_path(repository, &self.config_digest())),
            blob_answer(&self.config),
        );
    }

    /// Expects one request for each different layer.
    pub(crate) fn serve_layers(&self, registry: &Registry, repository: &str) {
        let mut seen = Vec::new();
        for layer in &self.layers {
            let digest = layer.digest();
            if !seen.contains(&digest) {
                registry.on(
                    get(blob_path(repository, &digest)),
                    blob_answer(&layer.blob),
                );
                seen.push(digest);
            }
        }
    }

    /// Expects that all of the image is asked for, each piece once.
    pub(crate) fn serve(&self, registry: &Registry, repository: &str, tag: &str) {
        self.serve_manifest(registry, repository, tag);
        self.serve_config(registry, repository);
        self.serve_layers(registry, repository);
    }

    /// An OCI image layout of the image under this name.
    pub(crate) fn layout(&self, name: &str) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        self.write_layout(directory.path(), name);
        directory
    }

    /// Writes the image as an OCI image layout with one entry of this name.
    pub(crate) fn write_layout(&self, directory: &Path, name: &str) {
        let blobs = directory.join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        let mut descriptor = self.descriptor();
        descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        let index = json!({"schemaVersion": 2, "manifests": [descriptor]});
        fs::write(
            directory.join("oci-layout"),
            r#"{"imageLayoutVersion":"1.0.0"}"#,
        )
        .unwrap();
        fs::write(directory.join("index.json"), index.to_string()).unwrap();
        let pieces = [&self.manifest, &self.config];
        for blob in pieces
            .into_iter()
            .chain(self.layers.iter().map(|layer| &layer.blob))
        {
            fs::write(blobs.join(hex(blob)), blob).unwrap();
        }
    }
}

/// Where a blob is.
pub(crate) fn blob_path(repository: &str, digest: &str) -> String {
    format!("/v2/{repository}/blobs/{digest}")
}

/// The answer to a request for a blob.
pub(crate) fn blob_answer(blob: &[u8]) -> Answer {
    Answer::ok(blob).header("Content-Type", "application/octet-stream")
}

/// Index media type of OCI.
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An index of these entries.
pub(crate) fn index(entries: &[Value]) -> Vec<u8> {
    serde_json::to_vec_pretty(&json!({
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": entries,
    }))
    .unwrap()
}

/// The descriptor of an index, for another index or a layout.
pub(crate) fn index_entry(index: &[u8]) -> Value {
    json!({"mediaType": OCI_INDEX, "digest": digest(index), "size": index.len()})
}

/// Makes an index the only entry of a layout.
pub(crate) fn list_index(layout: &Path, text: &[u8]) {
    list_entry(layout, text, index_entry(text));
}

/// The same, under a name.
pub(crate) fn list_index_as(layout: &Path, text: &[u8], name: &str) {
    let mut entry = index_entry(text);
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
    list_entry(layout, text, entry);
}

fn list_entry(layout: &Path, text: &[u8], entry: Value) {
    fs::write(layout.join("blobs/sha256").join(hex(text)), text).unwrap();
    fs::write(layout.join("index.json"), index(&[entry])).unwrap();
}

/// The answer to a request for an index.
pub(crate) fn index_answer(index: &[u8]) -> Answer {
    Answer::ok(index).header("Content-Type", OCI_INDEX)
}

/// The image that most tests use: two gzip layers, and its program is `/hello`.
pub(crate) fn small() -> Image {
    Image::new(
        Family::Docker,
        &["/hello"],
        vec![
            Layer::of_files(
                Packing::Gzip,
                &[("etc/motd", b"welcome\n"), ("hello", &[7; 5000])],
            ),
            Layer::of_files(Packing::Gzip, &[("etc/motd", b"hello\n")]),
        ],
    )
}
