//! Exit codes: the same fault ends the program with the same code, wherever the document comes from.

use std::fs;

use serde_json::Value;

use crate::lock::Place;
use crate::support::hocker::hocker;
use crate::support::image::{Image, hex, small};
use crate::support::scripted_registry::Registry;

/// An image with this text as its manifest.
fn with_manifest(manifest: String) -> Image {
    let mut image = small();
    image.manifest = manifest.into_bytes();
    image
}

/// The exit code and the error for an image that `hocker image` copies from a registry.
fn from_a_registry(image: &Image) -> (i32, String) {
    let registry = Registry::start();
    image.serve_manifest(&registry, "app", "1");
    let directory = tempfile::tempdir().unwrap();
    let outcome = hocker(["image", "--out", "x", &format!("{}/app:1", registry.name())])
        .in_directory(directory.path())
        .run();
    (outcome.code.unwrap(), outcome.stderr)
}

/// The same for a layout on disk, through each command that reads one.
fn from_disk(image: &Image) -> Vec<(i32, String)> {
    let directory = tempfile::tempdir().unwrap();
    image.write_layout(&directory.path().join("layout"), "app:1");
    [
        &["image", "--out", "x", "./layout"][..],
        &["serve", "--listen", "127.0.0.1:0", "./layout"],
    ]
    .into_iter()
    .map(|arguments| {
        let outcome = hocker(arguments).in_directory(directory.path()).run();
        (outcome.code.unwrap(), outcome.stderr)
    })
    .collect()
}

/// The same for a file that `docker2nix` reads.
fn from_a_file(image: &Image) -> (i32, String) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("manifest.json"), &image.manifest).unwrap();
    let outcome = hocker(["docker2nix", "--manifest", "manifest.json", "app:1"])
        .in_directory(directory.path())
        .run();
    (outcome.code.unwrap(), outcome.stderr)
}

/// The same for a lock file.
fn from_a_lock(image: &Image) -> (i32, String) {
    let registry = Registry::start();
    small().serve_manifest(&registry, "app", "1");
    small().serve_config(&registry, "app");
    let place = Place::new();
    place
        .run(&["add", &format!("{}/app:1", registry.name())])
        .done();
    let mut lock = place.valid();
    let manifest = &mut lock["images"]["app"]["platforms"]["linux/amd64"]["manifest"];
    assert!(manifest.is_string(), "{lock:#}");
    *manifest = Value::from(str::from_utf8(&image.manifest).unwrap());
    place.write(&format!("{lock:#}"));
    let outcome = place.run(&["list"]);
    (outcome.code.unwrap(), outcome.stderr)
}

#[test]
fn an_unusable_manifest_has_one_exit_code_wherever_it_comes_from() {
    let sound = String::from_utf8(small().manifest).unwrap();
    for (what, manifest, code) in [
        (
            "it can be read in two ways",
            sound.replacen("\"layers\"", "\"Layers\":[],\"layers\"", 1),
            5,
        ),
        (
            "it contradicts itself",
            sound.replacen("\"layers\"", "\"manifests\":[],\"layers\"", 1),
            5,
        ),
        ("it is a web page", "<html></html>".to_owned(), 7),
        (
            "it is of schema 1",
            r#"{"schemaVersion":1,"name":"app","tag":"1","fsLayers":[]}"#.to_owned(),
            7,
        ),
    ] {
        assert_ne!(manifest, sound, "{what}");
        let image = with_manifest(manifest);
        let mut found = from_disk(&image);
        found.extend([
            from_a_registry(&image),
            from_a_file(&image),
            from_a_lock(&image),
        ]);
        for (exit, stderr) in found {
            assert_eq!(exit, code, "{what}: {stderr}");
        }
    }
}

#[test]
fn a_wrong_digest_is_shown_as_nix_writes_it_wherever_the_content_comes_from() {
    let image = small();
    let directory = tempfile::tempdir().unwrap();
    let layout = directory.path().join("layout");
    image.write_layout(&layout, "app:1");
    let layer = layout.join("blobs/sha256").join(hex(&image.layers[0].blob));
    let mut blob = fs::read(&layer).unwrap();
    *blob.last_mut().unwrap() ^= 1;
    fs::write(layer, blob).unwrap();
    for format in ["docker-archive", "docker-save", "oci-archive", "oci-dir"] {
        hocker(["image", "--format", format, "--out", "x", "./layout"])
            .in_directory(directory.path())
            .run()
            .failed(5)
            .says("specified: sha256-")
            .says("      got: sha256-");
    }
}
