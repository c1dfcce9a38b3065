//! `hocker lock compose`: the images of a Compose file. That they are those that Compose itself names is seen in the
//! second ring.

use std::fs;

use super::{Place, serve_single, usual};
use crate::support::scripted_registry::Registry;

/// Writes a file beside the lock.
fn write(place: &Place, name: &str, text: &str) {
    fs::write(place.path().with_file_name(name), text).unwrap();
}

#[test]
fn the_images_of_a_file_are_locked_and_stay_as_they_are() {
    let registry = Registry::start();
    for (repository, tag) in [("team/web", "2"), ("team/db", "16"), ("other/db", "1")] {
        serve_single(&registry, repository, tag, &usual(repository)[0]);
    }
    let place = Place::new();
    write(
        &place,
        "compose.yaml",
        &format!(
            "services:\n  web:\n    image: ${{REGISTRY}}/team/web:${{WEB:-2}}\n  db:\n    image: {0}/team/db:16\n  \
             other:\n    image: {0}/other/db:1\n  built:\n    build: .\n",
            registry.name()
        ),
    );
    write(&place, ".env", &format!("REGISTRY={}\n", registry.name()));
    place
        .run(&["compose", "compose.yaml"])
        .done()
        .says("built is built from source")
        .says("is called `db-1`");
    let lock = place.valid();
    assert_eq!(
        lock["images"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["db", "db-1", "web"]
    );
    let asked = registry.requests().len();
    place.run(&["compose", "compose.yaml"]).done();
    assert_eq!(
        registry.requests().len(),
        asked,
        "what is locked is `update`'s"
    );
}

#[test]
fn only_the_images_are_printed_on_request() {
    let place = Place::new();
    write(
        &place,
        "compose.yaml",
        "services: {a: {image: 'x:${TAG:-1}'}, b: {image: 'x:${TAG:-1}'}, c: {image: y, profiles: [p]}}",
    );
    let run = |arguments: &[&str]| place.lock(&["compose", "--images"]).arguments(arguments);
    assert_eq!(run(&["compose.yaml"]).run().done().text(), "x:1\n");
    assert_eq!(
        run(&["compose.yaml", "--profile", "p"]).run().done().text(),
        "x:1\ny\n"
    );
    assert_eq!(
        run(&["compose.yaml"])
            .env("COMPOSE_PROFILES", "q,p")
            .run()
            .done()
            .text(),
        "x:1\ny\n"
    );
    assert_eq!(
        run(&["compose.yaml"]).env("TAG", "").run().done().text(),
        "x:1\n"
    );
    assert_eq!(
        run(&["compose.yaml"]).env("TAG", "7").run().done().text(),
        "x:7\n"
    );
    write(&place, "other.env", "TAG=8\n");
    assert_eq!(
        run(&["compose.yaml", "--env-file", "other.env"])
            .run()
            .done()
            .text(),
        "x:8\n"
    );
    assert_eq!(
        run(&["-"])
            .input("services: {a: {image: z}}")
            .run()
            .done()
            .text(),
        "z\n"
    );
    assert!(!place.path().exists());
}

#[test]
fn passwords_of_the_environment_are_not_given_to_a_file() {
    let place = Place::new();
    write(
        &place,
        "compose.yaml",
        "services: {a: {image: 'x:1${DOCKER_TOKEN}${DOCKER_PASS}'}}",
    );
    place
        .lock(&["compose", "--images", "compose.yaml"])
        .env("DOCKER_TOKEN", "hunter2")
        .env("DOCKER_PASS", "hunter2")
        .run()
        .done()
        .never_says("hunter2");
}

#[test]
fn what_is_wrong_with_a_file_is_told() {
    let place = Place::new();
    for (text, says) in [
        ("services: [", "line "),
        ("a: 1", "no `services`"),
        (
            "services: {a: {image: 'x:${TAG:?which}'}}",
            "TAG is needed: which",
        ),
        ("services: {a: {image: 'x:$'}}", "is not a variable"),
    ] {
        write(&place, "compose.yaml", text);
        place
            .run(&["compose", "compose.yaml"])
            .failed(7)
            .says(says)
            .says("compose.yaml");
    }
    write(
        &place,
        "compose.yaml",
        "services: {a: {image: 'https://x/y'}}",
    );
    place
        .run(&["compose", "compose.yaml"])
        .failed(2)
        .says("is a URL");
    place
        .run(&["compose", "missing.yaml"])
        .failed(1)
        .says("missing.yaml");
    write(&place, "compose.yaml", "services: {}");
    place
        .run(&["compose", "compose.yaml", "--env-file", "missing.env"])
        .failed(1)
        .says("missing.env");
    write(&place, ".env", "hunter2 x");
    place
        .run(&["compose", "compose.yaml"])
        .failed(7)
        .says("line 1")
        .never_says("hunter2");
}
