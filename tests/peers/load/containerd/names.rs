//! The names that images get in containerd.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{is_whole, load, names, small_layer, start};
use crate::machine::real_image::{GREETING, program_layer};
use crate::support::image::{Family, Image, OCI_INDEX, digest, hex, index};

/// A layout whose entry is an index of this image and of one that is absent.
fn indexed(image: &Image, name: &str) -> (TempDir, String) {
    let layout = image.layout(name);
    let mut absent = image.descriptor();
    absent["digest"] = json!(digest(b"absent"));
    absent["platform"] = json!({"os": "linux", "architecture": "s390x"});
    let index = index(&[absent, image.descriptor()]);
    let blobs = layout.path().join("blobs/sha256");
    fs::write(blobs.join(hex(&index)), &index).unwrap();
    let entry = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": OCI_INDEX,
        "digest": digest(&index),
        "size": index.len(),
        "annotations": {"org.opencontainers.image.ref.name": name},
    }]});
    fs::write(layout.path().join("index.json"), entry.to_string()).unwrap();
    (layout, digest(&index))
}

#[test]
fn an_index_keeps_its_digest_and_names_the_image() {
    let containerd = start();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let (layout, index) = indexed(&image, "ghcr.io/team/app:1");
    let id = load(&containerd.host(), layout.path()).run().done().text();
    assert_eq!(id.trim(), index);
    let by_digest = format!("ghcr.io/team/app@{index}");
    assert_eq!(
        names(&containerd, "default"),
        ["ghcr.io/team/app:1".to_owned(), by_digest.clone()]
    );
    for name in ["ghcr.io/team/app:1", &by_digest] {
        is_whole(&containerd, "default", name);
        assert!(containerd.run_image("default", name).contains(GREETING));
    }
    load(&containerd.host(), layout.path())
        .run()
        .done()
        .says("nothing was sent");
}

#[test]
fn kubernetes_gets_the_names_and_labels_of_a_pull() {
    let containerd = start();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let layout = image.layout("app:1");
    let namespaced = |namespace: &str| {
        load(&containerd.host(), layout.path()).env("CONTAINERD_NAMESPACE", namespace)
    };
    namespaced("k8s.io").run().done().says("sent 1 of 1 layers");
    let digest = image.digest();
    let expected = [
        "docker.io/library/app:1".to_owned(),
        format!("docker.io/library/app@{digest}"),
        image.config_digest(),
    ];
    assert_eq!(names(&containerd, "k8s.io"), expected);
    let list = containerd.ctr_in("k8s.io", &["images", "list"]);
    for line in list.lines().skip(1) {
        assert!(line.contains("io.cri-containerd.image=managed"), "{line}");
        assert!(line.contains(&digest), "{line}");
    }
    is_whole(&containerd, "k8s.io", "docker.io/library/app:1");
    // Another namespace shares the content, but has names of its own.
    namespaced("k8s.io")
        .arguments(["--namespace", "team.a"])
        .run()
        .done()
        .says("sent 0 of 1 layers, 0B of ");
    assert_eq!(names(&containerd, "team.a"), ["docker.io/library/app:1"]);
    is_whole(&containerd, "team.a", "docker.io/library/app:1");
    for wrong in ["a/b", "-", ""] {
        load(&containerd.host(), layout.path())
            .arguments(["--namespace", wrong])
            .run()
            .failed(2);
    }
    namespaced("..")
        .run()
        .failed(2)
        .says("CONTAINERD_NAMESPACE");
}

#[test]
fn images_without_a_tag_have_a_name_by_digest() {
    let containerd = start();
    let image = Image::new(Family::Oci, &["/x"], vec![small_layer("x")]);
    let layout = image.layout("app:1");
    let text = fs::read_to_string(layout.path().join("index.json")).unwrap();
    let mut text: Value = serde_json::from_str(&text).unwrap();
    text["manifests"][0]["annotations"] = Value::Null;
    fs::write(layout.path().join("index.json"), text.to_string()).unwrap();
    load(&containerd.host(), layout.path()).run().done();
    assert_eq!(names(&containerd, "default"), [image.digest()]);
    is_whole(&containerd, "default", &image.digest());
    load(&containerd.host(), layout.path())
        .arguments(["--namespace", "k8s.io"])
        .run()
        .done();
    assert_eq!(names(&containerd, "k8s.io"), [image.config_digest()]);
}
