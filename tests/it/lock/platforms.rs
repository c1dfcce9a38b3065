//! `hocker lock add`: for which platforms.

use serde_json::Value;

use super::{Place, image, serve, serve_single};
use crate::support::image::{index, index_answer};
use crate::support::scripted_registry::{Registry, get};

/// The platforms of the image `app`.
fn platforms(lock: &Value) -> Vec<&str> {
    let platforms = lock["images"]["app"]["platforms"].as_object().unwrap();
    platforms.keys().map(String::as_str).collect()
}

#[test]
fn only_the_usual_platforms_that_there_are_are_locked() {
    let registry = Registry::start();
    serve(
        &registry,
        "app",
        "latest",
        &[image("linux/amd64", &["a"]), image("linux/s390x", &["b"])],
    );
    let place = Place::new();
    place
        .run(&["add", &format!("{}/app", registry.name())])
        .done();
    let lock = place.valid();
    assert_eq!(
        lock["images"]["app"]["reference"],
        format!("{}/app:latest", registry.name())
    );
    let platforms = platforms(&lock);
    assert_eq!(platforms, ["linux/amd64"]);
}

#[test]
fn what_merely_runs_on_a_usual_platform_is_locked_on_request_alone() {
    let registry = Registry::start();
    let images = [image("linux/amd64", &["a"]), image("linux/arm/v7", &["b"])];
    serve(&registry, "app", "1", &images);
    let place = Place::new();
    let reference = format!("{}/app:1", registry.name());
    for (arguments, expected) in [
        (&["add"][..], &["linux/amd64"][..]),
        (
            &["add", "--platform", "amd64", "--platform", "arm64"],
            &["linux/amd64", "linux/arm64"],
        ),
    ] {
        let arguments: Vec<_> = arguments
            .iter()
            .copied()
            .chain([reference.as_str()])
            .collect();
        place.run(&arguments).done();
        let lock = place.valid();
        assert_eq!(platforms(&lock), expected);
    }
}

#[test]
fn none_of_the_usual_platforms_is_an_error_that_names_those_that_there_are() {
    let registry = Registry::start();
    serve(&registry, "app", "1", &[image("linux/s390x", &["b"])]);
    let place = Place::new();
    let reference = format!("{}/app:1", registry.name());
    place
        .run(&["add", &reference])
        .failed(3)
        .says("available: linux/s390x")
        .says("--platform");
    place
        .run(&["add", "--platform", "linux/s390x", &reference])
        .done();
    place
        .run(&[
            "add",
            "--platform",
            "linux/s390x",
            "--platform",
            "linux/amd64",
            &reference,
        ])
        .failed(3)
        .says("no image for linux/amd64");
    let lock = place.valid();
    assert_eq!(
        lock["images"]["app"]["platforms"]
            .as_object()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn platforms_keep_the_names_that_were_asked_for() {
    let registry = Registry::start();
    serve(
        &registry,
        "app",
        "1",
        &[
            image("linux/arm/v6", &["a"]),
            image("linux/arm64/v8", &["b"]),
        ],
    );
    let place = Place::new();
    let reference = format!("{}/app:1", registry.name());
    place
        .run(&[
            "add",
            "--platform",
            "linux/arm/v7",
            "--platform",
            "linux/aarch64",
            &reference,
        ])
        .done();
    let lock = place.valid();
    let platforms = platforms(&lock);
    assert_eq!(platforms, ["linux/arm/v7", "linux/arm64"]);
}

#[test]
fn an_image_without_an_index_is_for_the_platform_of_its_configuration() {
    let registry = Registry::start();
    let single = image("linux/riscv64", &["a"]);
    serve_single(&registry, "app", "1", &single);
    let place = Place::new();
    let reference = format!("{}/app:1", registry.name());
    place.run(&["add", &reference]).done();
    let app = &place.valid()["images"]["app"];
    assert!(app.get("index").is_none(), "{app}");
    assert_eq!(
        app["platforms"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["linux/riscv64"]
    );
    place
        .run(&["add", "--platform", "linux/amd64", &reference])
        .failed(3)
        .says("linux/riscv64");
}

#[test]
fn the_only_image_of_an_index_that_names_no_platform_is_for_that_of_its_configuration() {
    let registry = Registry::start();
    let only = image("linux/arm64", &["a"]);
    let mut entry = only.descriptor();
    entry.as_object_mut().unwrap().remove("platform");
    serve_single(&registry, "app", &only.digest(), &only);
    registry.on(
        get("/v2/app/manifests/1").repeatedly(),
        index_answer(&index(&[entry])),
    );
    let place = Place::new();
    place
        .run(&["add", &format!("{}/app:1", registry.name())])
        .done();
    let app = &place.valid()["images"]["app"];
    assert_eq!(
        app["platforms"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["linux/arm64"]
    );
}
