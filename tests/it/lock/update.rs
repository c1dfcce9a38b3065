//! `hocker lock update` and `check`: what is asked again, and what is told of it.

use std::os::unix::fs::MetadataExt as _;

use serde_json::Value;

use super::{Place, image, index_of, serve, serve_single, usual};
use crate::support::image::{digest, index_answer};
use crate::support::scripted_registry::{Answer, Registry, Request, get, head};

/// Locks the usual image `app` of a registry that has nothing else, and forgets the registry.
fn locked(registry: &Registry, place: &Place) {
    place
        .run(&["add", &format!("{}/app:1", registry.name())])
        .done();
}

/// The methods and paths of what was asked since then.
fn since(registry: &Registry, count: usize) -> Vec<String> {
    registry
        .requests()
        .iter()
        .skip(count)
        .map(Request::line)
        .collect()
}

#[test]
fn what_has_not_moved_costs_one_head_request_and_no_write() {
    let registry = Registry::start();
    serve(&registry, "app", "1", &usual("app"));
    let place = Place::new();
    locked(&registry, &place);
    let (before, count) = (place.text(), registry.requests().len());
    let written = std::fs::metadata(place.path()).unwrap();
    let outcome = place
        .run(&["update", "--commit-message"])
        .done()
        .says("0 changed, 1 unchanged");
    assert!(outcome.stdout.is_empty(), "{outcome}");
    place.run(&["check"]).done();
    assert_eq!(
        since(&registry, count),
        ["HEAD /v2/app/manifests/1", "HEAD /v2/app/manifests/1"]
    );
    assert_eq!(place.text(), before);
    assert_eq!(
        std::fs::metadata(place.path()).unwrap().ino(),
        written.ino(),
        "it was written again"
    );
}

/// A registry on which a tag stands for one thing at first, and for another after so many requests for it.
fn moving(old: &[super::Image], new: &[super::Image], gets: usize, heads: usize) -> Registry {
    let registry = Registry::start();
    let target = "/v2/app/manifests/1";
    for (images, last) in [(old, false), (new, true)] {
        let index = index_of(images);
        let answer = index_answer(&index).header("Docker-Content-Digest", digest(&index));
        if last {
            registry.on(get(target).perhaps(), answer.clone());
            registry.on(head(target).perhaps(), answer);
        } else {
            registry.on(get(target).times(gets), answer.clone());
            if heads > 0 {
                registry.on(head(target).times(heads), answer);
            }
        }
        for image in images {
            super::serve_parts(&registry, "app", image);
        }
    }
    registry
}

#[test]
fn a_tag_that_moved_is_told_with_its_new_layers_and_what_they_cost() {
    let old = usual("app");
    // On one platform another top layer, the same on the other.
    let new = vec![
        image("linux/amd64", &["base linux/amd64", "new"]),
        old[1].clone(),
    ];
    let registry = moving(&old, &new, 1, 1);
    let place = Place::new();
    locked(&registry, &place);
    let before = place.text();
    place.run(&["check"]).done();
    let count = registry.requests().len();
    let checked = place
        .run(&["check", "--json"])
        .failed(1)
        .says("1 of 1 images have moved");
    let checked: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(checked["moved"][0]["from"], digest(&index_of(&old)));
    assert_eq!(checked["moved"][0]["to"], digest(&index_of(&new)));
    // What a HEAD says may be wrong, so that a move is made sure of.
    assert_eq!(
        since(&registry, count),
        ["HEAD /v2/app/manifests/1", "GET /v2/app/manifests/1"]
    );
    assert_eq!(place.text(), before);

    let count = registry.requests().len();
    let outcome = place
        .run(&["update", "--json"])
        .done()
        .says("1 of 2 layers new")
        .says("unchanged");
    let mut asked = since(&registry, count);
    asked.sort();
    let mut expected = [
        "HEAD /v2/app/manifests/1".to_owned(),
        "GET /v2/app/manifests/1".to_owned(),
        // Nothing of the platform that is as it was.
        format!("GET /v2/app/manifests/{}", new[0].digest()),
        format!("GET /v2/app/blobs/{}", new[0].config_digest()),
    ];
    expected.sort();
    assert_eq!(asked, expected);
    let told: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    let change = &told["changed"][0];
    assert_eq!(change["from"], digest(&index_of(&old)));
    assert_eq!(change["to"], digest(&index_of(&new)));
    let amd64 = &change["platforms"]["linux/amd64"];
    let cost = new[0].layers[1].blob.len() + new[0].config.len();
    assert_eq!(amd64["fetch"], cost);
    assert_eq!(amd64["layers"][0]["new"], false);
    assert_eq!(amd64["layers"][1]["new"], true);
    assert_eq!(amd64["layers"][1]["digest"], new[0].layers[1].digest());
    assert_eq!(change["platforms"]["linux/arm64"]["fetch"], 0);
    assert_eq!(told["fetch"]["linux/amd64"], cost);
    assert!(told["fetch"].get("linux/arm64").is_none());

    // The file is changed where the image changed, and nowhere else.
    place.valid();
    let after = place.text();
    let changed = before
        .lines()
        .zip(after.lines())
        .filter(|(old, new)| old != new)
        .count();
    assert_eq!(
        changed, 5,
        "index, its text, manifest, configuration and one layer\n{before}\n{after}"
    );
}

#[test]
fn the_message_of_a_commit_says_what_moved() {
    let old = usual("app");
    let new = usual("new");
    let registry = moving(&old, &new, 1, 0);
    let place = Place::new();
    locked(&registry, &place);
    let message = place.run(&["update", "--commit-message"]).done().text();
    let mut lines = message.lines();
    assert_eq!(lines.next(), Some("Update app"));
    assert_eq!(lines.next(), Some(""));
    assert!(
        message.contains(&format!("  - {}\n", digest(&index_of(&old)))),
        "{message}"
    );
    assert!(
        message.contains(&format!("  + {}\n", digest(&index_of(&new)))),
        "{message}"
    );
    assert!(
        message.contains("  linux/amd64: 1 of 2 layers new"),
        "{message}"
    );
}

#[test]
fn a_layer_that_another_locked_image_has_is_not_fetched_again() {
    let registry = Registry::start();
    serve(&registry, "one", "1", &[image("linux/amd64", &["base"])]);
    serve(
        &registry,
        "two",
        "1",
        &[image("linux/amd64", &["base", "top"])],
    );
    let place = Place::new();
    place
        .run(&["add", &format!("{}/one:1", registry.name())])
        .done();
    place
        .run(&["add", &format!("{}/two:1", registry.name())])
        .done()
        .says("1 of 2 layers new");
}

#[test]
fn images_that_fail_keep_their_pins_and_the_others_are_updated() {
    let registry = Registry::start();
    for name in ["a", "b", "c"] {
        let old = usual(name);
        let (old_index, new) = (index_of(&old), usual(&format!("new {name}")));
        let target = format!("/v2/{name}/manifests/1");
        registry.on(get(&target), index_answer(&old_index));
        for image in &old {
            super::serve_parts(&registry, name, image);
        }
        if name == "b" {
            registry.on(head(&target), Answer::status(404));
            registry.on(get(&target), Answer::error(404, "MANIFEST_UNKNOWN"));
        } else {
            serve(&registry, name, "1", &new);
        }
    }
    let place = Place::new();
    let at = |name: &str| format!("{}/{name}:1", registry.name());
    place.run(&["add", &at("a"), &at("b"), &at("c")]).done();
    let before = place.valid();
    place
        .run(&["update"])
        .failed(3)
        .says("cannot update b (")
        .says("2 changed, 0 unchanged, 1 failed");
    let after = place.valid();
    assert_eq!(after["images"]["b"], before["images"]["b"]);
    for name in ["a", "c"] {
        assert_ne!(after["images"][name], before["images"][name]);
    }
}

#[test]
fn names_choose_what_is_updated_and_unknown_ones_are_an_error() {
    let registry = Registry::start();
    for name in ["a", "b"] {
        serve(&registry, name, "1", &usual(name));
    }
    let place = Place::new();
    let at = |name: &str| format!("{}/{name}:1", registry.name());
    place.run(&["add", &at("a"), &at("b")]).done();
    let count = registry.requests().len();
    place.run(&["update", "b"]).done();
    assert_eq!(since(&registry, count), ["HEAD /v2/b/manifests/1"]);
    for command in ["update", "check", "remove"] {
        place
            .run(&[command, "b", "x"])
            .failed(3)
            .says("cannot find the image x")
            .says("hocker lock list");
    }
    place.run(&["remove", "b"]).done();
    assert_eq!(place.valid()["images"].as_object().unwrap().len(), 1);
}

#[test]
fn a_registry_that_does_not_say_digests_is_asked_for_the_document() {
    for answer in [
        Answer::status(200),
        Answer::status(200).header("Docker-Content-Digest", "md5:0"),
        Answer::status(200).header(
            "Docker-Content-Digest",
            format!("sha512:{}", "0".repeat(128)),
        ),
        Answer::status(400),
        Answer::status(403),
        Answer::status(404),
        Answer::status(405),
    ] {
        let registry = Registry::start();
        let images = usual("app");
        registry.on(head("/v2/app/manifests/1").repeatedly(), answer);
        serve(&registry, "app", "1", &images);
        let place = Place::new();
        locked(&registry, &place);
        let count = registry.requests().len();
        place.run(&["check"]).done();
        place.run(&["update"]).done().says("0 changed");
        let asked = since(&registry, count);
        assert_eq!(
            asked.iter().filter(|line| line.starts_with("GET")).count(),
            2,
            "{asked:?}"
        );
    }
}

#[test]
fn a_digest_that_the_header_gets_wrong_moves_nothing() {
    let registry = Registry::start();
    let wrong = digest(b"something else");
    registry.on(
        head("/v2/app/manifests/1").repeatedly(),
        Answer::status(200).header("Docker-Content-Digest", wrong),
    );
    serve(&registry, "app", "1", &usual("app"));
    let place = Place::new();
    locked(&registry, &place);
    let before = place.text();
    place.run(&["check"]).done();
    place.run(&["update"]).done().says("0 changed");
    assert_eq!(place.text(), before);
}

#[test]
fn a_platform_that_is_gone_keeps_the_old_pin() {
    let old = usual("app");
    let registry = moving(&old, &old[..1], 1, 0);
    let place = Place::new();
    locked(&registry, &place);
    let before = place.text();
    place
        .run(&["update"])
        .failed(3)
        .says("no image for linux/arm64");
    assert_eq!(place.text(), before);
}

#[test]
fn a_busy_registry_is_left_alone_for_as_long_as_it_asks() {
    let registry = Registry::start();
    let target = "/v2/app/manifests/1";
    serve_single(&registry, "app", "1", &image("linux/amd64", &["a"]));
    let place = Place::new();
    locked(&registry, &place);
    let busy = Registry::start();
    busy.on(head(target), Answer::status(429).header("Retry-After", "0"));
    busy.on(head(target), Answer::status(503));
    serve_single(&busy, "app", "1", &image("linux/amd64", &["a"]));
    place.write(&place.text().replace(&registry.name(), &busy.name()));
    place
        .run(&["check"])
        .done()
        .says("retrying in 0.0 s: the server answers 429");
}

#[test]
fn a_few_images_of_a_registry_are_asked_for_at_a_time() {
    let registry = Registry::start();
    let mut arguments = vec!["add".to_owned()];
    for number in 0..12 {
        let target = format!("/v2/app{number}/manifests/1");
        registry.on(get(target).perhaps(), Answer::stall_before_head());
        arguments.push(format!("{}/app{number}:1", registry.name()));
    }
    let place = Place::new();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let run = place.lock(&arguments).start();
    registry.wait_for_requests(4);
    run.kill();
    assert_eq!(registry.requests().len(), 4);
}
