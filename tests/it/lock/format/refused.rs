//! Nothing that a hand, a merge or an enemy did to the lock file is believed.

use serde_json::{Value, json};

use super::super::against_schema;
use super::{Place, two};
use crate::support::image::digest;

/// Changes a copy of a lock, and says what `hocker lock list` then says.
#[track_caller]
fn refused(change: impl FnOnce(&mut Value)) -> String {
    refused_with(7, change)
}

/// The same with another exit code.
#[track_caller]
fn refused_with(code: i32, change: impl FnOnce(&mut Value)) -> String {
    let (place, _registry) = two();
    let mut lock = place.valid();
    change(&mut lock);
    place.write(&format!("{lock:#}"));
    let outcome = place
        .run(&["list"])
        .failed(code)
        .says("cannot use the lock file");
    assert!(outcome.stdout.is_empty(), "{outcome}");
    outcome.stderr
}

#[test]
fn what_contradicts_the_manifest_is_refused_with_its_line() {
    let other = digest(b"other");
    let platform = |lock: &mut Value, change: &dyn Fn(&mut Value)| {
        change(&mut lock["images"]["tool"]["platforms"]["linux/amd64"]);
    };
    for (change, says) in [
        (
            &(|locked: &mut Value| locked["layers"][1]["digest"] = json!(other))
                as &dyn Fn(&mut Value),
            "`layers` do not match the manifest",
        ),
        (
            &|locked| locked["layers"][1]["size"] = json!(7),
            "`layers` do not match",
        ),
        (
            &|locked| {
                locked["layers"].as_array_mut().unwrap().pop();
            },
            "`layers` do not match",
        ),
        (
            &|locked| locked["config"]["digest"] = json!(other),
            "`config` does not match",
        ),
        (
            &|locked| locked["manifest"] = json!("{}"),
            "cannot use the manifest",
        ),
        (
            &|locked| {
                let text = locked["manifest"]
                    .as_str()
                    .unwrap()
                    .replace("\"config\"", "\"manifests\":[],\"config\"");
                locked["manifest"] = json!(text);
            },
            "at once",
        ),
    ] {
        let code = if says == "cannot use the manifest" {
            7
        } else {
            5
        };
        let said = refused_with(code, |lock| platform(lock, change));
        assert!(said.contains(says), "{says}: {said}");
        assert!(said.contains("line "), "{said}");
    }
}

#[test]
fn what_contradicts_the_index_is_refused_with_its_line() {
    let not_the_images = json!({"schemaVersion": 2, "manifests": []}).to_string();
    for (change, says) in [
        (
            &(|app: &mut Value| {
                app["indexText"] = json!(format!("{} ", app["indexText"].as_str().unwrap()));
            }) as &dyn Fn(&mut Value),
            "`indexText` does not match `index`",
        ),
        (
            &|app| app["index"]["digest"] = json!(digest(b"other")),
            "`indexText` does not match `index`",
        ),
        (
            &|app| {
                app["index"]["digest"] = json!(digest(not_the_images.as_bytes()));
                app["index"]["size"] = json!(not_the_images.len());
                app["indexText"] = json!(not_the_images);
            },
            "`indexText` does not name the manifest for linux/amd64",
        ),
        (
            &|app| {
                app["platforms"]
                    .as_object_mut()
                    .unwrap()
                    .remove("linux/arm64");
                app["index"] = Value::Null;
            },
            "`indexText` needs `index`",
        ),
    ] {
        let said = refused_with(5, |lock| change(&mut lock["images"]["app"]));
        assert!(said.contains(says), "{says}: {said}");
        assert!(said.contains("line "), "{said}");
    }
}

#[test]
fn what_cannot_be_followed_is_refused_with_its_line() {
    let sight = |tag: &str| json!({"tag": tag, "digest": digest(b"1"), "firstSeen": "2026-11-30T04:00:00Z"});
    for (field, value, says) in [
        ("follow", json!("1.27"), "is no pattern"),
        ("follow", json!("/(/"), "cannot be used"),
        ("follow", json!(""), "is no pattern"),
        ("minAge", json!("3"), "is not an age"),
        ("minAge", json!(3), "line "),
        ("minAge", json!("9999999d"), "is not an age"),
        ("pending", json!([sight("1"), sight("1")]), "waits twice"),
        ("pending", json!(vec![sight("1"); 17]), "more than 16"),
        ("pending", json!([sight("a b")]), "not a"),
        (
            "pending",
            json!([{"tag": "1", "digest": "md5:0", "firstSeen": "2026-11-30T04:00:00Z"}]),
            "is not a digest",
        ),
        (
            "pending",
            json!([{"tag": "1", "digest": digest(b"1"), "firstSeen": "now"}]),
            "not a point in time",
        ),
        (
            "pending",
            json!([{"tag": "1", "digest": digest(b"1")}]),
            "firstSeen",
        ),
        ("pending", json!({}), "line "),
    ] {
        let said = refused(|lock| {
            lock["version"] = json!(3);
            lock["images"]["tool"][field] = value;
        });
        assert!(said.contains(says), "{says}: {said}");
        assert!(said.contains("line "), "{said}");
    }
}

#[test]
fn what_the_format_does_not_know_is_refused_with_its_line() {
    let tool = |lock: &mut Value| lock["images"]["tool"].take();
    for (change, says) in [
        (
            &(|lock: &mut Value| lock["more"] = json!(1)) as &dyn Fn(&mut Value),
            "unknown field `more`",
        ),
        (
            &|lock| lock["images"]["tool"]["more"] = json!(1),
            "unknown field `more`",
        ),
        (
            &|lock| {
                lock["images"]["tool"]["platforms"]["linux/amd64"]["layers"][0]["urls"] = json!([]);
            },
            "unknown field `urls`",
        ),
        (
            &|lock| {
                let tool = tool(lock);
                lock["images"] = json!({"../tool": tool});
            },
            "is not a valid name",
        ),
        (
            &|lock| {
                let platforms = lock["images"]["tool"]["platforms"].take();
                lock["images"]["tool"]["platforms"] = json!({"linux": platforms["linux/amd64"]});
            },
            "is not a platform",
        ),
        (
            &|lock| lock["images"]["tool"]["platforms"] = json!({}),
            "no platform",
        ),
        (
            &|lock| lock["images"]["tool"]["reference"] = json!("https://x/y"),
            "is a URL",
        ),
        (
            &|lock| lock["images"]["tool"]["reference"] = json!("../../etc/passwd"),
            "is a path",
        ),
        (
            &|lock| lock["images"]["tool"]["registry"] = json!("file:///etc/"),
            "https or http",
        ),
        (
            &|lock| lock["images"]["tool"]["registry"] = json!("https://evil.example/v2/"),
            "the reference names another registry",
        ),
        (
            &|lock| lock["images"]["app"]["index"]["digest"] = json!("sha256:../../x"),
            "is not a digest",
        ),
        (
            &|lock| {
                lock["images"]["app"]["index"] = Value::Null;
                lock["images"]["app"]["indexText"] = Value::Null;
            },
            "no index",
        ),
        (
            &|lock| lock["images"]["app"]["index"]["mediaType"] = json!("text/html"),
            "not an index",
        ),
        (
            &|lock| {
                let pinned = format!(
                    "{}@{}",
                    lock["images"]["tool"]["reference"].as_str().unwrap(),
                    digest(b"x")
                );
                lock["images"]["tool"]["reference"] = json!(pinned);
            },
            "is pinned to",
        ),
        (
            &|lock| {
                lock["images"]["tool"]["platforms"]["linux/amd64"]["created"] = json!("\u{1b}[2J");
            },
            "not a point in time",
        ),
        (&|lock| lock["version"] = json!(0), "version 0"),
        (&|lock| lock["version"] = json!("1"), "line "),
        (&|lock| *lock = json!([]), "line "),
    ] {
        let said = refused(change);
        assert!(said.contains(says), "{says}: {said}");
        assert!(!said.contains('\u{1b}'), "{said}");
    }
}

#[test]
fn a_newer_version_is_named_whatever_else_is_in_it() {
    let place = Place::new();
    place.write(r#"{"version": 7, "pictures": []}"#);
    for command in [
        &["list"][..],
        &["update"],
        &["check"],
        &["add", "localhost/x:1"],
        &["remove", "x"],
    ] {
        place
            .run(command)
            .failed(7)
            .says("version 7")
            .says("a newer version of hocker");
    }
    assert!(place.text().contains("pictures"), "it was written");
}

#[test]
fn a_merge_that_was_not_finished_is_told_with_its_line() {
    let (place, _registry) = two();
    let text = place.text();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(9, "<<<<<<< HEAD");
    lines.insert(11, "=======");
    lines.insert(13, ">>>>>>> other");
    place.write(&lines.join("\n"));
    place
        .run(&["list"])
        .failed(7)
        .says("line 10 has the conflict marker of a merge")
        .says("hint: ");
}

#[test]
fn a_name_that_is_there_twice_is_refused() {
    let (place, _registry) = two();
    let text = place.text().replace("\"tool\": {", "\"app\": {");
    place.write(&text);
    place.run(&["list"]).failed(7).says("the key occurs twice");
    // Two spellings of one platform are one platform.
    let text = text
        .replacen("\"app\": {", "\"x\": {", 1)
        .replace("\"linux/arm64\"", "\"linux/x86_64\"");
    place.write(&text);
    place.run(&["list"]).failed(7).says("the key occurs twice");
}

#[test]
fn broken_json_is_told_with_its_line() {
    let (place, _registry) = two();
    let text = place.text();
    for end in (0..text.len()).step_by(97) {
        if !text.is_char_boundary(end) {
            continue;
        }
        place.write(&text[..end]);
        let outcome = place.run(&["list"]).failed(7);
        let (reason, hint) = match end {
            0 => ("the file is empty", "remove it"),
            _ => ("line ", "restore the file from version control"),
        };
        outcome.says(reason).says(hint).never_says("the entry");
    }
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let (place, _registry) = two();
    let lock = place.valid();
    let changes: [&dyn Fn(&mut Value); 8] = [
        &|lock| lock["version"] = json!(4),
        &|lock| lock["more"] = json!(1),
        &|lock| lock["images"]["tool"]["more"] = json!(1),
        &|lock| lock["images"]["tool"]["platforms"] = json!({}),
        &|lock| lock["images"]["tool"]["reference"] = json!("x"),
        &|lock| lock["images"]["../x"] = lock["images"]["tool"].clone(),
        &|lock| {
            lock["images"]["tool"]["platforms"]["linux/amd64"]["config"]["digest"] =
                json!("sha256:x");
        },
        &|lock| lock["images"]["tool"]["platforms"]["linux/amd64"]["layers"][0]["size"] = json!(-1),
    ];
    for change in changes {
        let mut copy = lock.clone();
        change(&mut copy);
        assert!(against_schema(&copy).is_err(), "{copy:#}");
    }
}
