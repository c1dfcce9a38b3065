//! Images that are on disk already, as the source of all formats.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{entries, image_of};
use crate::support::files::listing;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing, hex, noise, small};
use crate::support::scripted_registry::{Answer, Registry, get};

/// The names in Docker's `manifest.json`.
fn repo_tags(archive: &Path) -> Value {
    let files = entries(&fs::read(archive).unwrap());
    let (_, manifest) = files
        .iter()
        .find(|(name, _)| name == "manifest.json")
        .unwrap();
    serde_json::from_slice::<Value>(manifest).unwrap()[0]["RepoTags"].clone()
}

#[test]
fn a_layout_without_names_gets_those_that_are_given() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    small().write_layout(&path.join("layout"), "1");
    // With several names, podman reads the names of docker-save here, and needs them in full.
    for (format, names) in [
        ("docker-archive", ["app:latest", "ghcr.io/a/b:1"]),
        (
            "docker-save",
            ["docker.io/library/app:latest", "ghcr.io/a/b:1"],
        ),
    ] {
        let arguments = ["--format", format, "--out", format, "./layout"];
        image_of(path, &arguments).run().done();
        assert_eq!(repo_tags(&path.join(format)), serde_json::json!([]));
        let tags = ["--tag", "app", "--tag", "ghcr.io/a/b:1", "--force"];
        image_of(path, &arguments).arguments(tags).run().done();
        assert_eq!(repo_tags(&path.join(format)), serde_json::json!(names));
    }
    let digest = format!("app@sha256:{}", "0".repeat(64));
    let arguments = ["--tag", &digest, "--out", "x", "./layout"];
    image_of(path, &arguments).run().failed(2);
}

/// podman and skopeo read such a layout.
#[test]
fn a_layout_may_lack_the_file_with_its_version() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    small().write_layout(&path.join("layout"), "app:1");
    fs::remove_file(path.join("layout/oci-layout")).unwrap();
    image_of(path, &["--out", "out", "./layout"]).run().done();
    assert_eq!(repo_tags(&path.join("out")), serde_json::json!(["app:1"]));
    fs::remove_dir_all(path.join("layout/blobs")).unwrap();
    image_of(path, &["--out", "no", "./layout"])
        .run()
        .failed(3)
        .says("is not an image");
}

#[test]
fn a_layout_is_written_as_a_layout_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let image = small();
    image.write_layout(&path.join("layout"), "1");
    let arguments = ["--format", "oci-dir", "--out", "copy", "./layout"];
    image_of(path, &arguments).run().done();
    let blobs = |name: &str| listing(&path.join(name).join("blobs"));
    assert_eq!(blobs("layout"), blobs("copy"));
    // Several paths that mean the same.
    let absolute = path.join("layout");
    fs::create_dir(path.join("beside")).unwrap();
    for (directory, image) in [
        (path.to_owned(), absolute.to_str().unwrap()),
        (path.join("beside"), "../layout"),
        (absolute.clone(), "."),
        (absolute.join("blobs"), ".."),
    ] {
        let run = image_of(
            &directory,
            &["--format", "oci-archive", "--out", "-", image],
        );
        assert_eq!(entries(&run.run().done().stdout).len(), 6, "{image}");
    }
}

type Damage = fn(&mut Vec<u8>);

#[test]
fn refuses_files_that_are_not_what_the_layout_says() {
    let image = small();
    let layer = format!("layout/blobs/sha256/{}", hex(&image.layers[1].blob));
    let damage: [(&str, Damage); 3] = [
        ("a wrong byte", |blob| *blob.last_mut().unwrap() ^= 1),
        ("too long", |blob| blob.push(0)),
        ("too short", |blob| blob.truncate(blob.len() - 1)),
    ];
    for (what, damage) in damage {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        image.write_layout(&path.join("layout"), "1");
        let mut blob = fs::read(path.join(&layer)).unwrap();
        damage(&mut blob);
        fs::write(path.join(&layer), &blob).unwrap();
        let before = listing(path);
        for format in ["docker-archive", "docker-save", "oci-archive", "oci-dir"] {
            let arguments = ["--format", format, "--out", "out", "./layout"];
            image_of(path, &arguments).run().failed(5);
            assert_eq!(listing(path), before, "{what}: {format} left something");
        }
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    small().write_layout(&path.join("layout"), "1");
    for (arguments, code) in [
        (&["./nowhere"][..], 3),
        (&["--image", "other", "./layout"], 3),
        (&["./layout", "1"], 2),
        (&["--registry", "ghcr.io", "./layout"], 2),
        (&["--image", "app", "127.0.0.1:1/app:1"], 2),
        // Without the dot it is a repository of a registry, which nobody is.
        (
            &[
                "--retries",
                "0",
                "--registry",
                "http://127.0.0.1:1",
                "layout",
            ],
            6,
        ),
    ] {
        image_of(path, &["--out", "x"])
            .arguments(arguments)
            .run()
            .failed(code);
        assert_eq!(listing(path).keys().next().unwrap(), Path::new("layout"));
    }
}

#[test]
fn an_archive_in_a_file_is_the_same_as_one_in_a_pipe_however_its_layers_are_compressed() {
    let noise = noise(400_000);
    let text = b"layer".repeat(200_000);
    let layer = |packing, content: &[u8]| Layer::of_files(packing, &[("x", content)]);
    for (what, large) in [
        ("gzip", layer(Packing::Gzip, &noise)),
        ("members", layer(Packing::GzipMembers, &text)),
        ("zstd", layer(Packing::Zstd, &noise)),
        ("plain", layer(Packing::Plain, &noise)),
    ] {
        let small = layer(Packing::Gzip, &noise[..3000]);
        let medium = layer(Packing::Gzip, &noise[..9000]);
        let image = Image::new(Family::Oci, &["/x"], vec![small, large, medium]);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        image.write_layout(&path.join("layout"), "1");
        let streamed = image_of(path, &["--out", "-", "./layout"]).run().done();
        fs::create_dir(path.join("out")).unwrap();
        image_of(path, &["--out", "out/image.tar", "./layout"])
            .run()
            .done();
        assert_eq!(listing(&path.join("out")).len(), 1, "nothing else is there");
        let written = fs::read(path.join("out/image.tar")).unwrap();
        assert!(written == streamed.stdout, "{what}");
    }
}

#[test]
fn a_directory_without_the_start_of_a_path_is_hinted_at_when_no_image_has_its_name() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let name = format!("{}/debian", registry.name());
    fs::create_dir_all(directory.path().join(&name)).unwrap();
    for arguments in [
        &["image", "--out", "out", &name][..],
        &["diff", &name, &name],
    ] {
        registry.on(get("/v2/debian/manifests/latest"), Answer::status(404));
        hocker(arguments)
            .in_directory(directory.path())
            .run()
            .failed(3)
            .says("404 Not Found")
            .says("begin its path with ./");
    }
    registry.on(get("/v2/other/manifests/latest"), Answer::status(404));
    hocker(["image", "--out", "out"])
        .arguments([format!("{}/other", registry.name())])
        .in_directory(directory.path())
        .run()
        .failed(3)
        .never_says("./");
}
