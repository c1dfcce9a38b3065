//! `hocker lock check --available`: whether everything that is pinned is still there.

use serde_json::Value;

use super::{Place, image, index_of, serve, usual};
use crate::support::image::digest;
use crate::support::scripted_registry::{Answer, Registry, Request, get, head};

/// Locks `one` and `two` of a registry, which share a layer.
fn two() -> (Registry, Place) {
    let registry = Registry::start();
    serve(&registry, "one", "1", &usual("one"));
    serve(
        &registry,
        "two",
        "1",
        &[image("linux/amd64", &["base linux/amd64", "two"])],
    );
    let place = Place::new();
    let at = |name: &str| format!("{}/{name}:1", registry.name());
    place.run(&["add", &at("one"), &at("two")]).done();
    (registry, place)
}

/// The same lock for another registry.
fn moved_to(place: &Place, old: &Registry, new: &Registry) {
    place.write(&place.text().replace(&old.name(), &new.name()));
}

#[test]
fn everything_is_asked_for_once_by_its_digest() {
    let (old, place) = two();
    let registry = Registry::start();
    moved_to(&place, &old, &registry);
    registry.on(head("/v2/").and_below().perhaps(), Answer::status(200));
    let before = place.text();
    place.run(&["check", "--available"]).done();
    let mut asked: Vec<_> = registry.requests().iter().map(Request::line).collect();
    let all = asked.len();
    asked.sort();
    asked.dedup();
    // Two indexes, three manifests, three configurations, and five layers, one of them of both.
    assert_eq!((asked.len(), all), (13, 13), "{asked:?}");
    assert!(
        asked
            .iter()
            .all(|line| line.starts_with("HEAD") && line.contains("/sha256:"))
    );
    assert_eq!(place.text(), before);
}

#[test]
fn what_is_gone_is_listed_with_the_images_that_need_it() {
    let (old, place) = two();
    let registry = Registry::start();
    moved_to(&place, &old, &registry);
    let base = image("linux/amd64", &["base linux/amd64"]).layers[0].digest();
    let top = image("linux/amd64", &["two"]).layers[0].digest();
    let index = digest(&index_of(&usual("one")));
    // `one` lacks the base, but `two` has it. Its HEAD is refused, which alone means nothing.
    for repository in ["one", "two"] {
        for path in [
            format!("blobs/{base}"),
            format!("blobs/{top}"),
            format!("manifests/{index}"),
        ] {
            let target = format!("/v2/{repository}/{path}");
            registry.on(head(&target).perhaps(), Answer::status(404));
            if repository == "two" && path.contains(&base) {
                registry.on(get(&target).repeatedly(), Answer::ok("x"));
            } else {
                registry.on(get(&target).perhaps(), Answer::error(404, "BLOB_UNKNOWN"));
            }
        }
    }
    registry.on(head("/v2/").and_below().perhaps(), Answer::status(200));
    let checked = place
        .run(&["check", "--available", "--json"])
        .failed(1)
        .says(&format!(
            "one: the index {index} is gone from {}/one",
            registry.name()
        ))
        .says(&format!(
            "two: the layer {top} is gone from {}/two",
            registry.name()
        ))
        .says("2 of 13 pinned digests are gone, of 2 images");
    let told: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(told["checked"], 13);
    assert_eq!(told["gone"].as_array().unwrap().len(), 2);
    assert!(
        told["gone"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["kind"] == "layer" && one["digest"] == top)
    );
    // One of them alone.
    place
        .run(&["check", "--available", "two"])
        .failed(1)
        .says("1 of 5 pinned digests are gone");
}

#[test]
fn a_registry_that_denies_access_is_a_failure_and_nothing_is_gone() {
    let (old, place) = two();
    let registry = Registry::start();
    moved_to(&place, &old, &registry);
    registry.on(head("/v2/").and_below().perhaps(), Answer::status(403));
    registry.on(
        get("/v2/").and_below().perhaps(),
        Answer::error(403, "DENIED"),
    );
    let checked = place.run(&["check", "--available", "--json"]).failed(4);
    let told: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(told["gone"].as_array().unwrap().len(), 0);
    assert_eq!(told["failed"].as_array().unwrap().len(), 13);
}
