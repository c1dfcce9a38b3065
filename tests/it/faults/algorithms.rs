//! Digests of SHA-512: whatever has one is fetched and held against it as what has one of SHA-256 is.

use std::fs;

use serde_json::json;
use sha2::{Digest as _, Sha512};

use super::{Fetch, TOKEN, layer, retries};
use crate::support::files::listing;
use crate::support::hocker::{Run, hocker};
use crate::support::image::{Image, blob_path, hex_of, small};
use crate::support::scripted_registry::{Answer, Registry, get};

fn sha512(bytes: &[u8]) -> String {
    format!("sha512:{}", hex_of(&Sha512::digest(bytes)))
}

/// `hocker layer` for a blob under its digest of SHA-512.
fn fetch_layer(fetch: &Fetch) -> Run {
    let reference = format!("{}/app:1", fetch.registry.name());
    layer(&sha512(&fetch.blob), &reference).in_directory(fetch.directory.path())
}

#[test]
fn a_layer_is_fetched_by_sha512_and_resumed() {
    let fetch = Fetch::new();
    let path = blob_path("app", &sha512(&fetch.blob));
    let last = fetch.blob.len() - 1;
    fetch
        .registry
        .on(
            get(path.clone()).without("Range"),
            Answer::ok(fetch.blob.clone()).close_after(1000),
        )
        .on(
            get(path).with("Range", format!("bytes=1000-{last}")),
            Answer::partial(&fetch.blob, 1000, last),
        );
    let outcome = fetch.arrived(fetch_layer(&fetch).run());
    assert_eq!(retries(&outcome).len(), 1, "{outcome}");
}

#[test]
fn one_flipped_byte_breaks_integrity_by_sha512() {
    let fetch = Fetch::new();
    let path = blob_path("app", &sha512(&fetch.blob));
    let mut wrong = fetch.blob.clone();
    wrong[77] ^= 1;
    fetch.registry.on(get(path), Answer::ok(wrong));
    fetch
        .failed(fetch_layer(&fetch).run(), 5)
        .says(&sha512(&fetch.blob))
        .says("specified: sha512-");
}

#[test]
fn a_digest_of_sha512_that_is_none_is_a_usage_error() {
    let fetch = Fetch::new();
    for text in [
        "sha512:".to_owned(),
        format!("sha512:{}", "0".repeat(64)),
        format!("sha512:{}", "0".repeat(127)),
        format!("sha384:{}", "0".repeat(96)),
    ] {
        let reference = format!("{}/app:1", fetch.registry.name());
        let run = layer(&text, &reference).in_directory(fetch.directory.path());
        fetch.failed(run.run(), 2);
    }
}

/// The small image with digests of SHA-512 all through: its manifest, and its configuration.
fn image() -> Image {
    let mut image = small();
    let mut config: serde_json::Value = serde_json::from_slice(&image.config).unwrap();
    let diff_ids = image.layers.iter().map(|layer| sha512(&layer.tar));
    config["rootfs"]["diff_ids"] = diff_ids.collect();
    image.config = serde_json::to_vec(&config).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&image.manifest).unwrap();
    manifest["config"]["digest"] = json!(sha512(&image.config));
    manifest["config"]["size"] = json!(image.config.len());
    for (entry, layer) in manifest["layers"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .zip(&image.layers)
    {
        entry["digest"] = json!(sha512(&layer.blob));
    }
    image.manifest = serde_json::to_vec(&manifest).unwrap();
    image
}

/// A registry that has the image by tag and by digest.
fn registry(image: &Image, reference: &str) -> Registry {
    let registry = Registry::start();
    registry.on(
        get(format!("/v2/app/manifests/{reference}")),
        Answer::ok(image.manifest.clone()).header("Content-Type", image.media_type),
    );
    registry
}

fn serve_blobs(registry: &Registry, image: &Image) {
    let layers = image.layers.iter().map(|layer| &layer.blob);
    for blob in std::iter::once(&image.config).chain(layers) {
        let path = blob_path("app", &sha512(blob));
        registry.on(get(path), Answer::ok(blob.clone()));
    }
}

#[test]
fn an_image_of_sha512_becomes_a_layout_and_an_archive() {
    let image = image();
    let by_digest = sha512(&image.manifest);
    for (separator, reference) in [(":", "1"), ("@", by_digest.as_str())] {
        for format in ["oci-dir", "docker-archive"] {
            let registry = registry(&image, reference);
            serve_blobs(&registry, &image);
            let directory = tempfile::tempdir().unwrap();
            let name = format!("{}/app{separator}{reference}", registry.name());
            hocker(["image", "--format", format, "--out", "out", &name])
                .env("DOCKER_TOKEN", TOKEN)
                .in_directory(directory.path())
                .run()
                .done()
                .never_says(TOKEN);
            if format == "oci-dir" {
                for layer in &image.layers {
                    let file = sha512(&layer.blob).replace(':', "/");
                    let path = directory.path().join("out/blobs").join(file);
                    assert!(fs::read(path).unwrap() == layer.blob);
                }
            } else {
                let file = fs::File::open(directory.path().join("out")).unwrap();
                let mut archive = tar::Archive::new(file);
                let names: Vec<String> = archive
                    .entries()
                    .unwrap()
                    .map(|entry| entry.unwrap().path().unwrap().display().to_string())
                    .collect();
                for layer in &image.layers {
                    let name = format!("{}.tar", &sha512(&layer.tar)["sha512:".len()..]);
                    assert!(names.contains(&name), "{names:?}");
                }
            }
        }
    }
}

#[test]
fn a_manifest_that_is_not_what_its_sha512_says_breaks_integrity() {
    let image = image();
    let asked = sha512(b"another");
    let registry = registry(&image, &asked);
    let name = format!("{}/app@{asked}", registry.name());
    let outcome = hocker(["manifest", &name]).run().failed(5);
    assert!(outcome.stdout.is_empty(), "{outcome}");
}

#[test]
fn a_flipped_byte_in_an_image_of_sha512_leaves_nothing() {
    let image = image();
    for format in ["oci-dir", "docker-archive"] {
        let registry = registry(&image, "1");
        let layers = image.layers.iter().map(|layer| &layer.blob);
        for (number, blob) in std::iter::once(&image.config).chain(layers).enumerate() {
            let mut blob = blob.clone();
            let path = blob_path("app", &sha512(&blob));
            if number == 1 {
                blob[40] ^= 1;
            }
            registry.on(get(path).perhaps(), Answer::ok(blob));
        }
        let directory = tempfile::tempdir().unwrap();
        let name = format!("{}/app:1", registry.name());
        hocker(["image", "--format", format, "--out", "out", &name])
            .in_directory(directory.path())
            .run()
            .failed(5);
        assert!(listing(directory.path()).is_empty(), "left behind");
    }
}
