//! `hocker mount` without an image on disk. What needs root is in the second ring.

use std::fs;

use crate::support::hocker::hocker;
use crate::support::image::small;

#[test]
fn a_reference_in_place_of_a_path_gets_the_command_that_writes_the_image() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("mounted")).unwrap();
    let mount = |path: &str| {
        hocker(["mount", path, "mounted", "--cache", "cache"])
            .in_directory(directory.path())
            .run()
            .failed(3)
            .says(&format!("{path} does not exist"))
    };
    for reference in [
        "nginx",
        "nginx:1.27",
        "ghcr.io/a/b@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ] {
        mount(reference).says("hocker image --format oci-dir --out DIR IMAGE");
    }
    mount("./nginx").never_says("hint");
    // Other commands with a path say it, too.
    hocker(["serve", "nginx"])
        .in_directory(directory.path())
        .run()
        .failed(3)
        .says("nginx does not exist")
        .says("hocker image --format oci-dir --out DIR IMAGE");
}

#[test]
fn a_store_for_podman_is_no_image() {
    let layout = small().layout("app:1");
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("mounted")).unwrap();
    hocker(["image", "--format", "erofs-dir", "--out", "store"])
        .arguments([layout.path()])
        .in_directory(directory.path())
        .run()
        .done();
    hocker(["mount", "./store", "mounted", "--cache", "cache"])
        .in_directory(directory.path())
        .run()
        .failed(7)
        .says("is a store for podman")
        .says("another format");
}

#[test]
fn a_directory_that_cannot_be_mounted_on_is_named_first() {
    let layout = small().layout("app:1");
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        hocker(arguments)
            .in_directory(directory.path())
            .run()
            .failed(1)
    };
    fs::create_dir(directory.path().join("full")).unwrap();
    fs::write(directory.path().join("full/file"), "x").unwrap();
    let image = layout.path().to_str().unwrap();
    run(&["mount", image, "missing", "--cache", "cache"])
        .says("cannot use the directory missing")
        .says("hint: create this directory first");
    run(&["mount", image, "full", "--cache", "cache"])
        .says("hocker: cannot mount on full: the directory is not empty")
        .says("hint: choose another directory");
    run(&["umount", "missing"])
        .says("hocker: cannot unmount missing")
        .never_says("create");
    run(&["umount", "full"]).says("hocker: cannot unmount full: nothing is mounted on it");
}
