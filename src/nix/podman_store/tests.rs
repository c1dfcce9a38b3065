use std::fs::File;

use serde_json::{Value, json};

use super::*;
use crate::compression::Limit;
use crate::erofs::Source;
use crate::oci::digest::Digest;
use crate::oci::media_type::MediaType;

/// Writes a layer without files, `blocks` blocks long, and its image. Returns the layer.
fn layer(directory: &Path, name: &str, blocks: usize) -> Vec<u8> {
    let layer = vec![0; 512 * blocks];
    fs::write(directory.join(name), &layer).unwrap();
    let mut options = File::options();
    let path = directory.join(format!("{name}.erofs"));
    let image = options.read(true).write(true).create(true).open(path);
    let source = Source {
        layer: &layer[..],
        size: None,
        diff_id: None,
        limit: Limit::default(),
    };
    erofs::convert(source, &image.unwrap(), directory).unwrap();
    layer
}

/// A store of two layers. Its manifest is known.
fn job(directory: &Path) -> (PodmanStoreJob, Value) {
    let layers = [layer(directory, "a", 2), layer(directory, "b", 4)];
    let diff_ids: Vec<_> = layers.iter().map(|layer| Digest::of(layer)).collect();
    let config =
        json!({ "os": "linux", "architecture": "amd64", "rootfs": { "diff_ids": diff_ids } })
            .to_string();
    fs::write(directory.join("config"), &config).unwrap();
    let descriptor = |media_type: MediaType, bytes: &[u8]| json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OCI_MANIFEST,
        "config": descriptor(MediaType::OCI_CONFIG, config.as_bytes()),
        "layers": layers.map(|layer| descriptor(MediaType::OCI_LAYER, &layer)),
    })
    .to_string();
    let mounted = |name: &str| {
        let image = directory.join(format!("{name}.erofs"));
        json!({ "image": image, "mount": format!("/run/layers/{name}") })
    };
    let attribute = json!({
        "image": {
            "interpreter": "/bin/hocker",
            "repoTags": ["app:1"],
            "reference": "docker.io/library/app:1",
            "tag": "1",
            "manifest": manifest,
            "config": { "path": directory.join("config") },
            "layers": [],
        },
        "layers": [mounted("a"), mounted("b")],
    });
    (with(directory, &attribute), attribute)
}

fn with(directory: &Path, attribute: &Value) -> PodmanStoreJob {
    PodmanStoreJob {
        out: directory.join("out"),
        spec: serde_json::from_value(attribute.clone()).unwrap(),
    }
}

#[test]
fn a_store_links_to_the_images_and_to_their_mount_points() {
    let directory = tempfile::tempdir().unwrap();
    let (job, _) = job(directory.path());
    job.build().unwrap();
    let layers = fs::read(job.out.join("overlay-layers/layers.json")).unwrap();
    let layers: Value = serde_json::from_slice(&layers).unwrap();
    for (layer, name) in layers.as_array().unwrap().iter().zip(["a", "b"]) {
        let tree = job.out.join("overlay").join(layer["id"].as_str().unwrap());
        let target = |link: &str| fs::read_link(tree.join(link)).unwrap();
        let image = directory.path().join(format!("{name}.erofs"));
        assert_eq!(target("diff"), Path::new("/run/layers").join(name));
        assert_eq!(target("layer.erofs"), image);
        assert_eq!(layer["diff-size"], fs::metadata(image).unwrap().len());
    }
}

#[test]
fn a_manifest_is_made_of_the_layers_if_none_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let (_, mut attribute) = job(directory.path());
    attribute["image"]["manifest"].take();
    attribute["image"]["layers"] = ["a", "b"]
        .map(|name| json!({ "path": directory.path().join(name) }))
        .into_iter()
        .collect();
    let job = with(directory.path(), &attribute);
    job.build().unwrap();
    let images = fs::read_to_string(job.out.join("overlay-images/images.json")).unwrap();
    assert!(images.contains("docker.io/library/app:1"), "{images}");
}

#[test]
fn refuses_images_of_other_layers_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (_, attribute) = job(directory.path());
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut attribute = attribute.clone();
        change(&mut attribute);
        let job = with(directory.path(), &attribute);
        let error = job.build().unwrap_err();
        assert!(!job.out.exists());
        assert_eq!(error.class(), Class::Integrity, "{error}");
        error
    };
    let error = changed(&|attribute| attribute["layers"].as_array_mut().unwrap().reverse());
    assert!(
        matches!(
            error,
            Error::Layer {
                source: CheckError::OtherLayer(_),
                ..
            }
        ),
        "{error}"
    );
    let error = changed(&|attribute| {
        attribute["layers"][0]["image"] = json!(directory.path().join("config"));
    });
    assert!(
        matches!(
            error,
            Error::Layer {
                source: CheckError::NotAnImage,
                ..
            }
        ),
        "{error}"
    );
    let error = changed(&|attribute| {
        attribute["layers"].as_array_mut().unwrap().pop();
    });
    assert!(matches!(error, Error::LayerCount { .. }), "{error}");
}
