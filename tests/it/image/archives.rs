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
use crate::support::image::{Family, Image, Layer, Packing, digest, gzip, hex, small};

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
            "a second manifest.json, by a name that leads out",
            good.clone().file("../../manifest.json", "[]").bytes(),
            5,
            "two different members",
        ),
        (
            "a second manifest.json, by an absolute name",
            good.clone().file("/manifest.json", "[]").bytes(),
            5,
            "two different members",
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
fn a_file_that_is_neither_an_archive_nor_a_script_is_no_image() {
    let directory = tempfile::tempdir().unwrap();
    for content in [&b"no image"[..], b""] {
        read(directory.path(), content, &[])
            .failed(7)
            .says("the file is not an image");
    }
}

/// Docker unpacks an archive where it cannot leave a directory, and other programs ignore such members.
#[test]
fn members_with_names_that_lead_out_do_no_harm_and_links_are_followed_inside() {
    let image = twice();
    let config = format!("{}.json", hex(&image.config));
    let [one, two, _] = [0, 1, 2].map(|number| image.layers[number].tar.clone());
    let layers = |names: [&str; 3]| manifest_json(&config, &["app:1"], &names.map(str::to_owned));
    let with_layers = || {
        Archive::default()
            .file("1/layer.tar", one.clone())
            .file("2/layer.tar", two.clone())
            .file(&config, image.config.clone())
    };
    let names = ["1/layer.tar", "2/layer.tar", "3/layer.tar"];
    let absolute = Archive::default()
        .file("/1/layer.tar", one.clone())
        .file("/2/layer.tar", two.clone())
        .file(&format!("/{config}"), image.config.clone())
        .link("/3/layer.tar", "/1/layer.tar");
    for archive in [
        old_docker_save(&image, &["app:1"]).file("../../evil", "x"),
        old_docker_save(&image, &["app:1"]).file("/etc/evil", "x"),
        absolute.json("/manifest.json", &layers(names)),
        with_layers()
            .link("3/layer.tar", "../../1/layer.tar")
            .json("manifest.json", &layers(names)),
        with_layers()
            .link("3", "1")
            .json("manifest.json", &layers(names)),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        read(&inner, &archive.bytes(), &[]).done();
        assert_eq!(names_of(&inner, &image), json!(["app:1"]));
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 2);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}

/// Docker leaves images that are saved by a digest out of `index.json`, and Docker 25.0 wrote manifests without layers.
///
/// Sources: moby, issues 47210, 51389 and 47065.
#[test]
fn what_only_manifest_json_has_of_a_hybrid_archive_is_read() {
    let (first, second) = (small(), twice());
    let blob = |content: &[u8]| format!("blobs/sha256/{}", hex(content));
    let item = |image: &Image, tags: Value| {
        let layers: Vec<_> = image.layers.iter().map(|layer| blob(&layer.tar)).collect();
        json!({ "Config": blob(&image.config), "RepoTags": tags, "Layers": layers })
    };
    let blobs = |images: &[&Image]| {
        images.iter().fold(Archive::default(), |archive, image| {
            let layers = image.layers.iter().map(|layer| &layer.tar);
            layers
                .chain([&image.config])
                .fold(archive, |archive, content| {
                    archive.file(&blob(content), content.clone())
                })
        })
    };
    let index = |entries: Value| {
        let media_type = "application/vnd.oci.image.index.v1+json";
        json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": entries })
    };
    let directory = tempfile::tempdir().unwrap();

    for index in [index(Value::Null), json!({ "manifests": null })] {
        let archive = blobs(&[&first])
            .json("index.json", &index)
            .json("manifest.json", &json!([item(&first, Value::Null)]));
        read(directory.path(), &archive.bytes(), &[]).done();
        assert_eq!(names_of(directory.path(), &first), json!([]));
    }

    let manifest = |layers: Value| {
        let config = json!({
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest(&first.config), "size": first.config.len(),
        });
        json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config, "layers": layers,
        })
        .to_string()
        .into_bytes()
    };
    let entry = |manifest: &[u8]| {
        json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest(manifest), "size": manifest.len(),
            "annotations": { "io.containerd.image.name": "docker.io/library/app:1" },
        })
    };
    let hollow = manifest(Value::Null);
    let archive = blobs(&[&first])
        .file(&blob(&hollow), hollow.clone())
        .json("index.json", &index(json!([entry(&hollow)])))
        .json(
            "manifest.json",
            &json!([item(&first, json!(["app:1", "app:2"]))]),
        );
    read(directory.path(), &archive.bytes(), &[]).done();
    assert_eq!(
        names_of(directory.path(), &first),
        json!(["app:1", "app:2"])
    );

    let layers: Vec<_> = first
        .layers
        .iter()
        .map(|layer| {
            json!({
                "mediaType": "application/vnd.oci.image.layer.v1.tar",
                "digest": digest(&layer.tar), "size": layer.tar.len(),
            })
        })
        .collect();
    let whole = manifest(json!(layers));
    let items = json!([
        item(&second, json!(["second:1"])),
        item(&first, json!(["app:1"]))
    ]);
    let archive = blobs(&[&first, &second])
        .file(&blob(&whole), whole.clone())
        .json("index.json", &index(json!([entry(&whole)])))
        .json("manifest.json", &items);
    for (name, image) in [("app:1", &first), ("second:1", &second)] {
        read(directory.path(), &archive.bytes(), &["--image", name]).done();
        assert_eq!(names_of(directory.path(), image), json!([name]));
    }
    // One name for two images is a contradiction, whichever list has the first.
    let items = json!([item(&second, json!(["app:1"]))]);
    let archive = blobs(&[&first, &second])
        .file(&blob(&whole), whole.clone())
        .json("index.json", &index(json!([entry(&whole)])))
        .json("manifest.json", &items);
    read(directory.path(), &archive.bytes(), &[])
        .failed(5)
        .says("they name different images app:1");
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
