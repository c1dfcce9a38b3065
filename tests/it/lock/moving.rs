//! A repository `app` whose tags move while a test runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use super::{index_of, usual};
use crate::support::image::{digest, index_answer};
use crate::support::scripted_registry::{Answer, Registry, Request, get, head};

/// What the repository has.
#[derive(Default)]
struct Content {
    /// The digests of the tags.
    tags: BTreeMap<String, String>,
    /// Indexes and manifests by digest.
    documents: BTreeMap<String, Answer>,
    blobs: BTreeMap<String, Vec<u8>>,
}

/// The repository.
pub(super) struct Moving {
    pub(super) registry: Registry,
    content: Arc<Mutex<Content>>,
}

impl Moving {
    pub(super) fn start() -> Self {
        let moving = Self {
            registry: Registry::start(),
            content: Arc::default(),
        };
        for expect in [get("/v2/app/"), head("/v2/app/")] {
            let content = Arc::clone(&moving.content);
            let answer = move |request: &Request| {
                answer(
                    &content.lock().unwrap_or_else(PoisonError::into_inner),
                    request,
                )
            };
            moving
                .registry
                .on_each(expect.and_below().perhaps(), answer);
        }
        moving
    }

    /// Pushes the usual images of this name, and gives the digest of their index.
    pub(super) fn push(&self, tag: &str, name: &str) -> String {
        let images = usual(name);
        let index = index_of(&images);
        let digest = digest(&index);
        let mut content = self.content.lock().unwrap();
        let answer = index_answer(&index).header("Docker-Content-Digest", &digest);
        content.documents.insert(digest.clone(), answer);
        for image in &images {
            content
                .documents
                .insert(image.digest(), image.manifest_answer());
            content
                .blobs
                .insert(image.config_digest(), image.config.clone());
            let layers = image.layers.iter();
            content
                .blobs
                .extend(layers.map(|layer| (layer.digest(), layer.blob.clone())));
        }
        content.tags.insert(tag.to_owned(), digest.clone());
        digest
    }

    pub(super) fn delete(&self, tag: &str) {
        self.content.lock().unwrap().tags.remove(tag);
    }

    /// The name of the image, with this after it.
    pub(super) fn image(&self, rest: &str) -> String {
        format!("{}/app{rest}", self.registry.name())
    }

    /// The methods and paths of what was asked since then.
    pub(super) fn since(&self, count: usize) -> Vec<String> {
        let requests = self.registry.requests();
        requests.iter().skip(count).map(Request::line).collect()
    }

    pub(super) fn count(&self) -> usize {
        self.registry.requests().len()
    }
}

fn answer(content: &Content, request: &Request) -> Answer {
    let path = request.path();
    let last = path.rsplit('/').next().unwrap();
    if path.ends_with("/tags/list") {
        let tags: Vec<_> = content.tags.keys().collect();
        return Answer::ok(json!({"name": "app", "tags": tags}).to_string());
    }
    if path.contains("/blobs/") {
        let blob = content.blobs.get(last);
        return blob.map_or_else(
            || Answer::error(404, "BLOB_UNKNOWN"),
            |blob| Answer::ok(blob.clone()),
        );
    }
    let digest = content.tags.get(last).map_or(last, String::as_str);
    let document = content.documents.get(digest);
    document.map_or_else(|| Answer::error(404, "MANIFEST_UNKNOWN"), Clone::clone)
}
