//! The lock file: what is written is what the schema says, and is written the same again.

mod refused; // what a hand, a merge or an enemy may have done to it

use serde_json::{Value, json};

use super::{Place, image, serve, serve_single, usual};
use crate::support::image::digest;
use crate::support::scripted_registry::Registry;

/// A lock with two images.
fn two() -> (Place, Registry) {
    let registry = Registry::start();
    serve(&registry, "team/app", "1", &usual("app"));
    serve_single(
        &registry,
        "tool",
        "2",
        &image("linux/amd64", &["a", "b", "c"]),
    );
    let place = Place::new();
    let at = |name: &str| format!("{}/{name}", registry.name());
    place.run(&["add", &at("team/app:1"), &at("tool:2")]).done();
    (place, registry)
}

#[test]
fn every_descriptor_is_one_line_and_the_order_is_that_of_names() {
    let (place, _registry) = two();
    let text = place.text();
    assert!(text.ends_with("}\n"), "{text}");
    let lock = place.valid();
    let images = lock["images"].as_object().unwrap();
    let mut lines = 0;
    for image in images.values() {
        for platform in image["platforms"].as_object().unwrap().values() {
            for descriptor in platform["layers"]
                .as_array()
                .unwrap()
                .iter()
                .chain([&platform["config"]])
            {
                let digest = descriptor["digest"].as_str().unwrap();
                let found = text
                    .lines()
                    .filter(|line| line.contains("\"digest\"") && line.contains(digest));
                lines += found
                    .inspect(|line| assert!(line.contains("mediaType") && line.contains("size")))
                    .count();
            }
        }
    }
    assert!(lines >= 9, "{lines} descriptors are lines\n{text}");
    let position = |name: &str| text.find(&format!("\"{name}\": {{")).unwrap();
    assert!(position("app") < position("tool"));
}

#[test]
fn an_edit_of_one_image_leaves_the_lines_of_the_others_alone() {
    let (place, registry) = two();
    let before = place.text();
    serve_single(&registry, "more", "1", &image("linux/amd64", &["x"]));
    place
        .run(&["add", &format!("{}/more:1", registry.name())])
        .done();
    assert_ne!(place.text(), before);
    place.run(&["remove", "more"]).done();
    assert_eq!(place.text(), before);
}

#[test]
fn a_lock_without_the_texts_of_indexes_has_the_version_that_older_programs_read() {
    let (place, registry) = two();
    let full = place.text();
    assert!(full.starts_with("{\n  \"version\": 2,"), "{full}");
    let mut lock = place.valid();
    let text = lock["images"]["app"]["indexText"].take();
    let index = &lock["images"]["app"]["index"];
    assert_eq!(index["digest"], digest(text.as_str().unwrap().as_bytes()));
    lock["version"] = json!(1);
    place.write(&lock.to_string());
    place.run(&["list"]).done();
    // Any edit writes the layout again.
    place.run(&["remove", "tool"]).done();
    let text = place.text();
    assert!(text.starts_with("{\n  \"version\": 1,"), "{text}");
    assert!(!text.contains("indexText"), "{text}");
    // An update adds the text, and no image has changed for people.
    let outcome = place.run(&["update"]).done();
    let stdout = String::from_utf8_lossy(&outcome.stdout);
    assert!(!stdout.contains("team/app"), "{outcome}");
    place
        .run(&["add", &format!("{}/tool:2", registry.name())])
        .done();
    assert_eq!(place.text(), full);
}

#[test]
fn how_an_image_is_followed_is_read_and_written_in_the_newest_version() {
    let (place, _registry) = two();
    let before = place.text();
    let mut lock = place.valid();
    let pending = json!([
        {"tag": "1.1", "digest": digest(b"1"), "firstSeen": "2026-11-30T04:00:00Z"},
        {"tag": "1.2", "digest": digest(b"2"), "firstSeen": "2026-11-30T05:00:00.5+01:00"},
    ]);
    lock["version"] = json!(3);
    lock["minAge"] = json!("1w");
    lock["images"]["tool"]["follow"] = json!("*-alpine");
    lock["images"]["tool"]["minAge"] = json!("0");
    lock["images"]["tool"]["pending"] = pending.clone();
    place.write(&lock.to_string());
    place.run(&["remove", "app"]).done();
    let written = place.valid();
    assert_eq!(
        (&written["version"], &written["minAge"]),
        (&json!(3), &json!("7d"))
    );
    let tool = &written["images"]["tool"];
    assert_eq!(
        (&tool["follow"], &tool["minAge"]),
        (&json!("*-alpine"), &json!("0"))
    );
    assert_eq!(tool["pending"], pending);
    let lines = place.text();
    let lines = lines.lines().filter(|line| line.contains("firstSeen"));
    assert_eq!(lines.count(), 2);
    // A file without any of it is as before.
    place.write(&before);
    place.run(&["set", "--no-min-age"]).done();
    assert_eq!(place.text(), before);
}

#[test]
fn a_missing_lock_file_is_told_with_the_way_to_make_one() {
    let place = Place::new();
    for command in [
        &["list"][..],
        &["update"],
        &["check"],
        &["remove", "x"],
        &["graph"],
    ] {
        place
            .run(command)
            .failed(3)
            .says("cannot find the lock file")
            .says("hocker lock add");
    }
    place
        .run(&["--lock-file", "other.json", "list"])
        .failed(3)
        .says("other.json");
}

#[test]
fn the_list_is_a_table_or_json() {
    let (place, registry) = two();
    let table = place.run(&["list"]).done().text();
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    for heading in [
        "NAME",
        "IMAGE",
        "TAG",
        "DIGEST",
        "PLATFORMS",
        "LAYERS",
        "SIZE",
        "AGE",
    ] {
        assert!(lines[0].contains(heading), "{table}");
    }
    assert!(
        lines[1].starts_with("app ") && lines[1].contains("linux/amd64 linux/arm64"),
        "{table}"
    );
    assert!(
        lines[2].contains(&format!("{}/tool", registry.name())),
        "{table}"
    );
    let json: Value =
        serde_json::from_slice(&place.run(&["list", "--json"]).done().stdout).unwrap();
    assert_eq!(json[1]["name"], "tool");
    assert_eq!(json[1]["platforms"]["linux/amd64"]["layers"], 3);
}
