//! Images that follow a pattern of tags: what is asked for, what is said, and what is refused.

mod lists; // lists of tags: of several pages, large ones, and ones without end

use serde_json::{Value, json};

use super::moving::Moving;
use super::{Place, serve_single, usual};
use crate::support::scripted_registry::{Answer, Registry, get};

/// `1.9.0`, `1.10.1` and others, in a registry that lists them in the order of letters.
fn repository() -> Moving {
    let moving = Moving::start();
    for tag in [
        "1.9.0",
        "1.10.0",
        "1.10.0-alpine",
        "1.10.1",
        "1.11.0-rc.1",
        "2.0.0",
        "latest",
        "1",
    ] {
        moving.push(tag, tag);
    }
    moving
}

#[test]
fn the_newest_tag_of_the_pattern_is_locked_and_followed() {
    let moving = repository();
    let place = Place::new();
    place.run(&["add", &moving.image(":1.*")]).done();
    let lock = place.valid();
    assert_eq!(lock["version"], 3);
    assert_eq!(lock["images"]["app"]["reference"], moving.image(":1.10.1"));
    assert_eq!(lock["images"]["app"]["follow"], "1.*");
    let before = place.text();

    // One page of the list, and one HEAD.
    let count = moving.count();
    place.run(&["update"]).done().says("0 changed, 1 unchanged");
    place.run(&["check"]).done();
    let asked = [
        "GET /v2/app/tags/list?n=1000",
        "HEAD /v2/app/manifests/1.10.1",
    ];
    assert_eq!(moving.since(count), [asked, asked].concat());
    assert_eq!(place.text(), before);

    let old = lock["images"]["app"]["index"]["digest"].as_str().unwrap();
    let new = moving.push("1.10.2", "news");
    let checked = place
        .run(&["check", "--json"])
        .failed(1)
        .says("app 1.10.1 → 1.10.2: sha256:")
        .says("1 of 1 images have moved");
    let checked: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(checked["moved"][0]["fromTag"], "1.10.1");
    assert_eq!(checked["moved"][0]["toTag"], "1.10.2");
    assert_eq!(checked["moved"][0]["from"], old);
    assert_eq!(checked["moved"][0]["to"], json!(new));
    assert_eq!(place.text(), before);

    let updated = place
        .run(&["update", "--json"])
        .done()
        .says("app 1.10.1 → 1.10.2: sha256:")
        .says("1 changed, 0 unchanged");
    let told: Value = serde_json::from_slice(&updated.stdout).unwrap();
    assert_eq!(told["changed"][0]["fromTag"], "1.10.1");
    assert_eq!(told["changed"][0]["toTag"], "1.10.2");
    assert_eq!(told["changed"][0]["reference"], moving.image(":1.10.2"));
    let app = &place.valid()["images"]["app"];
    assert_eq!(app["reference"], moving.image(":1.10.2"));
    assert_eq!(app["index"]["digest"], json!(new));
    assert_eq!(app["follow"], "1.*");

    moving.push("1.20.0", "more");
    let message = place.run(&["update", "--commit-message"]).done().text();
    assert!(
        message.starts_with("Update app to 1.20.0\n\n- **app**: "),
        "{message}"
    );
    let (from, to) = (moving.image(":1.10.2"), moving.image(":1.20.0"));
    assert!(message.contains(&format!("`{from}` → `{to}`")), "{message}");
    let list = place.run(&["list"]).done().text();
    assert!(list.contains("1.20.0 (1.*)"), "{list}");
}

#[test]
fn the_present_tag_is_followed_too_when_it_is_pushed_again() {
    let moving = repository();
    let place = Place::new();
    place.run(&["add", &moving.image(":1.*")]).done();
    let new = moving.push("1.10.1", "rebuilt");
    place
        .run(&["update"])
        .done()
        .says(&format!("app ({}): sha256:", moving.image(":1.10.1")));
    assert_eq!(
        place.valid()["images"]["app"]["index"]["digest"],
        json!(new)
    );
}

#[test]
fn an_image_with_a_tag_starts_there_and_keeps_its_suffix() {
    let moving = repository();
    let place = Place::new();
    let count = moving.count();
    place
        .run(&["add", "--follow", "~1.10", &moving.image(":1.10.0-alpine")])
        .done();
    assert!(
        !moving
            .since(count)
            .iter()
            .any(|line| line.contains("tags/list"))
    );
    place.run(&["update"]).done().says("0 changed");
    moving.push("1.10.3-alpine", "alpine");
    moving.push("1.11.0-alpine", "other");
    place
        .run(&["update"])
        .done()
        .says("app 1.10.0-alpine → 1.10.3-alpine: ");
    // Without a tag, it is the newest one. An operator may follow the colon as well.
    place
        .run(&[
            "add",
            "--force",
            "--follow",
            "^1.9",
            &format!("app={}", moving.image("")),
        ])
        .done();
    assert_eq!(
        place.valid()["images"]["app"]["reference"],
        moving.image(":1.10.1")
    );
    place
        .run(&["add", &format!("two={}", moving.image(":~1.10"))])
        .done();
    place
        .run(&[
            "add",
            &format!("three={}", moving.image("")),
            "--follow",
            r"/1\.(\d+\.\d+)-alpine/",
        ])
        .done();
    let images = &place.valid()["images"];
    assert_eq!(images["two"]["reference"], moving.image(":1.10.1"));
    assert_eq!(images["two"]["follow"], "~1.10");
    assert_eq!(images["three"]["reference"], moving.image(":1.11.0-alpine"));
}

#[test]
fn the_same_pattern_is_the_same_image_and_another_one_is_not() {
    let moving = repository();
    let place = Place::new();
    place.run(&["add", &moving.image(":1.*")]).done();
    let names = || {
        let lock = place.valid();
        let images = lock["images"].as_object().unwrap();
        images.keys().cloned().collect::<Vec<_>>()
    };
    moving.push("1.12.0", "more");
    // Again: it moves, and keeps its name.
    place
        .run(&["add", &moving.image(":1.*")])
        .done()
        .says("app 1.10.1 → 1.12.0");
    assert_eq!(names(), ["app"]);
    place
        .run(&["add", &moving.image(":1.12.0")])
        .done()
        .says("gets the name `app-1.12.0`, because ");
    place
        .run(&["add", &moving.image(":2.*")])
        .done()
        .says("gets the name `app-latest`");
    assert_eq!(names(), ["app", "app-1.12.0", "app-latest"]);
    let taken = format!("app={}", moving.image(":2.*"));
    place
        .run(&["add", &taken])
        .failed(2)
        .says("cannot name the image `app`: ");
    place.run(&["add", "--force", &taken]).done();
    assert_eq!(place.valid()["images"]["app"]["follow"], "2.*");
    // What a Compose file names is a tag, and stays one.
    let compose = format!(
        "services: {{one: {{image: \"{}\"}}}}\n",
        moving.image(":1.12.0")
    );
    std::fs::write(place.path().with_file_name("compose.yaml"), compose).unwrap();
    place
        .run(&["compose", "compose.yaml"])
        .done()
        .says("0 changed");
    place.run(&["remove", "app", "app-latest"]).done();
    assert_eq!(names(), ["app-1.12.0"]);
    assert_eq!(place.valid()["version"], 2);
}

#[test]
fn a_pattern_that_matches_nothing_says_what_is_similar() {
    let moving = Moving::start();
    for tag in ["3.0.0-rc.1", "3.1.0-alpine", "2.0.0", "latest"] {
        moving.push(tag, tag);
    }
    let place = Place::new();
    for (pattern, says) in [
        (
            "3.*",
            "no tag of app matches `3.*`: tags such as 3.1.0-alpine, 3.0.0-rc.1 are pre-releases",
        ),
        ("4.*", "no tag of app matches `4.*`, of 4"),
        (
            "re:late(?:st|r)",
            "matches `re:late(?:st|r)`: tags such as latest match, but have no version that orders them",
        ),
        (
            "*-bookworm",
            "no tag of app matches `*-bookworm`: tags such as",
        ),
    ] {
        place
            .run(&["add", &moving.image(&format!(":{pattern}"))])
            .failed(3)
            .says("cannot lock app (")
            .says(says);
    }
}

#[test]
fn patterns_that_cannot_be_used_are_refused_before_anything_is_asked() {
    let place = Place::new();
    for (pattern, says) in [
        ("1.27", "is no pattern"),
        ("", "is no pattern"),
        ("1*", "has a digit next to `*`"),
        ("**", "has a digit next to `*`"),
        ("*.5", "cannot follow a version"),
        ("~", "has no version"),
        ("^latest", "has no version"),
        ("~1.*", "has no version"),
        ("1.* ", "matches no tag"),
        ("a/*", "matches no tag"),
        ("/(/", "cannot be used"),
        ("/a{1000}{1000}{1000}/", "cannot be used"),
        ("/a)|(b/", "cannot be used"),
        ("regex:[", "cannot be used"),
        (&format!("/{}/", "(".repeat(100)), "cannot be used"),
        (&"*".repeat(300), "at most 256 characters"),
    ] {
        place
            .run(&["add", &format!("--follow={pattern}"), "localhost:1/app"])
            .failed(2)
            .says(says);
    }
    for image in ["localhost:1/app:1.27:1.*", "app:1:~1"] {
        place
            .run(&["add", image])
            .failed(2)
            .says("cannot follow a tag and a pattern for one image")
            .says("--follow");
    }
    let pinned = format!("localhost:1/app@sha256:{}", "0".repeat(64));
    place
        .run(&["add", "--follow", "1.*", &pinned])
        .failed(2)
        .says("an image with a digest never moves");
    place
        .run(&["add", "--follow", "1.*", "localhost:1/app:2.*"])
        .failed(2)
        .says("two patterns");
    place
        .run(&["add", "localhost:1/app:1*"])
        .failed(2)
        .says("has a digit next to `*`");
}

#[test]
fn the_pattern_of_a_locked_image_is_changed_without_a_registry() {
    let moving = repository();
    let place = Place::new();
    place.run(&["add", &moving.image(":1.9.0")]).done();
    let plain = place.text();
    let count = moving.count();
    place.run(&["set", "--follow", "1.*", "app"]).done();
    assert_eq!(moving.count(), count);
    assert_eq!(place.valid()["images"]["app"]["follow"], "1.*");
    place.run(&["set", "--no-follow", "app"]).done();
    assert_eq!(place.text(), plain);
    place.run(&["set", "--follow", "2.*", "app"]).done();
    place.run(&["update"]).done().says("app 1.9.0 → 2.0.0");
    place
        .run(&["set", "--follow", "2.*"])
        .failed(2)
        .says("without the names");
    place.run(&["set", "app"]).failed(2);
    place
        .run(&["set", "--no-follow", "other"])
        .failed(3)
        .says("cannot find the image other");
}
