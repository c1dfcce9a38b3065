//! `hocker image`: whole images as archives and layouts, looked at with another tar reader than the one that
//! wrote them would need.

mod archives; // archives of other programs
mod contents; // whatever digests, layers and indexes are like
mod foreign; // layers that registries may not distribute
mod formats; // docker-save and oci-archive, to files and to pipes
mod indexed; // names with the digest of an index
mod on_disk; // images that are on disk already
mod platforms; // images for other platforms than this machine's

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::support::files::listing;
use crate::support::hocker::{Run, hocker};
use crate::support::image::{
    Family, Image, Layer, Packing, blob_answer, blob_path, digest, hex, small,
};
use crate::support::scripted_registry::{Registry, get};

/// The regular files of an archive, in order, each of which must be one a reproducible writer makes.
fn entries(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    tar::Archive::new(archive)
        .entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            assert!(
                entry.header().entry_type().is_file(),
                "{path} is no regular file"
            );
            assert_eq!(entry.header().mtime().unwrap(), 0, "{path}");
            assert_eq!(entry.header().uid().unwrap(), 0, "{path}");
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (path, content)
        })
        .collect()
}

fn run(registry: &Registry, directory: &Path, extra: &[&str]) {
    let reference = format!("{}/team/app:1", registry.name());
    hocker(["image", &reference])
        .arguments(extra)
        .in_directory(directory)
        .run()
        .done();
}

fn image_of(directory: &Path, arguments: &[&str]) -> Run {
    hocker(["image"])
        .arguments(arguments)
        .in_directory(directory)
}

fn docker_archive(image: &Image) -> (String, Vec<u8>) {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    image.serve(&registry, "team/app", "1");
    run(&registry, directory.path(), &["--out", "image.tar"]);
    assert_eq!(listing(directory.path()).len(), 1, "nothing else is there");
    let archive = fs::read(directory.path().join("image.tar")).unwrap();
    (registry.name(), archive)
}

fn check_docker_archive(image: &Image) {
    let (registry, archive) = docker_archive(image);
    let entries = entries(&archive);
    let files: BTreeMap<_, _> = entries.iter().cloned().collect();
    assert_eq!(files.len(), entries.len(), "no file is there twice");
    let config = format!("{}.json", hex(&image.config));
    assert_eq!(files[&config], image.config);
    let names: Vec<String> = image
        .layers
        .iter()
        .map(|layer| format!("{}.tar", hex(&layer.tar)))
        .collect();
    for (name, layer) in names.iter().zip(&image.layers) {
        assert!(
            files[name] == layer.tar,
            "{name} is not the layer's archive"
        );
    }
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert_eq!(manifest.as_array().unwrap().len(), 1);
    assert_eq!(manifest[0]["Config"], config);
    assert_eq!(manifest[0]["Layers"], Value::from(names.clone()));
    assert_eq!(
        manifest[0]["RepoTags"],
        Value::from(vec![format!("{registry}/team/app:1")])
    );
    let repositories: Value = serde_json::from_slice(&files["repositories"]).unwrap();
    // It names the topmost layer of each tag, so that an image without layers is not in it.
    assert_eq!(
        repositories[format!("{registry}/team/app")]["1"].is_string(),
        !image.layers.is_empty(),
        "{repositories}"
    );
    let mut expected: Vec<&str> = names.iter().map(String::as_str).collect();
    expected.extend([config.as_str(), "manifest.json", "repositories"]);
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(files.keys().collect::<Vec<_>>(), expected);
}

#[test]
fn a_directory_is_never_replaced_by_force() {
    let directory = tempfile::tempdir().unwrap();
    hocker([
        "image",
        "--format",
        "oci-dir",
        "--out",
        "out",
        "--force",
        "127.0.0.1:1/app:1",
    ])
    .in_directory(directory.path())
    .run()
    .failed(2);
}

#[test]
fn a_pipe_that_is_named_gets_nothing_but_the_archive() {
    let image = small();
    let archives = ["-", "/dev/stdout"].map(|out| {
        let registry = Registry::start();
        image.serve(&registry, "app", "1");
        hocker(["image", "--out", out, &format!("{}/app:1", registry.name())])
            .run()
            .done()
            .stdout
    });
    // The names differ, since the registries do; the layout does not.
    let members = archives.map(|archive| {
        let mut archive = tar::Archive::new(&archive[..]);
        archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().into_owned())
            .collect::<Vec<_>>()
    });
    assert_eq!(members[0], members[1]);
    assert_eq!(members[0].len(), 3 + image.layers.len());
}

#[test]
fn writes_the_docker_archive() {
    check_docker_archive(&small());
}

#[test]
fn the_docker_archive_holds_decompressed_layers_whatever_they_were() {
    for packing in [
        Packing::Gzip,
        Packing::GzipMembers,
        Packing::Zstd,
        Packing::Plain,
    ] {
        let noise: Vec<u8> = (0..200_000_u32)
            .map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap())
            .collect();
        let layer = Layer::of_files(packing, &[("noise", &noise)]);
        check_docker_archive(&Image::new(Family::Oci, &["/noise"], vec![layer]));
    }
}

#[test]
fn a_layer_that_an_image_has_twice_is_fetched_and_written_once() {
    let layer = Layer::of_files(Packing::Gzip, &[("x", b"x")]);
    let other = Layer::of_files(Packing::Gzip, &[("y", b"y")]);
    check_docker_archive(&Image::new(
        Family::Docker,
        &["/x"],
        vec![layer.clone(), other, layer],
    ));
}

#[test]
fn an_image_without_layers_is_an_image() {
    check_docker_archive(&Image::new(Family::Oci, &["/x"], Vec::new()));
}

#[test]
fn the_same_image_gives_the_same_bytes_to_a_file_and_to_standard_output() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let image = small();
    for out in ["one.tar", "two.tar"] {
        image.serve(&registry, "team/app", "1");
        run(&registry, directory.path(), &["--out", out]);
    }
    image.serve(&registry, "team/app", "1");
    let reference = format!("{}/team/app:1", registry.name());
    let streamed = hocker(["image", "--out", "-", &reference]).run().done();
    let [one, two] =
        ["one.tar", "two.tar"].map(|name| fs::read(directory.path().join(name)).unwrap());
    assert!(one == two, "two runs differ");
    assert!(one == streamed.stdout, "standard output differs");
}

#[test]
fn writes_an_oci_layout() {
    for image in [
        small(),
        Image::new(
            Family::Oci,
            &["/x"],
            vec![Layer::of_files(Packing::Zstd, &[("x", b"x")])],
        ),
    ] {
        let registry = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        image.serve(&registry, "team/app", "1");
        run(
            &registry,
            directory.path(),
            &["--format", "oci-dir", "--out", "layout"],
        );
        let files = listing(&directory.path().join("layout"));
        let file = |name: &str| files[Path::new(name)].clone().unwrap();
        let layout: Value = serde_json::from_slice(&file("oci-layout")).unwrap();
        assert_eq!(layout["imageLayoutVersion"], "1.0.0");
        let index: Value = serde_json::from_slice(&file("index.json")).unwrap();
        let entries = index["manifests"].as_array().unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0]["digest"], image.digest());
        assert_eq!(entries[0]["size"], image.manifest.len());
        assert_eq!(entries[0]["mediaType"], image.media_type);
        let mut blobs = 0;
        for (path, content) in &files {
            if let (Ok(name), Some(content)) = (path.strip_prefix("blobs/sha256"), content) {
                assert_eq!(name.to_str().unwrap(), hex(content), "named by its hash");
                blobs += 1;
            }
        }
        assert_eq!(blobs, 2 + image.layers.len());
        assert_eq!(
            file(&format!("blobs/sha256/{}", hex(&image.manifest))),
            image.manifest
        );
        assert_eq!(listing(directory.path()).len(), files.len() + 1);
    }
}

#[test]
fn refuses_a_layer_that_is_not_what_its_diff_id_says() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let honest = Layer::of_files(Packing::Gzip, &[("x", b"honest")]);
    let other = Layer::of_files(Packing::Gzip, &[("x", b"other!")]);
    let config = Image::new(Family::Docker, &["/x"], vec![honest]).config;
    let platform = serde_json::json!({"os": "linux", "architecture": "amd64"});
    let image = Image::with_config(Family::Docker, &platform, config, vec![other.clone()]);
    image.serve_manifest(&registry, "team/app", "1");
    image.serve_config(&registry, "team/app");
    registry.on(
        get(blob_path("team/app", &other.digest())).repeatedly(),
        blob_answer(&other.blob),
    );
    let reference = format!("{}/team/app:1", registry.name());
    hocker(["image", "--out", "image.tar", &reference])
        .in_directory(directory.path())
        .run()
        .failed(5)
        .says(&digest(&other.tar));
    assert!(listing(directory.path()).is_empty());
}

#[test]
fn refuses_as_many_diff_ids_as_there_are_no_layers_for() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let config = small().config;
    let platform = serde_json::json!({"os": "linux", "architecture": "amd64"});
    let image = Image::with_config(Family::Docker, &platform, config, Vec::new());
    image.serve_manifest(&registry, "team/app", "1");
    image.serve_config(&registry, "team/app");
    let reference = format!("{}/team/app:1", registry.name());
    hocker(["image", "--out", "image.tar", &reference])
        .in_directory(directory.path())
        .run()
        .failed(5);
    assert!(listing(directory.path()).is_empty());
}

#[test]
fn an_image_needs_to_be_told_where_to_go() {
    hocker(["image", "127.0.0.1:1/app:1"]).run().failed(2);
}
