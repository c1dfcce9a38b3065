//! `hocker lock compose`: the images of a Compose file. That they are those that Compose itself names is seen in the
//! second ring.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{Place, serve_single, usual};
use crate::support::scripted_registry::{Answer, Registry, get};

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
        .says("gets the name `db-1`");
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
fn what_looks_like_a_secret_becomes_no_part_of_a_name() {
    let place = Place::new();
    write(
        &place,
        ".env",
        "DB_PASSWORD=hunter2\nTAG=v-${DB_PASSWORD}\nTOKEN_SERVICE_TAG=1\n",
    );
    for (image, variable) in [
        ("x:1${DOCKER_TOKEN}", "DOCKER_TOKEN"),
        ("x:${GITHUB_TOKEN:-1}", "GITHUB_TOKEN"),
        ("x:${DB_PASSWORD}", "DB_PASSWORD"),
        ("x:${TAG}", "DB_PASSWORD"),
        ("x:${NONE:-$TAG}", "DB_PASSWORD"),
    ] {
        write(
            &place,
            "compose.yaml",
            &format!("services: {{a: {{image: '{image}'}}}}"),
        );
        for arguments in [
            &["compose", "--images", "compose.yaml"][..],
            &["compose", "compose.yaml"],
        ] {
            place
                .lock(arguments)
                .env("DOCKER_TOKEN", "hunter2")
                .env("GITHUB_TOKEN", "hunter2")
                .run()
                .failed(7)
                .says(&format!("uses {variable}, which looks like a secret"))
                .never_says("hunter2");
        }
    }
    write(
        &place,
        "compose.yaml",
        "services: {a: {image: 'x:${TOKEN_SERVICE_TAG}'}}",
    );
    let outcome = place.run(&["compose", "--images", "compose.yaml"]).done();
    assert_eq!(outcome.text(), "x:1\n");
}

#[test]
fn a_link_out_of_the_project_is_not_followed() {
    let place = Place::new();
    let outside = tempfile::tempdir().unwrap();
    let secrets = outside.path().join("credentials");
    fs::write(&secrets, "TAG=hunter2\n").unwrap();
    write(
        &place,
        "compose.yaml",
        "services: {a: {image: 'x:${TAG:-1}'}}",
    );
    write(&place, "own", "TAG=2\n");
    let link = place.path().with_file_name(".env");
    let run = || place.run(&["compose", "--images", "compose.yaml"]);
    for target in [&*secrets, Path::new("/proc/self/environ")] {
        symlink(target, &link).unwrap();
        run()
            .failed(1)
            .says("leads out of the project's directory")
            .never_says("hunter2");
        fs::remove_file(&link).unwrap();
    }
    symlink("own", &link).unwrap();
    assert_eq!(run().done().text(), "x:2\n");
    // What the user names is the user's own word.
    let named = place.run(&[
        "compose",
        "--images",
        "--env-file",
        secrets.to_str().unwrap(),
        "compose.yaml",
    ]);
    assert_eq!(named.done().text(), "x:hunter2\n");
}

#[test]
fn files_are_included_and_extended_within_the_project() {
    let place = Place::new();
    let outside = tempfile::tempdir().unwrap();
    let other = outside.path().join("other.yaml");
    fs::write(&other, "services: {o: {image: hunter2}}").unwrap();
    let beside = |name: &str| place.path().with_file_name(name);
    fs::create_dir(beside("sub")).unwrap();
    symlink(&other, beside("link.yaml")).unwrap();
    write(&place, "sub/.env", "TAG=3\n");
    write(
        &place,
        "sub/more.yaml",
        "services: {m: {image: 'm:${TAG}'}}",
    );
    write(&place, "base.yaml", "services: {b: {image: 'b:1'}}");
    write(
        &place,
        "compose.yaml",
        "include: [sub/more.yaml]\nservices: {a: {extends: {file: base.yaml, service: b}}}",
    );
    let run = || place.run(&["compose", "--images", "compose.yaml"]);
    assert_eq!(run().done().text(), "b:1\nm:3\n");
    for path in [
        "link.yaml",
        other.to_str().unwrap(),
        "../x/../../etc/passwd",
    ] {
        for text in [
            format!("include: ['{path}']"),
            format!("services: {{a: {{extends: {{file: '{path}', service: o}}}}}}"),
        ] {
            write(&place, "compose.yaml", &text);
            run().failed(7).says("cannot read").never_says("hunter2");
        }
    }
}

#[test]
fn a_fifo_in_the_place_of_variables_holds_nothing_up() {
    let place = Place::new();
    write(&place, "compose.yaml", "services: {a: {image: x}}");
    let fifo = place.path().with_file_name(".env");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    place
        .run(&["compose", "--images", "compose.yaml"])
        .failed(1)
        .says("not a regular file");
}

#[test]
fn only_images_are_printed_and_no_value_is_shown() {
    let place = Place::new();
    write(&place, ".env", "NAME=Hunter2\n");
    for (image, says) in [
        ("--privileged", "--privileged"),
        ("a\\nb", "a\\nb"),
        ("a b", "a b"),
        ("a:\\e[2J", "u{1b}"),
        ("${NAME}", "${NAME}"),
    ] {
        write(
            &place,
            "compose.yaml",
            &format!("services: {{\"w\\eb\": {{image: \"{image}\"}}}}"),
        );
        let outcome = place
            .run(&["compose", "--images", "compose.yaml"])
            .failed(2)
            .says("of the service w\\u{1b}b")
            .says(says)
            .never_says("\u{1b}")
            .never_says("unter2");
        assert_eq!(outcome.text(), "");
    }
}

#[test]
fn little_text_does_not_become_much() {
    use std::fmt::Write as _;
    let place = Place::new();
    let mut file = "services:\n".to_owned();
    writeln!(file, "  a: &a {{image: \"x:1{}\"}}", " ".repeat(60_000)).unwrap();
    for number in 0..10_000 {
        writeln!(file, "  a{number}: *a").unwrap();
    }
    write(&place, "compose.yaml", &file);
    place
        .run(&["compose", "--images", "compose.yaml"])
        .failed(7)
        .says("the values of all variables together are too long");
}

#[test]
fn what_is_wrong_with_a_file_is_told() {
    let place = Place::new();
    for (text, says) in [
        ("services: [", "line "),
        ("a: 1", "no `services`"),
        (
            "services: {a: {image: 'x:${TAG:?which}'}}",
            "TAG is required: which",
        ),
        ("services: {a: {image: 'x:${'}}", "is not a variable"),
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

#[test]
fn an_override_file_pins_services_and_volumes() {
    let registry = Registry::start();
    let images: Vec<_> = ["web", "model", "both"].map(usual).into_iter().collect();
    for (name, images) in ["web", "model", "both"].iter().zip(&images) {
        serve_single(&registry, name, "1", &images[0]);
    }
    let at = registry.name();
    let place = Place::new();
    write(
        &place,
        "compose.yaml",
        &format!(
            "services:\n  web:\n    image: {at}/web:${{TAG-1}}\n    volumes:\n      - data:/data\n      - type: image\n        \
             source: {at}/model:1\n        target: /models\n        image: {{subpath: small}}\n  both:\n    build: .\n    \
             image: {at}/both:1\n  off:\n    image: {at}/off:1\n    profiles: [p]\n"
        ),
    );
    let run = |arguments: &[&str]| {
        place
            .lock(&["compose", "compose.yaml"])
            .arguments(arguments)
            .run()
    };
    let text = run(&["--images"]).done().text();
    assert_eq!(text, format!("{at}/both:1\n{at}/model:1\n{at}/web:1\n"));
    let path = place.path().with_file_name("pins.yaml");
    run(&["--override", "pins.yaml"])
        .done()
        .says("both is built from source; the override file does not pin its image");
    let (web, model) = (images[0][0].digest(), images[1][0].digest());
    let expected = format!(
        "# Written by `hocker lock compose`. Changes are lost.\nservices:\n  \"web\":\n    image: \"{at}/web:1@{web}\"\n    \
         volumes:\n      - type: image\n        source: \"{at}/model:1@{model}\"\n        target: \"/models\"\n        \
         image:\n          subpath: \"small\"\n"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    // A second run replaces the file that the first one wrote.
    run(&["--override", "pins.yaml"]).done();
    fs::write(&path, "services: {}\n").unwrap();
    run(&["--override", "pins.yaml"])
        .failed(1)
        .says("already exists")
        .says("--force");
    assert_eq!(fs::read_to_string(&path).unwrap(), "services: {}\n");
    run(&["--override", "pins.yaml", "--force"]).done();
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    let parts = run(&["--images", "--override", "pins.yaml"]);
    parts.failed(2);
}

#[test]
fn an_image_that_cannot_be_locked_leaves_no_override_file() {
    let registry = Registry::start();
    serve_single(&registry, "web", "1", &usual("web")[0]);
    let target = "/v2/gone/manifests/1";
    registry.on(get(target), Answer::error(404, "MANIFEST_UNKNOWN"));
    let at = registry.name();
    let place = Place::new();
    let text = format!("services: {{a: {{image: '{at}/web:1'}}, b: {{image: '{at}/gone:1'}}}}");
    write(&place, "compose.yaml", &text);
    place
        .run(&["compose", "compose.yaml", "--override", "pins.yaml"])
        .failed(3);
    assert!(!place.path().with_file_name("pins.yaml").exists());
}
