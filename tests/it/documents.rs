//! Documents as others write them: what could be read in two ways is refused, and what is only odd is taken.

use std::fs;

use serde_json::{Value, json};

use crate::support::hocker::hocker;
use crate::support::image::{Image, hex, index, index_answer, small};
use crate::support::scripted_registry::{Registry, get};

/// A text with something put before a key.
fn before(text: &[u8], key: &str, inserted: &str) -> Vec<u8> {
    let text = str::from_utf8(text).unwrap();
    assert!(text.contains(key), "{key} is not in {text}");
    text.replacen(key, &format!("{inserted}{key}"), 1)
        .into_bytes()
}

/// What `command` says of an image that is edited.
fn refused(command: &str, image: &Image) {
    let registry = Registry::start();
    image.serve_manifest(&registry, "app", "1");
    if command == "config" {
        image.serve_config(&registry, "app");
    }
    hocker([command, &format!("{}/app:1", registry.name())])
        .run()
        .failed(5)
        .says("programs could read it in different ways");
}

#[test]
fn a_manifest_that_clients_in_go_read_differently_is_refused() {
    for (key, inserted) in [
        (r#""layers""#, r#""Layers":[],"#),
        (r#""layers""#, r#""layer\u017f":[],"#),
        (r#""layers""#, r#""layers":[],"#),
        (r#""config""#, r#""CONFIG":{},"#),
        (r#""schemaVersion""#, r#""SchemaVersion":1,"#),
        (r#""mediaType""#, r#""mediatype":"","#),
        (r#""config""#, r#""Manifests":[],"#),
        (r#""config""#, r#""fslayers":[],"#),
        // In a descriptor.
        (r#""digest""#, r#""Digest":"","#),
        (r#""size""#, r#""\u017fize":1,"#),
        (r#""size""#, r#""URLs":[],"#),
    ] {
        let mut image = small();
        image.manifest = before(&image.manifest, key, inserted);
        refused("manifest", &image);
    }
    // One that stands alone is read by clients in Go, and by no others.
    let mut image = small();
    let text = str::from_utf8(&image.manifest).unwrap();
    image.manifest = text.replace("\"layers\"", "\"Layers\"").into_bytes();
    refused("manifest", &image);
}

#[test]
fn an_index_that_clients_in_go_read_differently_is_refused_even_in_an_entry_that_nobody_chooses() {
    let (image, mut other) = (small(), small().descriptor());
    other["platform"] = json!({"os": "linux", "architecture": "s390x"});
    let text = index(&[image.descriptor(), other]);
    for (key, inserted) in [
        (r#""manifests""#, r#""Manifests":[],"#),
        (r#""manifests""#, r#""LAYERS":[],"#),
        (r#""digest""#, r#""DIGEST":"","#),
        (r#""platform""#, r#""Platform":{},"#),
        (r#""architecture": "s390x""#, r#""Architecture":"amd64","#),
        (r#""os""#, r#""o\u017f":"windows","#),
        (r#""os""#, r#""variant":"v1","variant":"v2","#),
    ] {
        let registry = Registry::start();
        registry.on(
            get("/v2/app/manifests/1"),
            index_answer(&before(&text, key, inserted)),
        );
        let reference = format!("{}/app:1", registry.name());
        hocker(["manifest", "--platform", "linux/amd64", &reference])
            .run()
            .failed(5)
            .says("programs could read it in different ways");
    }
}

#[test]
fn a_configuration_that_clients_in_go_read_differently_is_refused() {
    for (key, inserted) in [
        (r#""rootfs""#, r#""RootFS":{},"#),
        (r#""diff_ids""#, r#""Diff_IDs":[],"#),
        (r#""diff_ids""#, r#""diff_ids":[],"#),
        (r#""os""#, r#""OS":"windows","#),
        (r#""config""#, r#""Config":{},"#),
    ] {
        let mut image = small();
        let config = before(&image.config, key, inserted);
        let mut manifest: Value = serde_json::from_slice(&image.manifest).unwrap();
        manifest["config"]["size"] = json!(config.len());
        manifest["config"]["digest"] = json!(format!("sha256:{}", hex(&config)));
        image.manifest = serde_json::to_vec(&manifest).unwrap();
        image.config = config;
        refused("config", &image);
    }
}

#[test]
fn a_layout_that_clients_in_go_read_differently_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let layout = directory.path().join("layout");
    small().write_layout(&layout, "1");
    let path = layout.join("index.json");
    let text = before(
        &fs::read(&path).unwrap(),
        r#""manifests""#,
        r#""Manifests":[],"#,
    );
    fs::write(&path, text).unwrap();
    hocker(["image", "--out", "x", "./layout"])
        .in_directory(directory.path())
        .run()
        .failed(5)
        .says("index.json")
        .says("`Manifests` is `manifests` to clients that are written in Go");
}

#[test]
fn keys_that_no_program_knows_may_be_there_in_any_case_and_twice() {
    let registry = Registry::start();
    let mut image = small();
    image.manifest = before(
        &image.manifest,
        r#""config""#,
        r#""annotations":{"a":"1","A":"2"},"Other":1,"other":2,"other":3,"#,
    );
    image.serve_manifest(&registry, "app", "1");
    hocker(["manifest", &format!("{}/app:1", registry.name())])
        .run()
        .done();
}
