//! Documents as others write them: what could be read in two ways is refused, and what is only odd is taken.

use std::fs;

use serde_json::{Value, json};

use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, hex, index, index_answer, small};
use crate::support::scripted_registry::{Answer, Registry, get};

/// A text with something put before a key.
fn before(text: &[u8], key: &str, inserted: &str) -> Vec<u8> {
    let text = str::from_utf8(text).unwrap();
    assert!(text.contains(key), "{key} is not in {text}");
    text.replacen(key, &format!("{inserted}{key}"), 1)
        .into_bytes()
}

/// What `command` says of an image that is edited.
fn refused(command: &str, image: &Image) {
    let registry = Registry::start();
    image.serve_manifest(&registry, "app", "1");
    if command == "config" {
        image.serve_config(&registry, "app");
    }
    hocker([command, &format!("{}/app:1", registry.name())])
        .run()
        .failed(5)
        .says("programs could read the document in different ways");
}

#[test]
fn a_manifest_that_clients_in_go_read_differently_is_refused() {
    for (key, inserted) in [
        (r#""layers""#, r#""Layers":[],"#),
        (r#""layers""#, r#""layer\u017f":[],"#),
        (r#""layers""#, r#""layers":[],"#),
        (r#""config""#, r#""CONFIG":{},"#),
        (r#""schemaVersion""#, r#""SchemaVersion":1,"#),
        (r#""mediaType""#, r#""mediatype":"","#),
        (r#""config""#, r#""Manifests":[],"#),
        (r#""config""#, r#""fslayers":[],"#),
        // In a descriptor.
        (r#""digest""#, r#""Digest":"","#),
        (r#""size""#, r#""\u017fize":1,"#),
        (r#""size""#, r#""URLs":[],"#),
    ] {
        let mut image = small();
        image.manifest = before(&image.manifest, key, inserted);
        refused("manifest", &image);
    }
    // One that stands alone is read by clients in Go, and by no others.
    let mut image = small();
    let text = str::from_utf8(&image.manifest).unwrap();
    image.manifest = text.replace("\"layers\"", "\"Layers\"").into_bytes();
    refused("manifest", &image);
}

#[test]
fn an_index_that_clients_in_go_read_differently_is_refused_even_in_an_entry_that_nobody_chooses() {
    let (image, mut other) = (small(), small().descriptor());
    other["platform"] = json!({"os": "linux", "architecture": "s390x"});
    let text = index(&[image.descriptor(), other]);
    for (key, inserted) in [
        (r#""manifests""#, r#""Manifests":[],"#),
        (r#""manifests""#, r#""LAYERS":[],"#),
        (r#""digest""#, r#""DIGEST":"","#),
        (r#""platform""#, r#""Platform":{},"#),
        (r#""architecture": "s390x""#, r#""Architecture":"amd64","#),
        (r#""os""#, r#""o\u017f":"windows","#),
        (r#""os""#, r#""variant":"v1","variant":"v2","#),
    ] {
        let registry = Registry::start();
        registry.on(
            get("/v2/app/manifests/1"),
            index_answer(&before(&text, key, inserted)),
        );
        let reference = format!("{}/app:1", registry.name());
        hocker(["manifest", "--platform", "linux/amd64", &reference])
            .run()
            .failed(5)
            .says("programs could read the document in different ways");
    }
}

#[test]
fn a_configuration_that_clients_in_go_read_differently_is_refused() {
    for (key, inserted) in [
        (r#""rootfs""#, r#""RootFS":{},"#),
        (r#""diff_ids""#, r#""Diff_IDs":[],"#),
        (r#""diff_ids""#, r#""diff_ids":[],"#),
        (r#""os""#, r#""OS":"windows","#),
        (r#""config""#, r#""Config":{},"#),
    ] {
        let mut image = small();
        let config = before(&image.config, key, inserted);
        let mut manifest: Value = serde_json::from_slice(&image.manifest).unwrap();
        manifest["config"]["size"] = json!(config.len());
        manifest["config"]["digest"] = json!(format!("sha256:{}", hex(&config)));
        image.manifest = serde_json::to_vec(&manifest).unwrap();
        image.config = config;
        refused("config", &image);
    }
}

#[test]
fn a_layout_that_clients_in_go_read_differently_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let layout = directory.path().join("layout");
    small().write_layout(&layout, "1");
    let path = layout.join("index.json");
    let text = before(
        &fs::read(&path).unwrap(),
        r#""manifests""#,
        r#""Manifests":[],"#,
    );
    fs::write(&path, text).unwrap();
    hocker(["image", "--out", "x", "./layout"])
        .in_directory(directory.path())
        .run()
        .failed(5)
        .says("index.json")
        .says("`Manifests` is `manifests` to clients written in Go");
}

#[test]
fn keys_that_no_program_knows_may_be_there_in_any_case_and_twice() {
    let registry = Registry::start();
    let mut image = small();
    image.manifest = before(
        &image.manifest,
        r#""config""#,
        r#""annotations":{"a":"1","A":"2"},"Other":1,"other":2,"other":3,"#,
    );
    image.serve_manifest(&registry, "app", "1");
    hocker(["manifest", &format!("{}/app:1", registry.name())])
        .run()
        .done();
}

/// The bytes of an image with another manifest.
fn edited(mut image: Image, edit: impl FnOnce(&mut Value)) -> Image {
    let mut manifest = serde_json::from_slice(&image.manifest).unwrap();
    edit(&mut manifest);
    image.manifest = serde_json::to_vec(&manifest).unwrap();
    image
}

#[test]
fn an_image_is_taken_whatever_docker_called_the_type_of_its_configuration() {
    for config_type in [
        "application/octet-stream",
        "application/json",
        "text/html",
        "",
    ] {
        let image = edited(small(), |manifest| {
            manifest["config"]["mediaType"] = json!(config_type);
        });
        for command in [
            &["config"][..],
            &["image", "--out", "x"],
            &["docker2nix"],
            &["lock", "add"],
        ] {
            let registry = Registry::start();
            let directory = tempfile::tempdir().unwrap();
            image.serve_manifest(&registry, "app", "1");
            if command[0] != "docker2nix" {
                image.serve_config(&registry, "app");
            }
            if command[0] == "image" {
                image.serve_layers(&registry, "app");
            }
            let reference = format!("{}/app:1", registry.name());
            hocker(command.iter().copied().chain([reference.as_str()]))
                .in_directory(directory.path())
                .run()
                .done();
            if command[0] == "lock" {
                // What was written can be read.
                hocker(["lock", "list"])
                    .in_directory(directory.path())
                    .run()
                    .done();
            }
        }
    }
}

/// Demands that `hocker image` takes an image.
#[track_caller]
fn is_taken(image: &Image) {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    image.serve(&registry, "app", "1");
    hocker(["image", "--out", "x", &format!("{}/app:1", registry.name())])
        .in_directory(directory.path())
        .run()
        .done();
}

#[test]
fn what_go_writes_of_nothing_is_nothing() {
    let edits: [fn(&mut Value); 9] = [
        |manifest| manifest["layers"][0]["urls"] = json!(null),
        |manifest| manifest["layers"][0]["annotations"] = json!(null),
        |manifest| manifest["layers"][0]["platform"] = json!(null),
        |manifest| manifest["mediaType"] = json!(""),
        |manifest| manifest["mediaType"] = json!(null),
        |manifest| manifest["annotations"] = json!(null),
        |manifest| manifest["manifests"] = json!(null),
        |manifest| manifest["artifactType"] = json!(""),
        |manifest| {
            manifest.as_object_mut().unwrap().remove("schemaVersion");
        },
    ];
    for edit in edits {
        is_taken(&edited(small(), edit));
    }
}

#[test]
fn an_image_without_layers_may_leave_them_out() {
    for layers in [json!([]), json!(null)] {
        let empty = Image::new(Family::Docker, &["/x"], Vec::new());
        is_taken(&edited(empty, |manifest| manifest["layers"] = layers));
    }
}

#[test]
fn an_entry_that_is_not_chosen_spoils_nothing() {
    let image = small();
    let mut odd = image.descriptor();
    odd["digest"] = json!(format!("sha384:{}", "0".repeat(96)));
    odd["platform"]["architecture"] = json!("s390x");
    let text = index(&[odd, image.descriptor()]);
    let run = |platform: &str| {
        let registry = Registry::start();
        registry.on(get("/v2/app/manifests/1"), index_answer(&text));
        if platform == "linux/amd64" {
            image.serve_manifest(&registry, "app", &image.digest());
        }
        let reference = format!("{}/app:1", registry.name());
        hocker(["manifest", "--platform", platform, &reference]).run()
    };
    assert_eq!(run("linux/amd64").done().stdout, image.manifest);
    run("linux/s390x")
        .failed(7)
        .says("the index's entry for linux/s390x cannot be used");
}

/// Images for two platforms, and another that is none, in an index that names no platform.
fn unnamed(arm: &Image, amd: &Image) -> Vec<u8> {
    let entries = [arm, amd].map(|image| {
        let mut entry = image.descriptor();
        entry["platform"] = json!({"os": "", "architecture": ""});
        entry
    });
    index(&entries)
}

fn image_for(architecture: &str) -> Image {
    let platform = json!({"os": "linux", "architecture": architecture});
    Image::for_platform(Family::Oci, &platform, &[architecture], Vec::new())
}

#[test]
fn images_say_their_platforms_where_the_index_does_not() {
    let (arm, amd) = (image_for("arm64"), image_for("amd64"));
    for (platform, looked_at, taken) in [
        ("linux/amd64", vec![&arm, &amd], Some(&amd)),
        // The first one that is exactly right ends the search.
        ("linux/arm64", vec![&arm], Some(&arm)),
        ("linux/s390x", vec![&arm, &amd], None),
    ] {
        let registry = Registry::start();
        registry.on(
            get("/v2/app/manifests/1"),
            index_answer(&unnamed(&arm, &amd)),
        );
        for image in looked_at {
            image.serve_manifest(&registry, "app", &image.digest());
            image.serve_config(&registry, "app");
        }
        let reference = format!("{}/app:1", registry.name());
        let run = hocker(["manifest", "--platform", platform, &reference]).run();
        match taken {
            Some(image) => assert_eq!(run.done().stdout, image.manifest, "{platform}"),
            None => {
                run.failed(3).says("linux/arm64, linux/amd64");
            }
        }
    }
}

#[test]
fn an_absent_or_other_entry_without_a_platform_is_passed_over() {
    let amd = image_for("amd64");
    let chart = edited(image_for("amd64"), |manifest| {
        manifest["config"]["mediaType"] = json!("application/vnd.cncf.helm.config.v1+json");
    });
    let absent = image_for("s390x");
    let entries = [&absent, &chart, &amd].map(|image| {
        let mut entry = image.descriptor();
        entry["platform"] = json!(null);
        entry
    });
    let registry = Registry::start();
    registry.on(get("/v2/app/manifests/1"), index_answer(&index(&entries)));
    registry.on(
        get(format!("/v2/app/manifests/{}", absent.digest())),
        Answer::status(404),
    );
    chart.serve_manifest(&registry, "app", &chart.digest());
    amd.serve_manifest(&registry, "app", &amd.digest());
    amd.serve_config(&registry, "app");
    let reference = format!("{}/app:1", registry.name());
    let run = hocker(["manifest", "--platform", "linux/amd64", &reference]).run();
    assert_eq!(run.done().stdout, amd.manifest);
}
