//! The names that images get in containerd.

use std::fs;

use serde_json::{Value, json};

use super::{contents, indexed, is_whole, list_index, load, names, small_layer, start};
use crate::machine::containerd::Containerd;
use crate::machine::real_image::{GREETING, program_layer};
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, digest};

#[test]
fn an_image_with_an_index_is_found_by_both_digests() {
    let containerd = start();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let (layout, index) = indexed(&image, "ghcr.io/team/app:1");
    let id = load(&containerd.host(), layout.path()).run().done().text();
    assert_eq!(id.trim(), index);
    let by_index = format!("ghcr.io/team/app@{index}");
    let by_manifest = format!("ghcr.io/team/app@{}", image.digest());
    let mut expected = vec![
        "ghcr.io/team/app:1".to_owned(),
        by_index.clone(),
        by_manifest.clone(),
    ];
    expected.sort();
    assert_eq!(names(&containerd, "default"), expected);
    for name in &expected {
        is_whole(&containerd, "default", name);
        assert!(containerd.run_image("default", name).contains(GREETING));
    }
    assert_eq!(containerd.digest(&by_index), index);
    assert_eq!(containerd.digest(&by_manifest), image.digest());
    // Layer, config, manifest and index.
    let blobs = || containerd.ctr_in("default", &["content", "list", "--quiet"]);
    assert_eq!(blobs().lines().count(), 4);
    let again = || load(&containerd.host(), layout.path()).run().done();
    again().says("nothing was sent");

    containerd.ctr_in(
        "default",
        &["images", "rm", "ghcr.io/team/app:1", &by_index],
    );
    is_whole(&containerd, "default", &by_manifest);
    assert_eq!(blobs().lines().count(), 3, "the index is gone");
    let ran = containerd.run_image("default", &by_manifest);
    assert!(ran.contains(GREETING));
    again().says("sent 0 of 1 layers");
    assert_eq!(names(&containerd, "default"), expected);
    containerd.ctr_in("default", &["images", "rm", &by_manifest]);
    again().says("nothing was sent");
    assert_eq!(names(&containerd, "default"), expected);
}

#[test]
fn an_index_that_containerd_cannot_read_is_left_out() {
    let containerd = start();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    for (number, media_type) in [Value::Null, json!(""), json!("text/plain")]
        .into_iter()
        .enumerate()
    {
        let name = format!("app:{number}");
        let layout = image.layout(&name);
        let mut entry = image.descriptor();
        entry["mediaType"] = media_type;
        list_index(layout.path(), &[entry], &name);
        let id = load(&containerd.host(), layout.path()).run().done().text();
        assert_eq!(id.trim(), image.digest());
        let name = format!("docker.io/library/{name}");
        assert!(containerd.run_image("default", &name).contains(GREETING));
    }
}

#[test]
fn a_platform_is_selected_from_an_index() {
    let containerd = start();
    let own = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let platform = json!({"os": "linux", "architecture": "arm64", "variant": "v8"});
    let layers = vec![small_layer("for another machine")];
    let other = Image::for_platform(Family::Oci, &platform, &["/hello"], layers);
    let layout = own.layout("app:1");
    other.write_layout(layout.path(), "app:1");
    let index = list_index(
        layout.path(),
        &[other.descriptor(), own.descriptor()],
        "app:1",
    );
    let load_for = |arguments: &[&str]| {
        load(&containerd.host(), layout.path())
            .arguments(arguments)
            .run()
    };
    // Under the digest of the index, containerd would look for its own platform.
    let id = load_for(&["--platform", "linux/arm64"]).done().text();
    assert_eq!(id.trim(), other.digest());
    let name = "docker.io/library/app:1";
    assert_eq!(names(&containerd, "default"), [name]);
    assert_eq!(containerd.digest(name), other.digest());
    containerd.collect_garbage("default");
    let has = |text: &str| contents(&containerd, "default").join("\n").contains(text);
    let unpacked = digest(&other.layers[0].tar);
    assert!(has(&other.layers[0].digest()) && has(&unpacked));
    assert!(!has(&own.digest()) && !has(&index));

    for arguments in [&[][..], &["--platform", "linux/amd64"]] {
        let id = load_for(arguments).done().text();
        assert_eq!(id.trim(), index);
    }
    assert_eq!(containerd.digest(name), index);
    is_whole(&containerd, "default", name);
    assert!(!has(&other.digest()) && !has(&unpacked), "it is collected");
    load_for(&["--platform", "linux/s390x"])
        .failed(3)
        .says("no image for linux/s390x; available: linux/arm64, linux/amd64");
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
    // With its index, the image has the names of both pulls.
    let (with_index, index) = indexed(&image, "app:1");
    load(&containerd.host(), with_index.path())
        .arguments(["--namespace", "k8s.io"])
        .run()
        .done()
        .says("sent 0 of 1 layers");
    let mut expected = expected.to_vec();
    expected.insert(1, format!("docker.io/library/app@{index}"));
    expected[1..3].sort();
    assert_eq!(names(&containerd, "k8s.io"), expected);
    let list = containerd.ctr_in("k8s.io", &["images", "list"]);
    assert_eq!(list.matches("io.cri-containerd.image=managed").count(), 4);
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
fn an_image_that_is_named_by_digest_keeps_this_name_beside_a_tag() {
    let containerd = start();
    let image = Image::new(Family::Oci, &["/x"], vec![small_layer("x")]);
    let by_digest = format!("ghcr.io/team/app@{}", image.digest());
    let layout = image.layout(&by_digest);
    load(&containerd.host(), layout.path())
        .arguments(["--tag", "app:1"])
        .run()
        .done();
    let expected = ["docker.io/library/app:1".to_owned(), by_digest];
    assert_eq!(names(&containerd, "default"), expected);
    for name in &expected {
        is_whole(&containerd, "default", name);
        assert_eq!(containerd.digest(name), image.digest());
    }
}

#[test]
fn kubernetes_keeps_the_images_that_prune_removes_later() {
    let containerd = start();
    let state = tempfile::tempdir().unwrap();
    let image = Image::new(Family::Oci, &["/x"], vec![small_layer("x")]);
    let load_as = |name: &str, arguments: &[&str]| {
        load(&containerd.host(), image.layout(name).path())
            .arguments(["--namespace", "k8s.io"])
            .arguments(arguments)
            .run()
            .done();
        let list = containerd.ctr_in("k8s.io", &["images", "list"]);
        let pinned = list
            .lines()
            .filter(|line| line.contains("cri-containerd.pinned=pinned"));
        pinned.count()
    };
    let names_in = |namespace: &str| names(&containerd, namespace).len();
    assert_eq!((load_as("app:1", &[]), names_in("k8s.io")), (0, 3));
    let state = ["--state", state.path().to_str().unwrap()];
    // The names that existed are not in the record.
    assert_eq!((load_as("team/app:1", &state), names_in("k8s.io")), (2, 5));
    let prune = [
        "prune",
        "--host",
        &containerd.host(),
        "--namespace",
        "k8s.io",
    ];
    hocker(prune).arguments(state).run().done();
    assert_eq!((load_as("app:1", &[]), names_in("k8s.io")), (0, 3));
    let outside = ["--namespace", "default", state[0], state[1]];
    load(&containerd.host(), image.layout("app:1").path())
        .arguments(outside)
        .run()
        .done();
    let list = containerd.ctr_in("default", &["images", "list"]);
    assert!(!list.contains("pinned"), "{list}");
}

#[test]
fn images_of_pods_are_unpacked_by_the_snapshotter_of_pods() {
    let containerd = Containerd::with_pods_on("native");
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let layout = image.layout("app:1");
    let unpacked = |namespace: &str, snapshotter: &str| {
        let list = ["snapshots", "--snapshotter", snapshotter, "list"];
        let list = containerd.ctr_in(namespace, &list);
        list.contains(&digest(&image.layers[0].tar))
    };
    let load_into = |namespace: &str| {
        load(&containerd.host(), layout.path()).arguments(["--namespace", namespace])
    };
    load_into("k8s.io").run().done();
    assert!(unpacked("k8s.io", "native") && !unpacked("k8s.io", "overlayfs"));
    load_into("k8s.io").run().done().says("nothing was sent");
    load_into("k8s.io")
        .arguments(["--snapshotter", "overlayfs"])
        .run()
        .done();
    assert!(unpacked("k8s.io", "overlayfs"));
    load_into("default").run().done();
    assert!(unpacked("default", "overlayfs") && !unpacked("default", "native"));
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
