//! OCI layouts for the tests of this module.

use std::ops::Deref;

use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{HeaderMap, Version};
use serde_json::{Value, json};

use super::catalogue::Catalogue;
use super::error::Error;
use super::naming::Naming;
use super::request::RequestHead;
use super::response::{Body, Response};
use super::routes;
use crate::archive::fixture::Layout;
use crate::oci::digest::Digest;

pub(super) use crate::archive::fixture::{INDEX, MANIFEST};

const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(super) const LAYER: &[u8] = b"0123456789";

/// A layout whose images have names.
pub(super) struct LayoutFixture {
    layout: Layout,
    listed: Vec<Value>,
}

/// The methods of all layouts.
impl Deref for LayoutFixture {
    type Target = Layout;

    fn deref(&self) -> &Layout {
        &self.layout
    }
}

impl LayoutFixture {
    pub(super) fn new() -> Self {
        Self {
            layout: Layout::new(),
            listed: Vec::new(),
        }
    }

    /// A layout with one image of one layer, under this name.
    pub(super) fn with_image(name: &str) -> Self {
        let mut layout = Self::new();
        let image = layout.image(LAYER);
        layout.list(image, name);
        layout
    }

    /// Adds an image of one layer and returns its descriptor.
    pub(super) fn image(&self, layer: &[u8]) -> Value {
        self.manifest(b"{}", &[self.blob(LAYER_TYPE, layer)])
    }

    /// Adds an image with a foreign layer, and returns its descriptor.
    pub(super) fn image_with_foreign_layer(&self, layer: &[u8]) -> Value {
        let layer = json!({
            "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "digest": Digest::of(layer),
            "size": layer.len(),
            "urls": ["https://example.com/layer"],
        });
        self.manifest(b"{}", &[layer])
    }

    /// Lists a document in `index.json` under a full name.
    pub(super) fn list(&mut self, mut descriptor: Value, name: &str) {
        descriptor["annotations"] = json!({ "io.containerd.image.name": name });
        self.listed.push(descriptor);
        self.layout.list(&self.listed);
    }

    /// Lists documents in `index.json` without names.
    pub(super) fn list_unnamed(&mut self, descriptors: &[&Value]) {
        self.listed
            .extend(descriptors.iter().map(|entry| (*entry).clone()));
        self.layout.list(&self.listed);
    }

    pub(super) fn open(&self) -> Result<Catalogue, Error> {
        Catalogue::open(&[self.path()], Naming::Short)
    }
}

/// The digest in a descriptor.
pub(super) fn digest_of(descriptor: &Value) -> Digest {
    descriptor["digest"].as_str().unwrap().parse().unwrap()
}

/// The response to a request for this path.
pub(super) fn ask(
    catalogue: &Catalogue,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    let mut map = HeaderMap::from_iter([(HOST, HeaderValue::from_static("x"))]);
    for (name, value) in headers {
        map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    let head = RequestHead {
        method: &method.parse().unwrap(),
        uri: &path.parse().unwrap(),
        version: Version::HTTP_11,
        headers: &map,
    };
    routes::respond(catalogue, head)
}

/// A field of a response, or an empty text.
pub(super) fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// The body of a response that is not a blob.
pub(super) fn text(response: &Response) -> &str {
    match &response.body {
        Body::Bytes(bytes) => std::str::from_utf8(bytes).unwrap(),
        Body::Blob(..) | Body::Multipart(_) => panic!("a blob"),
    }
}
