use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Error, LayerId, StoreImage};
use super::*;
use crate::archive::names::Names;
use crate::oci::config::ImageConfig;
use crate::oci::digest::{DiffId, Digest};
use crate::oci::document::Document;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;
use crate::oci::media_type::MediaType;

fn diff_id(number: u8) -> Digest {
    Digest::of(&[number])
}

fn config(created: &Value, layers: u8) -> Document<ImageConfig> {
    let diff_ids: Vec<_> = (0..layers).map(diff_id).collect();
    let config = json!({ "os": "linux", "architecture": "amd64", "created": created,
        "rootfs": { "type": "layers", "diff_ids": diff_ids } });
    Document::parse(config.to_string().into_bytes(), None).unwrap()
}

fn manifest(config: &Document<ImageConfig>, layers: u8) -> Document<Manifest> {
    let types = [
        MediaType::OCI_LAYER_GZIP,
        MediaType::OCI_LAYER_ZSTD,
        MediaType::OCI_LAYER,
    ];
    let layer = |number: u8| {
        let media_type = types[usize::from(number) % 3].as_str();
        json!({ "mediaType": media_type, "digest": Digest::of(&[number, 1]), "size": number })
    };
    let manifest = json!({ "schemaVersion": 2, "mediaType": MediaType::OCI_MANIFEST.as_str(),
        "config": { "mediaType": MediaType::OCI_CONFIG.as_str(), "digest": config.digest(), "size": config.size() },
        "layers": (0..layers).map(layer).collect::<Vec<_>>() });
    Document::parse(manifest.to_string().into_bytes(), None).unwrap()
}

fn index(manifest: &Digest) -> Document<Index> {
    let entry =
        json!({ "mediaType": MediaType::OCI_MANIFEST.as_str(), "digest": manifest, "size": 9 });
    let index = json!({ "schemaVersion": 2, "mediaType": MediaType::OCI_INDEX.as_str(), "manifests": [entry] });
    Document::parse(index.to_string().into_bytes(), None).unwrap()
}

fn names(reference: &str) -> Names {
    Names::of_reference(&reference.parse().unwrap())
}

fn image(names: &Names, created: &Value, layers: u8, with_index: bool) -> StoreImage {
    let config = config(created, layers);
    let manifest = manifest(&config, layers);
    let index = with_index.then(|| index(manifest.digest()));
    StoreImage::new(names, manifest, index, config).unwrap()
}

fn files(layers: u8) -> Vec<LayerFile> {
    let file = |number: u8| LayerFile {
        image: format!("/images/{number}.erofs").into(),
        size: 4096 * (u64::from(number) + 1),
        diff: match number {
            0 => Diff::Here,
            _ => Diff::At(format!("/run/layers/{number}").into()),
        },
    };
    (0..layers).map(file).collect()
}

/// Every path of a directory, with the content of files and the targets of links.
fn tree(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(path) = pending.pop() {
        for entry in fs::read_dir(directory.join(&path)).unwrap() {
            let path = path.join(entry.unwrap().file_name());
            let full = directory.join(&path);
            let content = if let Ok(target) = fs::read_link(&full) {
                format!("-> {}", target.display()).into_bytes()
            } else if full.is_dir() {
                pending.push(path.clone());
                Vec::new()
            } else {
                fs::read(&full).unwrap()
            };
            found.insert(path, content);
        }
    }
    found
}

fn written(image: &StoreImage, layers: u8) -> BTreeMap<PathBuf, Vec<u8>> {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), image, &files(layers)).unwrap();
    tree(directory.path())
}

fn record(tree: &BTreeMap<PathBuf, Vec<u8>>, path: &str) -> Value {
    serde_json::from_slice(&tree[Path::new(path)]).unwrap()
}

#[test]
fn an_image_is_recorded_under_its_names_and_under_every_digest() {
    let created = json!("2024-02-29T23:59:59.5+01:00");
    let image = image(&names("debian:12"), &created, 2, true);
    let (id, manifest) = (image.config.digest(), image.manifest.digest());
    let index = image.index.as_ref().unwrap().digest();
    let tree = written(&image, 2);
    let (by_manifest, by_index) = (format!("manifest-{manifest}"), format!("manifest-{index}"));
    assert_eq!(
        record(&tree, "overlay-images/images.json"),
        json!([{
            "id": id.hex(),
            "digest": index,
            "names": ["docker.io/library/debian:12"],
            "names-history": ["docker.io/library/debian:12"],
            "layer": image.layers()[1].id.to_string(),
            "metadata": "{}",
            "big-data-names": [id, "manifest", by_manifest, by_index],
            "big-data-sizes": {
                (id.to_string()): image.config.size(),
                "manifest": image.manifest.size(),
                (by_manifest.as_str()): image.manifest.size(),
                (by_index.as_str()): image.index.as_ref().unwrap().size(),
            },
            "big-data-digests": {
                (id.to_string()): id,
                "manifest": manifest,
                (by_manifest.as_str()): manifest,
                (by_index.as_str()): index,
            },
            "created": "2024-02-29T22:59:59Z",
        }])
    );
    let file = |key: &str| {
        let path = Path::new("overlay-images")
            .join(id.hex())
            .join(file_name(key));
        tree[&path].as_slice()
    };
    assert_eq!(file("manifest"), image.manifest.bytes());
    assert_eq!(file(&by_index), image.index.as_ref().unwrap().bytes());
    assert_eq!(file(&id.to_string()), image.config.bytes());
}

#[test]
fn layers_are_recorded_with_their_digests_and_find_the_layers_below() {
    let image = image(&names("a"), &json!(null), 3, false);
    let tree = written(&image, 3);
    let ids: Vec<LayerId> = image.layers().iter().map(|layer| layer.id).collect();
    let record_of = |number: u8, parent: Option<LayerId>, compression: u8| {
        let mut record = json!({
            "id": ids[usize::from(number)].to_string(),
            "created": "0001-01-01T00:00:00Z",
            "compressed-diff-digest": Digest::of(&[number, 1]),
            "compressed-size": number,
            "diff-digest": diff_id(number),
            "diff-size": 4096 * (u64::from(number) + 1),
            "compression": compression,
        });
        if let Some(parent) = parent {
            record["parent"] = parent.to_string().into();
        }
        record
    };
    assert_eq!(
        record(&tree, "overlay-layers/layers.json"),
        json!([
            record_of(0, None, 2),
            record_of(1, Some(ids[0]), 4),
            record_of(2, Some(ids[1]), 0)
        ])
    );
    let text = |number: usize, name: &str| {
        let path = format!("overlay/{}/{name}", ids[number]);
        let bytes = tree.get(Path::new(&path))?;
        Some(String::from_utf8(bytes.clone()).unwrap())
    };
    let link = |number: usize| ids[number].link();
    assert_eq!(text(0, "lower"), None);
    assert_eq!(text(1, "lower"), Some(format!("l/{}", link(0))));
    assert_eq!(
        text(2, "lower"),
        Some(format!("l/{}:l/{}", link(1), link(0)))
    );
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(text(number, "link"), Some(link(number)));
        let image = format!("-> /images/{number}.erofs");
        assert_eq!(text(number, "layer.erofs"), Some(image));
        let short = PathBuf::from(format!("overlay/l/{}", link(number)));
        assert_eq!(tree[&short], format!("-> ../{id}/diff").into_bytes());
    }
    assert_eq!(text(0, "diff"), Some(String::new()));
    assert_eq!(text(1, "diff").as_deref(), Some("-> /run/layers/1"));
    for lock in ["overlay-images/images.lock", "overlay-layers/layers.lock"] {
        assert_eq!(tree[Path::new(lock)], b"");
    }
}

#[test]
fn the_same_image_gives_the_same_bytes() {
    let image = |()| {
        image(
            &names("ghcr.io/a/b:1"),
            &json!("2024-01-01T00:00:00Z"),
            3,
            true,
        )
    };
    assert_eq!(written(&image(()), 3), written(&image(()), 3));
}

#[test]
fn names_are_complete_and_occur_once() {
    let digest = Digest::of(b"other");
    let mut several = names("debian:12");
    several
        .repo_tags
        .push("docker.io/library/debian:12".to_owned());
    several.add(&"localhost:5000/app".parse().unwrap());
    let by_digest = names(&format!("ghcr.io/a/b@{digest}"));
    let of = |names: &Names, with_index| {
        let image = image(names, &json!(null), 1, with_index);
        let digests = [
            Some(*image.manifest.digest()),
            image.index.as_ref().map(|index| *index.digest()),
        ];
        (image.names, digests)
    };
    assert_eq!(
        of(&several, true).0,
        ["docker.io/library/debian:12", "localhost:5000/app:latest"]
    );
    // Podman finds the image by the digests that it really has.
    let (named, [manifest, _]) = of(&by_digest, false);
    assert_eq!(named, [format!("ghcr.io/a/b@{}", manifest.unwrap())]);
    let (named, [manifest, index]) = of(&by_digest, true);
    let expected = [index, manifest].map(|digest| format!("ghcr.io/a/b@{}", digest.unwrap()));
    assert_eq!(named, expected);
    assert_eq!(of(&Names::default(), true).0, Vec::<String>::new());
}

#[test]
fn times_are_those_that_every_reader_takes() {
    for (created, recorded) in [
        (json!("1969-12-31T23:59:59Z"), "1969-12-31T23:59:59Z"),
        (json!("0000-01-01T00:00:00Z"), "0001-01-01T00:00:00Z"),
        (json!("9999-12-31T23:59:59-01:00"), "0001-01-01T00:00:00Z"),
        (json!("yesterday"), "0001-01-01T00:00:00Z"),
        (json!(17), "0001-01-01T00:00:00Z"),
    ] {
        let tree = written(&image(&names("a"), &created, 0, false), 0);
        let images = record(&tree, "overlay-images/images.json");
        assert_eq!(images[0]["created"], recorded, "{created}");
        assert_eq!(images[0].get("layer"), None);
        assert_eq!(record(&tree, "overlay-layers/layers.json"), json!([]));
    }
}

#[test]
fn refuses_documents_that_do_not_belong_together() {
    let one = config(&json!(null), 1);
    let other = config(&json!("2024-01-01T00:00:00Z"), 1);
    let names = Names::default();
    let refused = |manifest: &Document<Manifest>, index, config: &Document<ImageConfig>| {
        StoreImage::new(&names, manifest.clone(), index, config.clone()).unwrap_err()
    };
    let fitting = manifest(&one, 1);
    for (error, expected) in [
        (refused(&fitting, None, &other), "the config is sha256:"),
        (
            refused(&manifest(&one, 2), None, &one),
            "cannot use the image's manifest",
        ),
        (
            refused(&fitting, Some(index(&diff_id(9))), &one),
            "the index sha256:",
        ),
    ] {
        assert!(error.to_string().starts_with(expected), "{error}");
        assert_eq!(error.class(), crate::class::Class::Integrity, "{error}");
    }
}

#[test]
fn refuses_an_image_that_podman_could_not_name() {
    let diff_id = Digest::Sha512([7; 64]);
    let text =
        json!({ "os": "linux", "architecture": "amd64", "rootfs": { "diff_ids": [diff_id] } });
    let config = Document::parse(text.to_string().into_bytes(), None).unwrap();
    let error = StoreImage::new(&Names::default(), manifest(&config, 1), None, config).unwrap_err();
    assert_eq!(error.class(), crate::class::Class::Unsupported, "{error}");
    assert_eq!(DiffId::new(diff_id).digest(), &diff_id);
}

#[test]
fn refuses_names_that_are_no_references() {
    let config = config(&json!(null), 0);
    for name in ["", "UPPER", "a b", "../x", "sha256:", "x\"}]"] {
        let names = Names {
            repo_tags: vec![name.to_owned()],
            ..Names::default()
        };
        let error = StoreImage::new(&names, manifest(&config, 0), None, config.clone());
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Name(_)), "{name}: {error}");
    }
}

#[test]
fn every_layer_needs_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let image = image(&names("a"), &json!(null), 2, false);
    let error = write(directory.path(), &image, &files(1)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(tree(directory.path()).is_empty());
}
