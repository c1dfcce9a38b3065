//! Images whose news has to wait: when it is taken, and what is said of what waits. All images here say that they were
//! made years ago, which makes nothing older.

use serde_json::{Value, json};

use super::Place;
use super::moving::Moving;

/// An image at tag `1` that waits for three days.
fn waiting() -> (Moving, Place) {
    let moving = Moving::start();
    moving.push("1", "old");
    let place = Place::new();
    place
        .run(&["add", "--min-age", "3d", &moving.image(":1")])
        .done();
    (moving, place)
}

/// Lets the first sight of what waits be at this time.
fn seen_at(place: &Place, time: &str) {
    let mut lock = place.valid();
    for image in lock["images"].as_object_mut().unwrap().values_mut() {
        for pending in image["pending"].as_array_mut().into_iter().flatten() {
            pending["firstSeen"] = json!(time);
        }
    }
    place.write(&lock.to_string());
}

const LONG_AGO: &str = "2020-01-01T00:00:00Z";

#[test]
fn a_new_digest_is_taken_when_it_is_known_for_long_enough() {
    let (moving, place) = waiting();
    assert_eq!(place.valid()["images"]["app"]["minAge"], "3d");
    let old = place.valid()["images"]["app"]["index"].clone();
    let new = moving.push("1", "new");
    // The lock has not seen it, so that an update has something to write.
    place.run(&["check"]).failed(1).says("waits until");
    let updated = place
        .run(&["update", "--json"])
        .done()
        .says("waits until")
        .says("0 changed, 1 unchanged, 1 waiting");
    let told: Value = serde_json::from_slice(&updated.stdout).unwrap();
    assert_eq!(told["changed"], json!([]));
    let waits = &told["waiting"][0];
    assert_eq!(
        (&waits["name"], &waits["tag"], &waits["digest"]),
        (&json!("app"), &json!("1"), &json!(new))
    );
    let app = &place.valid()["images"]["app"];
    assert_eq!(app["index"], old);
    assert_eq!(app["pending"][0]["digest"], json!(new));
    assert_eq!(app["pending"][0]["firstSeen"], waits["firstSeen"]);

    // Nothing is new now, and one HEAD shows it.
    let (before, count) = (place.text(), moving.count());
    place.run(&["check"]).done().says("waits until");
    place.run(&["update"]).done().says("1 waiting");
    assert_eq!(moving.since(count), ["HEAD /v2/app/manifests/1"; 2]);
    assert_eq!(place.text(), before);

    seen_at(&place, LONG_AGO);
    place
        .run(&["check"])
        .failed(1)
        .says("1 of 1 images have moved");
    let count = moving.count();
    place.run(&["update"]).done().says("1 changed, 0 unchanged");
    // The digest that waited is fetched, not what the tag is by then.
    assert!(
        !moving
            .since(count)
            .contains(&"GET /v2/app/manifests/1".to_owned())
    );
    let app = &place.valid()["images"]["app"];
    assert_eq!(app["index"]["digest"], json!(new));
    assert!(app.get("pending").is_none());
    assert_eq!(app["reference"], moving.image(":1"));
}

#[test]
fn what_changes_or_vanishes_while_it_waits_is_said_loudly() {
    let (moving, place) = waiting();
    let first = moving.push("1", "first");
    place.run(&["update"]).done();
    seen_at(&place, LONG_AGO);
    let second = moving.push("1", "second");
    let updated = place
        .run(&["update", "--json"])
        .done()
        .says("warning: app: the digest of 1 changed while it waited: ")
        .says("the wait begins again")
        .says("0 changed");
    let told: Value = serde_json::from_slice(&updated.stdout).unwrap();
    assert_eq!(told["notices"][0]["event"], "changed");
    assert_eq!(told["notices"][0]["digest"], json!(first));
    assert_eq!(told["notices"][0]["now"], json!(second));
    // Back to what is locked.
    moving.push("1", "old");
    let checked = place
        .run(&["check", "--json"])
        .failed(1)
        .says("warning: app: the registry no longer offers 1 with ");
    let told: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(told["notices"][0]["event"], "vanished");
    let message = place
        .run(&["update", "--commit-message"])
        .done()
        .says("warning: ")
        .text();
    assert_eq!(message, "Update what waits of container images\n");
    assert!(place.valid()["images"]["app"].get("pending").is_none());
    place.run(&["check"]).done();
}

#[test]
fn tags_of_a_pattern_wait_one_by_one() {
    let moving = Moving::start();
    moving.push("1.0", "0");
    let place = Place::new();
    place
        .run(&["add", "--min-age", "3d", &moving.image(":1.*")])
        .done();
    let one = moving.push("1.1", "1");
    let message = place
        .run(&["update", "--commit-message"])
        .done()
        .says("app 1.1 (sha256:")
        .text();
    assert!(
        message.starts_with("Wait for app 1.1\n\napp 1.1 waits until 20"),
        "{message}"
    );
    seen_at(&place, LONG_AGO);
    moving.push("1.2", "2");
    place
        .run(&["update"])
        .done()
        .says("app 1.0 → 1.1: ")
        .says("app 1.2 (sha256:")
        .says("1 changed, 0 unchanged, 1 waiting");
    let app = &place.valid()["images"]["app"];
    assert_eq!(app["reference"], moving.image(":1.1"));
    assert_eq!(app["index"]["digest"], json!(one));
    assert_eq!(app["pending"][0]["tag"], "1.2");
    // It waits, and goes away.
    seen_at(&place, LONG_AGO);
    moving.delete("1.2");
    place
        .run(&["update"])
        .done()
        .says("warning: app: the registry no longer offers 1.2 with sha256:")
        .says("0 changed");
    assert!(place.valid()["images"]["app"].get("pending").is_none());
}

#[test]
fn one_image_is_taken_at_once_on_request() {
    let (moving, place) = waiting();
    let new = moving.push("1", "new");
    place.run(&["update"]).done().says("1 waiting");
    place
        .run(&["update", "--now", "other"])
        .failed(3)
        .says("cannot find the image other");
    place
        .run(&["update", "--now", "app"])
        .done()
        .says("1 changed");
    let app = &place.valid()["images"]["app"];
    assert_eq!(app["index"]["digest"], json!(new));
    assert!(app.get("pending").is_none());
    assert_eq!(app["minAge"], "3d");
}

#[test]
fn the_file_has_an_age_and_images_their_own() {
    let moving = Moving::start();
    moving.push("1", "old");
    moving.push("2", "old two");
    let place = Place::new();
    place
        .run(&["add", &moving.image(":1"), "--min-age", "0"])
        .done();
    place
        .run(&["add", &format!("two={}", moving.image(":2"))])
        .done();
    place.run(&["set", "--min-age", "1w"]).done();
    let lock = place.valid();
    assert_eq!(
        (&lock["version"], &lock["minAge"]),
        (&json!(3), &json!("7d"))
    );
    moving.push("1", "new");
    moving.push("2", "new two");
    place
        .run(&["update"])
        .done()
        .says("two 2 (sha256:")
        .says("1 changed, 1 unchanged, 1 waiting");
    let list: Value =
        serde_json::from_slice(&place.run(&["list", "--json"]).done().stdout).unwrap();
    assert_eq!(list[0]["minAge"], Value::Null);
    assert_eq!(list[1]["minAge"], "7d");
    assert_eq!(list[1]["pending"][0]["tag"], "2");
    place.run(&["set", "--no-min-age"]).done();
    place.run(&["set", "--no-min-age", "app"]).done();
    place.run(&["update"]).done().says("1 changed");
    assert_eq!(place.valid()["version"], 2);
    // For one run.
    moving.push("1", "newer");
    place
        .run(&["update", "--min-age", "1h"])
        .done()
        .says("0 changed, 2 unchanged, 1 waiting");
    for age in ["3", "d", "-1d", "4000d"] {
        place
            .run(&["update", &format!("--min-age={age}")])
            .failed(2)
            .says("is not an age");
    }
}

#[test]
fn a_first_sight_in_the_future_waits_from_now() {
    let (moving, place) = waiting();
    moving.push("1", "new");
    place.run(&["update"]).done();
    seen_at(&place, "9999-12-31T23:59:59Z");
    place
        .run(&["update"])
        .done()
        .says("warning: app: 1 was first seen in the future, at 9999-12-31T23:59:59Z")
        .says("0 changed");
    let seen = place.valid()["images"]["app"]["pending"][0]["firstSeen"].clone();
    assert!(seen.as_str().unwrap() < "9999", "{seen}");
}

#[test]
fn adding_an_image_again_takes_nothing_that_waits() {
    let (moving, place) = waiting();
    let before = place.text();
    moving.push("1", "new");
    place
        .run(&["add", &moving.image(":1")])
        .done()
        .says("0 changed");
    assert_eq!(place.text(), before);
    place
        .run(&["add", &moving.image(":1"), "--platform", "linux/amd64"])
        .done();
    let app = &place.valid()["images"]["app"];
    assert_eq!(app["minAge"], "3d");
    let before: Value = serde_json::from_str(&before).unwrap();
    assert_eq!(app["index"], before["images"]["app"]["index"]);
}
