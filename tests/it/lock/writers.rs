//! Two writers at once, interrupted ones, and places that cannot be written: the file is the old one or the new one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{Place, image, index_of, serve, serve_single, usual};
use crate::support::image::{digest, index_answer};
use crate::support::scripted_registry::{Answer, Registry, get, head};

#[test]
fn two_that_add_at_once_both_have_their_way() {
    let registry = Registry::start();
    let names: Vec<_> = (0..6).map(|number| format!("app{number}")).collect();
    for name in &names {
        serve_single(&registry, name, "1", &image("linux/amd64", &[name]));
    }
    let place = Place::new();
    let runs: Vec<_> = names
        .iter()
        .map(|name| {
            place
                .lock(&["add", &format!("{}/{name}:1", registry.name())])
                .start()
        })
        .collect();
    for run in runs {
        run.finish().done();
    }
    assert_eq!(
        place.valid()["images"].as_object().unwrap().len(),
        names.len()
    );
}

#[test]
fn two_that_change_one_image_are_told_apart() {
    let registry = Registry::start();
    let old = usual("app");
    let index = index_of(&old);
    let target = "/v2/app/manifests/1";
    registry.on(get(target), index_answer(&index));
    for image in &old {
        super::serve_parts(&registry, "app", image);
    }
    registry.on(
        head(target),
        Answer::status(200).header("Docker-Content-Digest", digest(b"x")),
    );
    // The answer that the update waits for never comes in full.
    registry.on(
        get(target),
        Answer::ok(index_of(&usual("new"))).stall_after(10),
    );
    let place = Place::new();
    let reference = format!("{}/app:1", registry.name());
    place.run(&["add", &reference]).done();
    let slow = place
        .lock(&["update", "--stall-timeout", "1", "--retries", "1"])
        .start();
    registry.wait_for_stall();
    place.run(&["remove", "app"]).done();
    serve(&registry, "app", "1", &usual("new"));
    slow.finish()
        .failed(1)
        .says("another process has just changed it")
        .says("try again");
    assert!(place.valid()["images"].as_object().unwrap().is_empty());
}

#[test]
fn an_interrupted_update_leaves_the_old_file() {
    for kill in [false, true] {
        let registry = Registry::start();
        let target = "/v2/app/manifests/1";
        let index = index_of(&usual("app"));
        registry.on(get(target), index_answer(&index));
        for image in &usual("app") {
            super::serve_parts(&registry, "app", image);
        }
        registry.on(
            head(target),
            Answer::status(200).header("Docker-Content-Digest", digest(b"x")),
        );
        registry.on(get(target), index_answer(&index).stall_after(10));
        let place = Place::new();
        place
            .run(&["add", &format!("{}/app:1", registry.name())])
            .done();
        let before = place.text();
        let run = place.lock(&["update"]).start();
        registry.wait_for_stall();
        if kill {
            run.kill();
        } else {
            run.interrupt();
            assert_eq!(run.finish().code, Some(130));
        }
        assert_eq!(place.text(), before);
        let left: Vec<_> = fs::read_dir(place.path().parent().unwrap())
            .unwrap()
            .collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}

#[test]
fn a_first_command_that_fails_or_is_interrupted_leaves_nothing() {
    let target = "/v2/app/manifests/1";
    let place = Place::new();
    let names = || {
        let entries = fs::read_dir(place.path().parent().unwrap()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names.collect::<Vec<_>>()
    };
    for is_compose in [false, true] {
        let registry = Registry::start();
        let name = format!("{}/app:1", registry.name());
        let compose = format!("services: {{app: {{image: \"{name}\"}}}}");
        fs::write(place.path().with_file_name("compose.yaml"), compose).unwrap();
        let arguments = if is_compose {
            &["compose", "compose.yaml", "--override", "override.yaml"][..]
        } else {
            &["add", &name]
        };
        registry.on(get(target), Answer::error(404, "MANIFEST_UNKNOWN"));
        place.run(arguments).failed(3);
        assert_eq!(names(), ["compose.yaml"]);
        let index = index_of(&usual("app"));
        registry.on(get(target), Answer::ok(index).stall_after(10));
        let run = place.lock(arguments).start();
        registry.wait_for_stall();
        run.interrupt();
        assert_eq!(run.finish().code, Some(130));
        assert_eq!(names(), ["compose.yaml"]);
    }
    for arguments in [
        &["set", "--min-age", "3d"][..],
        &["remove", "app"],
        &["update"],
    ] {
        place
            .run(arguments)
            .failed(3)
            .says("cannot find the lock file");
        assert_eq!(names(), ["compose.yaml"]);
    }
}

#[test]
fn what_succeeds_is_locked_although_another_image_fails() {
    let registry = Registry::start();
    serve_single(&registry, "app", "1", &image("linux/amd64", &["a"]));
    registry.on(
        get("/v2/other/manifests/1"),
        Answer::error(404, "MANIFEST_UNKNOWN"),
    );
    let place = Place::new();
    let at = |name: &str| format!("{}/{name}:1", registry.name());
    place.run(&["add", &at("app"), &at("other")]).failed(3);
    let lock = place.valid();
    let names: Vec<_> = lock["images"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["app"]);
}

#[test]
fn a_link_stays_a_link() {
    let registry = Registry::start();
    serve_single(&registry, "app", "1", &image("linux/amd64", &["a"]));
    let place = Place::new();
    let real = place.path().with_file_name("real.json");
    fs::write(&real, "{\"version\":1,\"images\":{}}").unwrap();
    std::os::unix::fs::symlink("real.json", place.path()).unwrap();
    place
        .run(&["add", &format!("{}/app:1", registry.name())])
        .done();
    assert!(place.path().is_symlink());
    assert!(fs::read_to_string(real).unwrap().contains("\"app\""));
}

#[test]
fn the_new_file_may_be_read_by_whom_the_old_one_might() {
    let registry = Registry::start();
    for name in ["a", "b"] {
        serve_single(&registry, name, "1", &image("linux/amd64", &[name]));
    }
    let place = Place::new();
    place
        .run(&["add", &format!("{}/a:1", registry.name())])
        .done();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o600)).unwrap();
    place
        .run(&["add", &format!("{}/b:1", registry.name())])
        .done();
    let mode = fs::metadata(place.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(place.valid()["images"].as_object().unwrap().len(), 2);
}

#[test]
fn what_is_no_regular_file_is_no_lock_file_and_nobody_waits_for_it() {
    let place = Place::new();
    mknodat(
        CWD,
        place.path(),
        FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )
    .unwrap();
    for arguments in [&["list"][..], &["check"], &["remove", "app"]] {
        place.run(arguments).failed(1).says("not a regular file");
    }
    place
        .run(&["--lock-file", "/dev/zero", "list"])
        .failed(1)
        .says("not a regular file");
}

#[test]
fn a_file_that_cannot_be_written_is_told_by_name() {
    let registry = Registry::start();
    serve_single(&registry, "app", "1", &image("linux/amd64", &["a"]));
    let place = Place::new();
    let reference = format!("{}/app:1", registry.name());
    place
        .run(&["--lock-file", "no/such/place.json", "add", &reference])
        .failed(1)
        .says("no/such/place.json");
    fs::create_dir(place.path()).unwrap();
    place
        .run(&["add", &reference])
        .failed(1)
        .says("docker-images.lock.json");
    fs::remove_dir(place.path()).unwrap();
    place.run(&["add", &reference]).done();
    assert_eq!(
        fs::metadata(place.path()).unwrap().permissions().mode() & 0o111,
        0
    );
}
