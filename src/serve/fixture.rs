//! OCI layouts for the tests of this module.

use std::path::{Path, PathBuf};

use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{HeaderMap, Version};
use serde_json::{Value, json};

use super::answer::{Answer, Body};
use super::catalogue::Catalogue;
use super::error::Error;
use super::names::Naming;
use super::request::Head;
use super::routes;
use crate::oci::digest::Digest;

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const LAYER: &[u8] = b"0123456789";

/// A layout that grows blob by blob.
pub(super) struct LayoutFixture {
    directory: tempfile::TempDir,
    index: Vec<Value>,
}

impl LayoutFixture {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let layout = Self {
            directory,
            index: Vec::new(),
        };
        std::fs::create_dir_all(layout.path().join("blobs/sha256")).unwrap();
        layout.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
        layout.write("index.json", br#"{"schemaVersion":2,"manifests":[]}"#);
        layout
    }

    /// A layout with one image of one layer, under this name.
    pub(super) fn with_image(name: &str) -> Self {
        let mut layout = Self::new();
        let manifest = layout.manifest(LAYER);
        layout.list(manifest, name);
        layout
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("layout")
    }

    pub(super) fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.path().join("blobs/sha256").join(digest.hex())
    }

    pub(super) fn write(&self, file: impl AsRef<Path>, content: &[u8]) {
        std::fs::write(self.path().join(file), content).unwrap();
    }

    /// Adds a blob and gives its descriptor.
    pub(super) fn blob(&self, media_type: &str, content: &[u8]) -> Value {
        let digest = Digest::of(content);
        self.write(self.blob_path(&digest), content);
        json!({ "mediaType": media_type, "digest": digest, "size": content.len() })
    }

    /// Adds a manifest of one layer and gives its descriptor.
    pub(super) fn manifest(&self, layer: &[u8]) -> Value {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob("application/vnd.oci.image.config.v1+json", b"{}"),
            "layers": [self.blob("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
        });
        self.blob(MANIFEST, manifest.to_string().as_bytes())
    }

    /// Adds a manifest whose layer is somewhere else, and gives its descriptor.
    pub(super) fn manifest_with_foreign_layer(&self, layer: &[u8]) -> Value {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob("application/vnd.oci.image.config.v1+json", b"{}"),
            "layers": [{
                "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                "digest": Digest::of(layer),
                "size": layer.len(),
                "urls": ["https://example.com/layer"],
            }],
        });
        self.blob(MANIFEST, manifest.to_string().as_bytes())
    }

    /// Adds an index of other documents and gives its descriptor.
    pub(super) fn index(&self, manifests: &[Value]) -> Value {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        self.blob(INDEX, index.to_string().as_bytes())
    }

    /// Lists a document in `index.json` under a full name.
    pub(super) fn list(&mut self, mut descriptor: Value, name: &str) {
        descriptor["annotations"] = json!({ "io.containerd.image.name": name });
        self.index.push(descriptor);
        let index = json!({ "schemaVersion": 2, "manifests": self.index });
        self.write("index.json", index.to_string().as_bytes());
    }

    pub(super) fn open(&self) -> Result<Catalogue, Error> {
        Catalogue::open(&[self.path()], Naming::Short)
    }
}

/// The digest in a descriptor.
pub(super) fn digest_of(descriptor: &Value) -> Digest {
    descriptor["digest"].as_str().unwrap().parse().unwrap()
}

/// The answer to a request for this path.
pub(super) fn ask(
    catalogue: &Catalogue,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut map = HeaderMap::from_iter([(HOST, HeaderValue::from_static("x"))]);
    for (name, value) in headers {
        map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    let head = Head {
        method: &method.parse().unwrap(),
        uri: &path.parse().unwrap(),
        version: Version::HTTP_11,
        headers: &map,
    };
    routes::answer(catalogue, head)
}

/// A field of an answer, empty where it is not there.
pub(super) fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer
        .headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// The body of an answer that is no blob.
pub(super) fn text(answer: &Answer) -> &str {
    match &answer.body {
        Body::Bytes(bytes) => std::str::from_utf8(bytes).unwrap(),
        Body::Blob(..) => panic!("a blob"),
    }
}
