//! `hocker lock`: what is asked for, what is written, and what becomes of files that are not right.

mod add; // names, and what is fetched
mod available; // whether what is pinned is still there
mod compose; // the images of a Compose file
mod follow; // patterns of tags
mod format; // the file: its schema, and what is refused
mod graph; // which layers are shared
mod moving; // a repository whose tags move
mod platforms; // for which platforms images are added
mod report; // the page for a browser
mod signers; // signers that images must have, and the proofs beside the file
mod update; // update and check: what is asked again, and what is told of it
mod waiting; // what is new has to wait
mod writers; // two at once, interrupted ones, and places that cannot be written

use std::fs;
use std::path::PathBuf;

use boon::{Compiler, Schemas};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::hocker::{Outcome, Run, hocker};
use crate::support::image::{Family, Image, Layer, Packing, index, index_answer};
use crate::support::scripted_registry::{Answer, Registry, get, head};

/// A directory with a lock file, or without one.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// `hocker lock ARGUMENT…` there.
    pub(crate) fn lock(&self, arguments: &[&str]) -> Run {
        hocker(["lock"])
            .arguments(arguments)
            .in_directory(self.directory.path())
    }

    /// The same, to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.lock(arguments).run()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("docker-images.lock.json")
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    pub(crate) fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }

    /// The lock file's content, which must be what the schema says.
    #[track_caller]
    pub(crate) fn valid(&self) -> Value {
        valid(&self.text())
    }
}

/// A lock file's content, which must be what the schema says.
#[track_caller]
pub(crate) fn valid(text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap();
    if let Err(error) = against_schema(&value) {
        panic!("{error}\n{text}");
    }
    value
}

/// What the schema says of a document.
pub(crate) fn against_schema(value: &Value) -> Result<(), String> {
    let schema: Value =
        serde_json::from_str(include_str!("../../../src/lock/schema.json")).unwrap();
    let mut compiler = Compiler::new();
    compiler.add_resource("lock.json", schema).unwrap();
    let mut schemas = Schemas::new();
    let index = compiler.compile("lock.json", &mut schemas).unwrap();
    schemas
        .validate(value, index)
        .map_err(|error| error.to_string())
}

/// An image for a platform, with layers of these contents.
pub(crate) fn image(platform: &str, layers: &[&str]) -> Image {
    let layers = layers
        .iter()
        .map(|content| Layer::of_files(Packing::Gzip, &[("file", content.as_bytes())]))
        .collect();
    let mut parts = platform.split('/');
    let mut fields = json!({"os": parts.next().unwrap(), "architecture": parts.next().unwrap()});
    if let Some(variant) = parts.next() {
        fields["variant"] = json!(variant);
    }
    Image::for_platform(Family::Oci, &fields, &[platform], layers)
}

/// An index of images.
pub(crate) fn index_of(images: &[Image]) -> Vec<u8> {
    index(&images.iter().map(Image::descriptor).collect::<Vec<_>>())
}

/// Whatever can be asked of an index and the images in it. Layers are never asked for.
pub(crate) fn serve(registry: &Registry, repository: &str, tag: &str, images: &[Image]) {
    let index = index_of(images);
    let digest = crate::support::image::digest(&index);
    let answer = index_answer(&index).header("Docker-Content-Digest", &digest);
    let target = format!("/v2/{repository}/manifests/{tag}");
    registry.on(head(&target).perhaps(), answer.clone());
    registry.on(get(&target).perhaps(), answer);
    for image in images {
        serve_parts(registry, repository, image);
    }
}

/// Whatever can be asked of an image that is not in an index.
pub(crate) fn serve_single(registry: &Registry, repository: &str, tag: &str, image: &Image) {
    let target = format!("/v2/{repository}/manifests/{tag}");
    registry.on(head(&target).perhaps(), image.manifest_answer());
    registry.on(get(&target).perhaps(), image.manifest_answer());
    serve_parts(registry, repository, image);
}

fn serve_parts(registry: &Registry, repository: &str, image: &Image) {
    registry.on(
        get(format!("/v2/{repository}/manifests/{}", image.digest())).perhaps(),
        image.manifest_answer(),
    );
    registry.on(
        get(format!("/v2/{repository}/blobs/{}", image.config_digest())).perhaps(),
        Answer::ok(image.config.clone()),
    );
}

/// The two usual platforms, on a base that they do not share.
pub(crate) fn usual(name: &str) -> Vec<Image> {
    ["linux/amd64", "linux/arm64"]
        .iter()
        .map(|platform| {
            image(
                platform,
                &[&format!("base {platform}"), &format!("{name} {platform}")],
            )
        })
        .collect()
}
