//! Stores from which podman runs an image.

#![allow(
    clippy::indexing_slicing,
    reason = "a record without a field is what its callers look for"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hocker::archive::names::Names;
use hocker::name::Reference;
use hocker::oci::config::ImageConfig;
use hocker::oci::digest::Digest;
use hocker::oci::document::Document;
use hocker::oci::index::Index;
use hocker::oci::manifest::Manifest;
use hocker::podman_store::{self, Diff, LayerFile, StoreImage};
use serde_json::{Value, json};

/// A config of an image, behind a line with its names. The manifest and the index are made for it, since a fuzzer does
/// not guess digests. What is accepted becomes a store with nothing outside of its directory, whose records podman can
/// read: IDs are digests, names are references, and each layer is found once.
pub fn podman_store(text: &str) {
    let (names, config) = text.split_once('\n').unwrap_or(("", text));
    let Ok(config) = Document::<ImageConfig>::parse(config.as_bytes().to_vec(), None) else {
        return;
    };
    let (manifest, index) = manifest_and_index(&config);
    let names = Names {
        repo_tags: names.split(' ').map(ToOwned::to_owned).collect(),
        ..Names::default()
    };
    let Ok(image) = StoreImage::new(&names, manifest, Some(index), config.clone()) else {
        return;
    };
    let layers: Vec<_> = (0..)
        .zip(image.layers())
        .map(|(number, _)| LayerFile {
            image: PathBuf::from(format!("../../layers/{number}")),
            size: 4096,
            diff: Diff::Here,
        })
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    fs::create_dir(&store).unwrap();
    podman_store::write(&store, &image, &layers).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    let images = records(&store.join("overlay-images/images.json"));
    let [record] = &images[..] else {
        unreachable!("there is one image")
    };
    assert_eq!(record["id"], config.digest().hex());
    let mut seen = BTreeSet::new();
    for name in record["names"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        assert!(seen.insert(name.to_owned()), "{name}");
        let reference: Reference = name.parse().unwrap();
        let (full_name, tag) = (reference.full_name(), reference.tag_or_latest());
        assert_eq!(format!("{full_name}:{tag}"), name);
    }
    documents(&store, record);
    trees(&store, record["layer"].as_str(), layers.len());
}

fn records(path: &Path) -> Vec<Value> {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn manifest_and_index(config: &Document<ImageConfig>) -> (Document<Manifest>, Document<Index>) {
    let layers: Vec<_> = config
        .diff_ids()
        .iter()
        .map(|diff_id| {
            json!({
                "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": diff_id.digest().to_string(),
                "size": 1,
            })
        })
        .collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config.digest().to_string(),
            "size": config.size(),
        },
        "layers": layers,
    });
    let manifest = Document::<Manifest>::parse(manifest.to_string().into_bytes(), None).unwrap();
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": manifest.digest().to_string(),
            "size": manifest.size(),
        }],
    });
    let index = Document::parse(index.to_string().into_bytes(), None).unwrap();
    (manifest, index)
}

/// Each document is in the file that podman looks for, with the digest that the record states.
fn documents(store: &Path, record: &Value) {
    let id = record["id"].as_str().unwrap();
    let files = fs::read_dir(store.join("overlay-images").join(id)).unwrap();
    let files: BTreeMap<u64, Vec<Digest>> = files.fold(BTreeMap::new(), |mut sizes, file| {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        let same: &mut Vec<Digest> = sizes.entry(bytes.len() as u64).or_default();
        same.push(Digest::of(&bytes));
        sizes
    });
    let names = record["big-data-names"].as_array().unwrap();
    assert_eq!(names.len(), files.values().map(Vec::len).sum::<usize>());
    for name in names {
        let name = name.as_str().unwrap();
        let size = record["big-data-sizes"][name].as_u64().unwrap();
        let digest = record["big-data-digests"][name].as_str().unwrap();
        assert!(files[&size].contains(&digest.parse().unwrap()), "{name}");
    }
}

/// From the topmost layer, each parent is found, and its directory has the short names of all layers below.
fn trees(store: &Path, top: Option<&str>, count: usize) {
    let layers = records(&store.join("overlay-layers/layers.json"));
    assert_eq!(layers.len(), count);
    let by_id: BTreeMap<_, _> = layers
        .iter()
        .map(|layer| (layer["id"].as_str().unwrap(), layer))
        .collect();
    assert_eq!(by_id.len(), count);
    let overlay = store.join("overlay");
    assert_eq!(fs::read_dir(&overlay).unwrap().count(), count + 1);
    let read = |id: &str, name: &str| fs::read_to_string(overlay.join(id).join(name));
    let mut at = top;
    let mut below = None;
    let mut found = 0;
    while let Some(id) = at {
        assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let link = format!("l/{}", read(id, "link").unwrap());
        let target = fs::read_link(overlay.join(&link)).unwrap();
        assert_eq!(target, Path::new("..").join(id).join("diff"));
        let lower = read(id, "lower").ok();
        if let Some(below) = below {
            let expected = lower
                .as_ref()
                .map_or(link.clone(), |lower| format!("{link}:{lower}"));
            assert_eq!(expected, below);
        }
        below = lower;
        at = by_id[id]["parent"].as_str();
        found += 1;
    }
    assert_eq!(below, None);
    assert_eq!(found, count);
}
