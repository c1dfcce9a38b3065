//! `hocker image --format erofs-dir`, for machines that only have podman.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::machine::podman_storage::{Mounts, Storage};
use crate::machine::program;
use crate::machine::real_image::{GREETING, NEXT_GREETING, next_version, real_image};
use crate::pipeline::{push, registry_with};
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image};

/// Podman's own bookkeeping: most of it is a database of a fixed size.
const BOOKKEEPING: u64 = 200_000;

fn write(reference: &str, out: &Path) {
    hocker(["image", "--quiet", "--format", "erofs-dir", "--out"])
        .arguments([out, Path::new(reference)])
        .run()
        .done();
}

#[test]
fn an_image_is_listed_and_run_by_its_name_and_digest_and_takes_no_space() {
    let image = real_image();
    let registry = registry_with(&image);
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    let name = format!("{}/team/app", registry.name());
    write(&format!("{name}:1"), &store);
    let _mounts = Mounts::of_directory(&store);
    let storage = Storage::with_stores(&[&store]);

    let images = storage.images();
    assert_eq!(images.as_array().unwrap().len(), 1, "{images}");
    let listed = &images[0];
    assert_eq!(
        format!("sha256:{}", listed["Id"].as_str().unwrap()),
        image.config_digest()
    );
    assert_eq!(listed["Names"], json!([format!("{name}:1")]));
    assert_eq!(listed["Digest"], image.digest());
    assert_eq!(listed["ReadOnly"], true);

    let by_digest = format!("{name}@{}", image.digest());
    for reference in [
        &format!("{name}:1"),
        &by_digest,
        &image.config_digest()[7..],
    ] {
        assert_eq!(storage.run(reference, &[]), GREETING, "{reference}");
    }
    let bytes = storage.bytes();
    assert!(bytes <= BOOKKEEPING, "podman wrote {bytes} bytes");
    let wrong = format!("{name}@{}", image.config_digest());
    assert!(!storage.try_run(&wrong, &[]).status.success());
}

#[test]
fn the_same_image_gives_the_same_directory() {
    let registry = registry_with(&real_image());
    let directory = tempfile::tempdir().unwrap();
    let reference = format!("{}/team/app:1", registry.name());
    let [one, two] = ["one", "two"].map(|name| directory.path().join(name));
    for out in [&one, &two] {
        write(&reference, out);
    }
    let differences = ["--recursive", "--no-dereference"];
    let compared = program::output(
        std::process::Command::new("diff")
            .args(differences)
            .args([one, two]),
    );
    assert!(compared.status.success(), "{}", program::told(&compared));
}

#[test]
fn podman_pulls_and_builds_on_top_of_an_image_that_it_only_reads() {
    let image = real_image();
    let registry = registry_with(&image);
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    let name = format!("{}/team/app", registry.name());
    write(&format!("{name}:1"), &store);
    let _mounts = Mounts::of_directory(&store);
    let storage = Storage::with_stores(&[&store]);

    // The first layers are the same, and so is the last of another image with other layers below.
    push(&registry, &next_version(&image), "2");
    let layers = vec![image.layers[1].clone(), image.layers[2].clone()];
    push(
        &registry,
        &Image::new(Family::Oci, &["/hello"], layers),
        "3",
    );
    for (tag, printed) in [("2", NEXT_GREETING), ("3", GREETING)] {
        let reference = format!("{name}:{tag}");
        storage.pull(&reference);
        assert_eq!(storage.run(&reference, &[]), printed);
    }

    let context = directory.path().join("context");
    fs::create_dir(&context).unwrap();
    fs::write(context.join("file"), "more").unwrap();
    fs::write(
        context.join("Containerfile"),
        format!("FROM {name}:1\nCOPY file /file\n"),
    )
    .unwrap();
    let build = ["build", "--quiet", "--isolation=chroot", "--tag=built"];
    program::run(storage.podman().args(build).arg(&context));
    assert_eq!(storage.run("localhost/built", &[]), GREETING);
}

#[test]
fn an_image_on_disk_gets_the_names_that_are_given() {
    let layout = real_image().layout("app:1");
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    hocker([
        "image",
        "--quiet",
        "--format",
        "erofs-dir",
        "--tag",
        "debian:stable",
        "--out",
    ])
    .arguments([&store, layout.path()])
    .run()
    .done();
    let _mounts = Mounts::of_directory(&store);
    let storage = Storage::with_stores(&[&store]);
    assert_eq!(storage.run("debian:stable", &[]), GREETING);
    assert_eq!(
        storage.run("docker.io/library/debian:stable", &[]),
        GREETING
    );
}
