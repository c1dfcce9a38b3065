//! What an argument can name, and which requests it costs.

use serde_json::{Value, json};

use super::{layouts, versions};
use crate::support::hocker::hocker;
use crate::support::image::{Image, blob_answer, blob_path};
use crate::support::scripted_registry::{Answer, Registry, Request, get, head};

/// Whatever can be asked of an image under a tag.
fn serve(registry: &Registry, tag: &str, image: &Image) {
    let of = |reference: &str| format!("/v2/app/manifests/{reference}");
    registry.on(head(of(tag)).perhaps(), image.manifest_answer());
    registry.on(get(of(tag)).perhaps(), image.manifest_answer());
    registry.on(get(of(&image.digest())).perhaps(), image.manifest_answer());
    let config = blob_path("app", &image.config_digest());
    registry.on(get(config).perhaps(), Answer::ok(image.config.clone()));
    for layer in &image.layers {
        let path = blob_path("app", &layer.digest());
        registry.on(get(path).perhaps(), blob_answer(&layer.blob));
    }
}

fn paths(registry: &Registry) -> Vec<String> {
    registry.requests().iter().map(Request::line).collect()
}

#[test]
fn references_cost_manifests_and_configs_and_layers_only_on_request() {
    let images = versions();
    let registry = Registry::start();
    serve(&registry, "1", &images[0]);
    serve(&registry, "2", &images[1]);
    let name = registry.name();
    let (old, new) = (
        format!("{name}/app:1"),
        format!("{name}/app@{}", images[1].digest()),
    );
    let text = hocker(["diff", &old, &new]).run().done().text();
    assert!(text.contains("layers: 1 new, 1 gone, 1 kept"), "{text}");
    assert!(text.contains("note: packages are not compared"), "{text}");
    assert!(!text.contains("packages: "), "{text}");
    let asked = paths(&registry);
    assert_eq!(asked.len(), 4, "{asked:?}");

    let before = registry.requests().len();
    let text = hocker(["diff", &old, &new, "--fetch"]).run().done().text();
    assert!(text.contains("~ libc6 2.36-9 → 2.36-10"), "{text}");
    let layers: Vec<_> = paths(&registry).split_off(before);
    let fetched = |layer: usize, image: &Image| {
        let line = format!("GET {}", blob_path("app", &image.layers[layer].digest()));
        layers.iter().filter(|asked| **asked == line).count()
    };
    assert_eq!(
        fetched(0, &images[0]),
        1,
        "both images have this layer\n{layers:?}"
    );
    assert_eq!((fetched(1, &images[0]), fetched(1, &images[1])), (1, 1));
}

#[test]
fn a_layout_is_compared_with_a_registry() {
    let images = versions();
    let registry = Registry::start();
    serve(&registry, "2", &images[1]);
    let directory = layouts(&images);
    let new = format!("{}/app:2", registry.name());
    let run = |arguments: &[&str]| {
        hocker(["diff", "./old#app:old"])
            .arguments(arguments)
            .in_directory(directory.path())
            .run()
    };
    let text = run(&[&new, "--fetch"]).done().text();
    assert!(text.contains("+ curl 8.0"), "{text}");
    run(&["./old#other"])
        .failed(3)
        .says("has no image named other");
    run(&["./none"]).failed(3).says("./none does not exist");
}

#[test]
fn entries_of_lock_files_are_compared() {
    let images = versions();
    let registry = Registry::start();
    serve(&registry, "1", &images[0]);
    serve(&registry, "2", &images[1]);
    let name = registry.name();
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        hocker(arguments.iter())
            .in_directory(directory.path())
            .run()
    };
    run(&[
        "lock",
        "add",
        &format!("old={name}/app:1"),
        &format!("new={name}/app:2"),
    ])
    .done();
    for (from, to) in [
        ("#old", "#new"),
        (
            "docker-images.lock.json#old",
            "./docker-images.lock.json#new",
        ),
        ("#old", &format!("{name}/app:2")),
    ] {
        let outcome = run(&["diff", from, to, "--json"]).done();
        let value: Value = serde_json::from_slice(&outcome.stdout).unwrap();
        assert_eq!(value["from"]["version"], "1.1.4", "{from} {to}");
        assert_eq!(value["to"]["version"], "1.1.5", "{from} {to}");
        assert_eq!(value["config"]["volumes"]["added"], json!(["/data"]));
    }
    run(&["diff", "#old", "#none"])
        .failed(3)
        .says("cannot find the image none in docker-images.lock.json");
    run(&["diff", "docker-images.lock.json#", "#old"]).failed(3);
    run(&["diff", "#old", "#new", "--platform", "linux/riscv64"])
        .failed(3)
        .says("cannot select a platform of #old")
        .says("available: linux/amd64");
}

#[test]
fn two_platforms_of_one_image_are_compared() {
    let registry = Registry::start();
    let images = super::super::lock::usual("app");
    super::super::lock::serve(&registry, "app", "1", &images);
    let app = format!("{}/app:1", registry.name());
    let run = |platforms: &[&str]| {
        let platforms = platforms
            .iter()
            .flat_map(|platform| ["--platform", platform]);
        hocker(["diff", &app, &app, "--json"])
            .arguments(platforms)
            .run()
    };
    let outcome = run(&["linux/amd64", "linux/arm64"]).done();
    let value: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(value["from"]["platform"], "linux/amd64");
    assert_eq!(value["to"]["platform"], "linux/arm64");
    let outcome = run(&["linux/arm64"]).done();
    let value: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(value["same"], true);
    run(&["linux/a", "linux/b", "linux/c"])
        .failed(2)
        .says("more than two platforms");
}

#[test]
fn a_layer_that_is_wrong_gives_no_output() {
    let images = versions();
    let directory = layouts(&images);
    let hex = images[1].layers[1].hex();
    std::fs::write(
        directory.path().join("new/blobs/sha256").join(hex),
        vec![0; images[1].layers[1].blob.len()],
    )
    .unwrap();
    let outcome = super::diff(directory.path(), &[])
        .failed(5)
        .says("cannot read the packages of ./new");
    assert!(outcome.stdout.is_empty());
}
