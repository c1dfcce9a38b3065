//! Images for other platforms than this machine's: a single image on disk is taken, and several need a choice.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{entries, image_of};
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, index, index_answer, list_index, small};
use crate::support::scripted_registry::{Answer, Registry, get};

/// An image for an architecture of which no machine is that runs the tests.
fn image_for(architecture: &str) -> Image {
    let platform = json!({"os": "linux", "architecture": architecture});
    Image::for_platform(Family::Oci, &platform, &["/x"], small().layers)
}

/// The config of the image that `hocker image` writes of `./layout` in a directory.
fn written(directory: &Path, arguments: &[&str]) -> Vec<u8> {
    let to = ["--format", "docker-save", "--out", "-"];
    let archive = image_of(directory, &to).arguments(arguments).run().done();
    let members = entries(&archive.stdout);
    let member = |wanted: &str| {
        let mut all = members.iter();
        let (_, content) = all.find(|(name, _)| name == wanted).unwrap();
        content.clone()
    };
    let list: Value = serde_json::from_slice(&member("manifest.json")).unwrap();
    member(list[0]["Config"].as_str().unwrap())
}

#[test]
fn a_single_image_on_disk_is_taken_whatever_its_platform() {
    let image = image_for("s390x");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let layout = path.join("layout");
    let attestation = json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": image_for("sparc64").digest(),
        "size": image.manifest.len(),
        "platform": {"os": "unknown", "architecture": "unknown"},
    });
    let mut unnamed = image.descriptor();
    unnamed.as_object_mut().unwrap().remove("platform");
    let absent = image_for("riscv64");
    for index in [
        None,
        Some(index(&[image.descriptor(), attestation])),
        Some(index(&[unnamed])),
        // A copy of one platform lacks the others.
        Some(index(&[absent.descriptor(), image.descriptor()])),
    ] {
        image.write_layout(&layout, "1");
        if let Some(index) = &index {
            list_index(&layout, index);
        }
        let asked = ["--platform", "linux/s390x"];
        for arguments in [&[][..], &asked] {
            let arguments = [arguments, &["./layout"]].concat();
            assert_eq!(written(path, &arguments), image.config);
        }
        // What the user asks for must be there.
        let other = ["--platform", "linux/ppc64le", "--out", "x", "./layout"];
        image_of(path, &other)
            .run()
            .failed(3)
            .says("no image for linux/ppc64le; available: ")
            .says("linux/s390x");
        for format in ["docker-archive", "oci-archive"] {
            let archive = format!("./{format}.tar");
            let to = ["--format", format, "--force", "--out", &archive];
            image_of(path, &to).arguments(["./layout"]).run().done();
            assert_eq!(written(path, &[&archive]), image.config, "{format}");
            let other = ["--platform", "linux/ppc64le", "--out", "x", &archive];
            image_of(path, &other).run().failed(3);
        }
        fs::remove_dir_all(&layout).unwrap();
    }
}

#[test]
fn of_several_images_on_disk_none_is_taken_for_another_platform() {
    let (one, other) = (image_for("s390x"), image_for("riscv64"));
    let directory = tempfile::tempdir().unwrap();
    let layout = directory.path().join("layout");
    one.write_layout(&layout, "1");
    other.write_layout(&layout, "1");
    list_index(&layout, &index(&[one.descriptor(), other.descriptor()]));
    image_of(directory.path(), &["--out", "x", "./layout"])
        .run()
        .failed(3)
        .says("available: linux/s390x, linux/riscv64")
        .says("--platform");
    let asked = ["--platform", "linux/riscv64", "./layout"];
    assert_eq!(written(directory.path(), &asked), other.config);
}

#[test]
fn images_on_disk_are_compared_whatever_their_platforms() {
    let directory = tempfile::tempdir().unwrap();
    for architecture in ["s390x", "riscv64"] {
        let layout = directory.path().join(architecture);
        image_for(architecture).write_layout(&layout, "1");
    }
    let compare = |arguments: &[&str]| {
        hocker(["diff", "./s390x", "./riscv64", "--format", "json"])
            .arguments(arguments)
            .in_directory(directory.path())
            .run()
    };
    let value: Value = serde_json::from_slice(&compare(&[]).done().stdout).unwrap();
    assert_eq!(value["from"]["platform"], "linux/s390x");
    assert_eq!(value["to"]["platform"], "linux/riscv64");
    compare(&["--platform", "linux/s390x"])
        .failed(3)
        .says("no image for linux/s390x; available: linux/riscv64");
}

#[test]
fn a_registrys_manifest_is_taken_whatever_its_platform_but_an_index_must_have_the_machines() {
    let image = image_for("s390x");
    let registry = Registry::start();
    let name = format!("{}/team/app", registry.name());
    image.serve_manifest(&registry, "team/app", "1");
    image.serve_config(&registry, "team/app");
    let config = hocker(["config", &format!("{name}:1")]).run().done();
    assert_eq!(config.stdout, image.config);
    // Docker, podman and skopeo refuse this, too.
    let target = get("/v2/team/app/manifests/2");
    registry.on(target, index_answer(&index(&[image.descriptor()])));
    hocker(["config", &format!("{name}:2")])
        .run()
        .failed(3)
        .says("available: linux/s390x")
        .says("--platform");
}

#[test]
fn a_platform_that_the_user_names_is_required_of_an_image_without_an_index() {
    let image = image_for("s390x");
    let registry = Registry::start();
    let name = format!("{}/team/app:1", registry.name());
    let config = format!("/v2/team/app/blobs/{}", image.config_digest());
    let directory = tempfile::tempdir().unwrap();
    for arguments in [
        &["manifest"][..],
        &["config"],
        &["docker2nix"],
        &["image", "--out", "out"],
    ] {
        let run = |platform: &str| {
            hocker(arguments)
                .arguments(["--platform", platform, &name])
                .in_directory(directory.path())
                .run()
        };
        image.serve_manifest(&registry, "team/app", "1");
        registry.on(get(&config), Answer::ok(image.config.clone()));
        run("linux/amd64")
            .failed(3)
            .says("no image for linux/amd64; available: linux/s390x")
            .says("--platform");
        assert!(!directory.path().join("out").exists());
    }
    image.serve_manifest(&registry, "team/app", "1");
    registry.on(get(&config), Answer::ok(image.config.clone()));
    let manifest = hocker(["manifest", "--platform", "linux/s390x", &name]).run();
    assert_eq!(manifest.done().stdout, image.manifest);
}
