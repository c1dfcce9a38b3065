//! Archives of other programs as the source of an image.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use bzip2::write::BzEncoder;
use lzma_rust2::{XzOptions, XzWriter};
use serde_json::{Value, json};

use super::{entries, image_of};
use crate::support::archive::{Archive, crane, manifest_json, oci, old_docker_save, several};
use crate::support::files::listing;
use crate::support::hocker::Outcome;
use crate::support::image::{Family, Image, Layer, Packing, gzip, hex, small};

/// Writes the image in the archive as a classic archive.
fn read(directory: &Path, archive: &[u8], arguments: &[&str]) -> Outcome {
    fs::write(directory.join("archive.tar"), archive).unwrap();
    image_of(directory, &["--out", "out", "--force", "./archive.tar"])
        .arguments(arguments)
        .run()
}

/// Returns the names in the archive that `read` wrote, after a comparison of its config and layers with the image.
fn names_of(directory: &Path, image: &Image) -> Value {
    let members = entries(&fs::read(directory.join("out")).unwrap());
    let member = |name: &str| {
        let found = members.iter().find(|(found, _)| found == name);
        found.map(|(_, content)| content.clone())
    };
    let config = format!("{}.json", hex(&image.config));
    assert_eq!(member(&config).as_deref(), Some(&image.config[..]));
    for layer in &image.layers {
        let name = format!("{}.tar", hex(&layer.tar));
        assert!(member(&name).as_deref() == Some(&layer.tar[..]), "{name}");
    }
    let manifest: Value = serde_json::from_slice(&member("manifest.json").unwrap()).unwrap();
    manifest[0]["RepoTags"].clone()
}

fn twice() -> Image {
    let layer = |name: &str| Layer::of_files(Packing::Gzip, &[(name, name.as_bytes())]);
    Image::new(
        Family::Oci,
        &["/a"],
        vec![layer("a"), layer("b"), layer("a")],
    )
}

#[test]
fn archives_of_other_programs_are_read_plain_and_compressed() {
    let directory = tempfile::tempdir().unwrap();
    let image = twice();
    for archive in [
        old_docker_save(&image, &["app:1", "ghcr.io/a/b:2"]),
        crane(&image, &["app:1", "ghcr.io/a/b:2"]),
    ] {
        let plain = archive.bytes();
        let zstd = zstd::stream::encode_all(&plain[..], 1).unwrap();
        // Programs that compress in parallel write several streams.
        let (start, end) = plain.split_at(1000);
        let two_of_xz = [xz(start), xz(end)].concat();
        let two_of_bzip2 = [bzip2(start), bzip2(end)].concat();
        for bytes in [
            &plain,
            &gzip(&plain),
            &zstd,
            &xz(&plain),
            &two_of_xz,
            &bzip2(&plain),
            &two_of_bzip2,
        ] {
            read(directory.path(), bytes, &[]).done();
            let names = names_of(directory.path(), &image);
            assert_eq!(names, json!(["app:1", "ghcr.io/a/b:2"]));
        }
    }
    let archive = oci(&image, "docker.io/library/app:1").bytes();
    for bytes in [&archive, &gzip(&archive)] {
        read(directory.path(), bytes, &[]).done();
        assert_eq!(names_of(directory.path(), &image), json!(["app:1"]));
    }
}

fn xz(plain: &[u8]) -> Vec<u8> {
    let mut encoder = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).unwrap();
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(plain: &[u8]) -> Vec<u8> {
    let mut encoder = BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn layers_of_an_archive_may_be_compressed_with_xz_and_bzip2() {
    let image = small();
    let config = format!("{}.json", hex(&image.config));
    let names: Vec<_> = image.layers.iter().map(Layer::hex).collect();
    for compress in [xz, bzip2] {
        let archive = |change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
            let mut archive = Archive::default().file(&config, image.config.clone());
            for (name, layer) in names.iter().zip(&image.layers) {
                archive = archive.file(name, change(compress(&layer.tar)));
            }
            archive
                .json("manifest.json", &manifest_json(&config, &["app:1"], &names))
                .bytes()
        };
        let directory = tempfile::tempdir().unwrap();
        read(directory.path(), &archive(&|layer| layer), &[]).done();
        assert_eq!(names_of(directory.path(), &image), json!(["app:1"]));
        let cut = archive(&|layer| layer[..layer.len() - 20].to_vec());
        read(directory.path(), &cut, &[]).failed(5);
        let other = archive(&|_| compress(b"another layer"));
        read(directory.path(), &other, &[])
            .failed(5)
            .says("digest mismatch");
    }
}

#[test]
fn the_registrys_manifest_survives_in_an_oci_archive() {
    let directory = tempfile::tempdir().unwrap();
    let image = small();
    let archive = oci(&image, "docker.io/library/app:1").bytes();
    read(directory.path(), &archive, &["--format", "oci-archive"]).done();
    let members = entries(&fs::read(directory.path().join("out")).unwrap());
    let name = format!("blobs/sha256/{}", hex(&image.manifest));
    let manifest = members.iter().find(|(found, _)| *found == name);
    assert!(manifest.unwrap().1 == image.manifest);
}

#[test]
fn one_of_several_images_is_selected_by_name_and_names_may_be_null() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (small(), twice());
    let archive = several(&[(&one, json!(["one:1"])), (&other, json!(null))]).bytes();
    read(directory.path(), &archive, &[])
        .failed(1)
        .says("has several images: one:1, sha256:");
    read(directory.path(), &archive, &["--image", "one:1"]).done();
    assert_eq!(names_of(directory.path(), &one), json!(["one:1"]));
}

#[test]
fn hostile_and_damaged_archives_are_refused_and_nothing_is_left() {
    let image = small();
    let good = old_docker_save(&image, &["app:1"]);
    let config = format!("{}.json", hex(&image.config));
    let manifest = |layers: &[&str]| {
        let layers: Vec<_> = layers.iter().map(ToString::to_string).collect();
        manifest_json(&config, &["app:1"], &layers)
    };
    let with_config = || Archive::default().file(&config, image.config.clone());
    let hybrid = |tags: &[&str], config: &str| {
        let name = "docker.io/library/app:1";
        oci(&image, name).json("manifest.json", &manifest_json(config, tags, &[]))
    };
    let whole = good.bytes();
    let evil = Layer::of_files(Packing::Plain, &[("evil", b"evil")]).tar;
    for (what, archive, code, says) in [
        (
            "a name that leads out",
            good.clone().file("../../evil", "x").bytes(),
            5,
            "leads out of it",
        ),
        (
            "an absolute name",
            good.clone().file("/etc/evil", "x").bytes(),
            5,
            "leads out of it",
        ),
        (
            "a layer that is a link out of the archive",
            with_config()
                .link("layer.tar", "../../../etc/passwd")
                .json("manifest.json", &manifest(&["layer.tar", "layer.tar"]))
                .bytes(),
            3,
            "has no file `layer.tar`",
        ),
        (
            "links in a circle",
            with_config()
                .link("a", "b")
                .link("b", "a")
                .json("manifest.json", &manifest(&["a", "b"]))
                .bytes(),
            3,
            "has no file `a`",
        ),
        (
            "two members of one name",
            good.clone().file(&config, "{}").bytes(),
            5,
            "two different members",
        ),
        (
            "another layer",
            with_config()
                .file("layer.tar", evil)
                .json("manifest.json", &manifest(&["layer.tar", "layer.tar"]))
                .bytes(),
            5,
            "digest mismatch",
        ),
        (
            "another image in index.json",
            hybrid(&["app:1"], "oci-layout").bytes(),
            5,
            "contradict each other",
        ),
        (
            "the end is missing",
            whole[..whole.len() / 2].to_vec(),
            5,
            "cannot read the tar archive",
        ),
        (
            "no image",
            Archive::default().file("etc/passwd", "x").bytes(),
            7,
            "has no image",
        ),
        (
            "Docker 1.9",
            Archive::default().file("repositories", "{}").bytes(),
            7,
            "Docker before 1.10",
        ),
        ("xz", b"\xfd7zXZ\0\0\x04\xe6\xd6".to_vec(), 5, "cannot read"),
        ("noise", vec![0xff; 2000], 7, "not a tar archive"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let temporary = directory.path().join("tmp");
        fs::create_dir(&temporary).unwrap();
        fs::write(directory.path().join("archive.tar"), archive).unwrap();
        let before = listing(directory.path());
        image_of(directory.path(), &["--out", "out", "./archive.tar"])
            .env("TMPDIR", &temporary)
            .run()
            .failed(code)
            .says(says);
        assert_eq!(listing(directory.path()), before, "{what}");
    }
}

#[test]
fn errors_name_the_archive_and_not_the_temporary_directory() {
    let image = small();
    let index = json!({"schemaVersion": 2, "manifests": [image.descriptor()]});
    let manifest = format!("blobs/sha256/{}", &image.digest()[7..]);
    let config = format!("blobs/sha256/{}", hex(&image.config));
    let absent = Archive::default().json("index.json", &index);
    let without_config = absent.clone().file(&manifest, image.manifest.clone());
    for (archive, code, says) in [
        (Archive::default().file("index.json", "[]"), 7, "index.json"),
        (without_config, 3, &*config),
        (absent, 3, &*manifest),
    ] {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("archive.tar"), archive.bytes()).unwrap();
        image_of(directory.path(), &["--out", "out", "./archive.tar"])
            .run()
            .failed(code)
            .says(&format!("./archive.tar/{says}"))
            .never_says("hocker-unpacked");
    }
}

#[test]
fn names_of_both_lists_of_a_hybrid_archive_count() {
    let directory = tempfile::tempdir().unwrap();
    let image = small();
    let config = format!("blobs/sha256/{}", hex(&image.config));
    let tags = ["app:1", "second:2"];
    let archive = oci(&image, "docker.io/library/app:1")
        .json("manifest.json", &manifest_json(&config, &tags, &[]));
    read(directory.path(), &archive.bytes(), &[]).done();
    assert_eq!(names_of(directory.path(), &image), json!(tags));
}

#[test]
fn manifest_json_is_read_as_docker_reads_it() {
    let image = small();
    let config = format!("{}.json", hex(&image.config));
    let layers: Vec<_> = image.layers.iter().map(|layer| hex(&layer.tar)).collect();
    let (tags, list) = (r#"["app:1"]"#, json!(layers).to_string());
    for text in [
        format!(r#"[{{"config":"{config}","REPOTAGS":{tags},"layers":{list}}}]"#),
        format!(r#"[{{"Config":"x","Config":"{config}","RepoTags":{tags},"Layers":{list}}}]"#),
        format!(r#"[{{"Config":"{config}","RepoTags":{tags},"Layers":{list},"Parent":"\ud800"}}]"#),
        format!("[{{\"Config\":\"{config}\",\"RepoTags\":{tags},\"Layers\":{list}}}]\0\0"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let mut archive = Archive::default().file(&config, image.config.clone());
        for (name, layer) in layers.iter().zip(&image.layers) {
            archive = archive.file(name, layer.tar.clone());
        }
        let archive = archive.file("manifest.json", text).bytes();
        read(directory.path(), &archive, &[]).done();
        assert_eq!(names_of(directory.path(), &image), json!(["app:1"]));
    }
}

#[test]
fn what_no_image_needs_may_be_damaged() {
    let image = small();
    let blob = |name: &str| format!("blobs/sha256/{name}");
    let layout = || oci(&image, "docker.io/library/app:1");
    for archive in [
        old_docker_save(&image, &["app:1"])
            .file("repositories", "{}")
            .file("repositories", r#"{"app":{}}"#),
        layout().file(&blob(&"0".repeat(64)), "other"),
        layout().file(&blob(".DS_Store"), "other"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        read(directory.path(), &archive.bytes(), &[]).done();
        assert_eq!(names_of(directory.path(), &image), json!(["app:1"]));
    }
    let layer = &image.layers[0];
    let index = json!({ "schemaVersion": 2, "manifests": [image.descriptor()] });
    let damaged = Archive::default()
        .json("index.json", &index)
        .file(&blob(&hex(&image.manifest)), image.manifest.clone())
        .file(&blob(&hex(&image.config)), image.config.clone())
        .file(&blob(&layer.hex()), "other");
    read(tempfile::tempdir().unwrap().path(), &damaged.bytes(), &[])
        .failed(5)
        .says(&format!(
            "digest mismatch in ./archive.tar/{}",
            blob(&layer.hex())
        ));
}

#[test]
fn the_only_image_may_be_for_any_platform_and_its_config_need_not_be_utf_8() {
    let directory = tempfile::tempdir().unwrap();
    for platform in [
        json!({"os": "linux", "architecture": "arm64", "variant": "v8"}),
        json!({"os": "linux", "architecture": null}),
    ] {
        let image = Image::for_platform(Family::Oci, &platform, &["/a"], small().layers);
        let archive = old_docker_save(&image, &["app:1"]).bytes();
        read(directory.path(), &archive, &[]).done();
        assert_eq!(names_of(directory.path(), &image), json!(["app:1"]));
        read(directory.path(), &archive, &["--platform", "linux/s390x"])
            .failed(3)
            .says("no image for linux/s390x");
    }
    let mut config = small().config;
    let end = config.len() - 1;
    config.splice(end.., b",\"author\":\"\xff\"}".iter().copied());
    let platform = json!({"os": "linux", "architecture": "amd64"});
    let image = Image::with_config(Family::Oci, &platform, config, small().layers);
    for archive in [
        old_docker_save(&image, &["app:1"]),
        oci(&image, "docker.io/library/app:1"),
    ] {
        read(directory.path(), &archive.bytes(), &[]).done();
        assert_eq!(names_of(directory.path(), &image), json!(["app:1"]));
    }
}
