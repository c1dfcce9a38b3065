//! Manifests, configurations and whole images on a bad line.

use std::fs;
use std::time::Duration;

use super::{MANIFEST, TOKEN, retries};
use crate::support::files::listing;
use crate::support::hocker::{Run, hocker};
use crate::support::image::{Image, blob_path, digest, small};
use crate::support::scripted_registry::{Answer, Registry, get};

fn image_to_directory(registry: &Registry, directory: &std::path::Path) -> Run {
    let reference = format!("{}/app:1", registry.name());
    hocker(["image", "--format", "oci-dir", "--out", "image", &reference])
        .env("DOCKER_TOKEN", TOKEN)
        .in_directory(directory)
}

fn blobs(image: &Image) -> Vec<Vec<u8>> {
    let layers = image.layers.iter().map(|layer| layer.blob.clone());
    std::iter::once(image.config.clone())
        .chain(layers)
        .collect()
}

#[test]
fn a_manifest_is_asked_for_again_whatever_went_wrong() {
    let image = small();
    let good = image.manifest_answer();
    for fault in [
        Answer::reset_before_head(),
        Answer::close_before_head(),
        Answer::error(500, "UNKNOWN"),
        Answer::error(429, "TOOMANYREQUESTS"),
        good.clone().close_after(10),
        good.clone().reset_after(10),
        good.clone().chunked().close_after(10),
        good.clone().stall_after(10),
        good.clone().dripping(1, 1, Duration::from_millis(300)),
        Answer::stall_before_head(),
    ] {
        let registry = Registry::start();
        registry
            .on(get(MANIFEST).without("Range").times(2), fault)
            .on(get(MANIFEST).without("Range"), good.clone());
        let outcome = hocker(["manifest", &format!("{}/app:1", registry.name())])
            .env("DOCKER_TOKEN", TOKEN)
            .env("HOCKER_STALL_TIMEOUT", "0.5")
            .run()
            .done()
            .never_says(TOKEN);
        assert_eq!(outcome.stdout, image.manifest);
        assert_eq!(retries(&outcome).len(), 2, "{outcome}");
    }
}

#[test]
fn a_manifest_that_never_comes_whole_is_given_up() {
    let registry = Registry::start();
    registry.on(
        get(MANIFEST).repeatedly(),
        small().manifest_answer().close_after(10),
    );
    let outcome = hocker(["manifest", &format!("{}/app:1", registry.name())])
        .env("DOCKER_TOKEN", TOKEN)
        .run()
        .failed(6)
        .never_says(TOKEN);
    assert!(outcome.stdout.is_empty(), "{outcome}");
    assert!(registry.requests().len() <= 25, "it is not given up");
}

/// Each piece comes soon enough and with enough bytes; only the document as a whole never comes.
#[test]
fn a_document_that_drips_is_given_up_as_a_whole() {
    let registry = Registry::start();
    registry.on(
        get(MANIFEST),
        small()
            .manifest_answer()
            .dripping(0, 10, Duration::from_millis(100)),
    );
    let outcome = hocker(["manifest", &format!("{}/app:1", registry.name())])
        .env("DOCKER_TOKEN", TOKEN)
        .env("HOCKER_STALL_TIMEOUT", "0.5")
        .env("HOCKER_RETRIES", "0")
        .run()
        .failed(6)
        .says("is not complete after");
    assert!(outcome.stdout.is_empty(), "{outcome}");
}

#[test]
fn an_image_arrives_whole_though_each_of_its_blobs_breaks_off() {
    let image = small();
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    registry.on(get(MANIFEST), image.manifest_answer());
    for blob in blobs(&image) {
        let path = blob_path("app", &digest(&blob));
        let last = blob.len() - 1;
        registry
            .on(
                get(path.clone()).without("Range"),
                Answer::ok(blob.clone()).close_after(50),
            )
            .on(
                get(path).with("Range", format!("bytes=50-{last}")),
                Answer::partial(&blob, 50, last),
            );
    }
    image_to_directory(&registry, directory.path())
        .run()
        .done()
        .never_says(TOKEN);
    for blob in blobs(&image) {
        let hex = crate::support::image::hex(&blob);
        let path = directory.path().join("image/blobs/sha256").join(hex);
        assert!(fs::read(path).unwrap() == blob);
    }
}

#[test]
fn an_image_of_which_one_blob_never_comes_is_absent() {
    let image = small();
    for missing in 0..3 {
        let registry = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        registry.on(get(MANIFEST), image.manifest_answer());
        for (number, blob) in blobs(&image).into_iter().enumerate() {
            let answer = if number == missing {
                Answer::ok(blob.clone()).close_after(0)
            } else {
                Answer::ok(blob.clone())
            };
            let path = blob_path("app", &digest(&blob));
            registry.on(get(path).perhaps(), answer);
        }
        image_to_directory(&registry, directory.path())
            .run()
            .failed(6)
            .never_says(TOKEN);
        assert!(listing(directory.path()).is_empty(), "left behind");
    }
}

#[test]
fn a_length_other_than_the_descriptors_breaks_integrity_at_once() {
    let image = small();
    for change in [-1i64, 1] {
        for number in 0..3 {
            let registry = Registry::start();
            let directory = tempfile::tempdir().unwrap();
            registry.on(get(MANIFEST), image.manifest_answer());
            for (own, blob) in blobs(&image).into_iter().enumerate() {
                let path = blob_path("app", &digest(&blob));
                let length = blob.len() as u64;
                let answer = Answer::ok(blob);
                // One request, for it is not tried again.
                if own == number {
                    let length = length.checked_add_signed(change).unwrap();
                    registry.on(get(path), answer.content_length(length));
                } else {
                    registry.on(get(path).perhaps(), answer);
                }
            }
            image_to_directory(&registry, directory.path())
                .run()
                .failed(5)
                .never_says(TOKEN);
            assert!(listing(directory.path()).is_empty(), "left behind");
        }
    }
}
