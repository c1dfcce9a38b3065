//! Layers that registries may not distribute: they come from the URLs in the manifest, without credentials.

use std::fs;

use serde_json::{Value, json};

use super::entries;
use crate::support::files::listing;
use crate::support::hocker::{Run, hocker};
use crate::support::image::{Image, blob_answer, blob_path, small};
use crate::support::scripted_registry::{Answer, Registry, get};

/// The small image, its first layer foreign and to be found at these URLs.
fn foreign(urls: &[String]) -> Image {
    let mut image = small();
    let mut manifest: Value = serde_json::from_slice(&image.manifest).unwrap();
    manifest["layers"][0]["mediaType"] =
        json!("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
    manifest["layers"][0]["urls"] = json!(urls);
    image.manifest = manifest.to_string().into_bytes();
    image
}

/// A registry for ann alone that has all of the image but its first layer.
fn registry_without(image: &Image) -> Registry {
    let registry = Registry::start();
    registry.on(
        get("/v2/app/manifests/1").without("Authorization"),
        Answer::challenge("Basic realm=\"x\""),
    );
    image.serve_manifest(&registry, "app", "1");
    image.serve_config(&registry, "app");
    let blob = |number: usize| get(blob_path("app", &image.layers[number].digest()));
    registry.on(
        blob(0).having("Authorization"),
        Answer::error(404, "BLOB_UNKNOWN"),
    );
    // Where the first fails, the second may not be asked for.
    registry.on(blob(1).perhaps(), blob_answer(&image.layers[1].blob));
    registry
}

fn fetch(registry: &Registry, format: &str, directory: &std::path::Path) -> Run {
    hocker(["image", "--out", "out", "--format", format])
        .arguments(["--username", "ann", "--password", "s3cret"])
        .arguments([format!("{}/app:1", registry.name())])
        .in_directory(directory)
}

#[test]
fn a_foreign_layer_comes_from_its_url_and_nobody_there_hears_a_password() {
    for format in ["docker-archive", "docker-save", "oci-archive"] {
        let elsewhere = Registry::start();
        let lost = "/lost".to_owned();
        let image = foreign(&[
            "http://away.example/layer".to_owned(),
            elsewhere.at(&lost),
            elsewhere.at("/wrong"),
            elsewhere.at("/layer?a=b"),
        ]);
        elsewhere.on(get(lost), Answer::status(404));
        let mut wrong = image.layers[0].blob.clone();
        wrong[10] ^= 1;
        elsewhere.on(get("/wrong"), Answer::ok(wrong));
        elsewhere.on(
            get("/layer?a=b").without("Authorization"),
            Answer::ok(image.layers[0].blob.clone()),
        );
        let registry = registry_without(&image);
        let directory = tempfile::tempdir().unwrap();
        fetch(&registry, format, directory.path()).run().done();
        let files = entries(&fs::read(directory.path().join("out")).unwrap());
        for layer in &image.layers {
            let found = |content: &Vec<u8>| *content == layer.blob || *content == layer.tar;
            assert!(files.iter().any(|(_, content)| found(content)), "{format}");
        }
    }
}

#[test]
fn what_the_registry_has_all_the_same_comes_from_there() {
    let image = foreign(&["https://never.example/layer".to_owned()]);
    let registry = Registry::start();
    image.serve(&registry, "app", "1");
    let directory = tempfile::tempdir().unwrap();
    fetch(&registry, "oci-archive", directory.path())
        .run()
        .done();
}

#[test]
fn a_foreign_layer_that_may_not_be_fetched_is_refused_with_the_reason() {
    for (url, reason) in [
        ("http://away.example/layer", "which is not https"),
        ("ftp://away.example/layer", "which is not https"),
        ("https://169.254.169.254/layer", "an internal address"),
        (
            "https://me:pw@away.example/layer",
            "a URL with a user name or password",
        ),
        ("nonsense", "which is not a URL"),
    ] {
        let image = foreign(&[url.to_owned()]);
        let registry = registry_without(&image);
        let directory = tempfile::tempdir().unwrap();
        fetch(&registry, "docker-archive", directory.path())
            .run()
            .failed(7)
            .says(reason)
            .never_says("pw@");
        assert!(listing(directory.path()).is_empty());
    }
}

#[test]
fn a_foreign_layer_that_is_wrong_or_nowhere_is_told_of_its_own_place() {
    for (answer, code) in [
        (Answer::status(403), 4),
        (Answer::ok("something else"), 5),
        (Answer::redirect(302, "ftp://10.0.0.1/"), 7),
    ] {
        let elsewhere = Registry::start();
        let image = foreign(&[elsewhere.at("/layer")]);
        elsewhere.on(get("/layer"), answer);
        let registry = registry_without(&image);
        let directory = tempfile::tempdir().unwrap();
        fetch(&registry, "oci-archive", directory.path())
            .run()
            .failed(code)
            .says("from 127.0.0.1");
        assert!(listing(directory.path()).is_empty());
    }
}
