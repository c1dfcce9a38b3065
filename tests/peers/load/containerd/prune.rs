//! hocker prune with containerd.

use std::path::Path;

use super::{contents, indexed, is_whole, load, names, small_layer, start};
use crate::load::records;
use crate::machine::containerd::Containerd;
use crate::machine::real_image::{GREETING, program_layer, real_image};
use crate::pipeline::registry_with;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image};

fn prune(containerd: &Containerd, state: &Path, arguments: &[&str]) -> Vec<String> {
    let outcome = hocker(["prune", "--host", &containerd.host(), "--state"])
        .arguments([state])
        .arguments(arguments)
        .run()
        .done();
    outcome.text().lines().map(str::to_owned).collect()
}

#[test]
fn prune_removes_what_no_container_uses_and_nobody_else_named() {
    let containerd = start();
    let state = tempfile::tempdir().unwrap();
    let images = ["old", "kept", "used", "shared"].map(|name| {
        let layers = vec![program_layer(GREETING), small_layer(name)];
        (name, Image::new(Family::Oci, &["/hello"], layers))
    });
    for (name, image) in &images {
        let layout = image.layout(&format!("app:{name}"));
        load(&containerd.host(), layout.path())
            .arguments(["--state", state.path().to_str().unwrap()])
            .run()
            .done();
    }
    let [(_, old), (_, kept), (_, used), (_, shared)] = &images;
    let name = |name: &str| format!("docker.io/library/{name}");
    containerd.ctr_in("default", &["images", "tag", &name("app:shared"), "mine"]);
    containerd.create_container("default", &name("app:used"), "container");
    // The container still uses the image after its name has moved.
    load(&containerd.host(), old.layout("app:used").path())
        .run()
        .done();
    let keep = kept.layout("app:kept");
    let keep = ["--keep", keep.path().to_str().unwrap()];
    let dry = prune(
        &containerd,
        state.path(),
        &[&keep[..], &["--dry-run"]].concat(),
    );
    assert_eq!(
        dry,
        Vec::<String>::new(),
        "another load named the old image"
    );
    containerd.ctr_in("default", &["images", "rm", &name("app:used")]);
    containerd.ctr_in("default", &["images", "tag", &name("app:shared"), "x"]);
    assert_eq!(prune(&containerd, state.path(), &keep), [old.digest()]);
    assert_eq!(
        names(&containerd, "default"),
        [name("app:kept"), "mine".to_owned(), "x".to_owned()]
    );
    assert_eq!(containerd.digest("mine"), shared.digest());
    assert_ne!(containerd.digest("mine"), used.digest());
    is_whole(&containerd, "default", &name("app:kept"));
}

#[test]
fn prune_keeps_the_image_of_a_container() {
    let containerd = start();
    let state = tempfile::tempdir().unwrap();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    load(&containerd.host(), image.layout("app:1").path())
        .arguments(["--state", state.path().to_str().unwrap(), "--tag", "app:2"])
        .run()
        .done();
    containerd.create_container("default", "docker.io/library/app:1", "container");
    // Its snapshot still stands on the image's layers.
    containerd.ctr_in("default", &["images", "rm", "docker.io/library/app:1"]);
    assert_eq!(prune(&containerd, state.path(), &[]), Vec::<String>::new());
    containerd.ctr_in("default", &["containers", "delete", "container"]);
    assert_eq!(prune(&containerd, state.path(), &[]), [image.digest()]);
    containerd.collect_garbage("default");
    assert_eq!(contents(&containerd, "default"), Vec::<String>::new());
}

#[test]
fn prune_keeps_the_image_of_a_container_with_other_user_ids() {
    let containerd = start();
    let state = tempfile::tempdir().unwrap();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let name = "docker.io/library/app:1";
    load(&containerd.host(), image.layout("app:1").path())
        .arguments(["--state", state.path().to_str().unwrap(), "--tag", "app:2"])
        .run()
        .done();
    let container = containerd.run_remapped("default", name);
    // Below the container's snapshot is one whose files belong to these users.
    containerd.ctr_in("default", &["images", "rm", name]);
    assert_eq!(prune(&containerd, state.path(), &[]), Vec::<String>::new());
    containerd.ctr_in("default", &["containers", "delete", &container]);
    assert_eq!(prune(&containerd, state.path(), &[]), [image.digest()]);
}

#[test]
fn prune_needs_no_snapshotter() {
    let containerd = Containerd::without_overlays();
    let state = tempfile::tempdir().unwrap();
    let image = Image::new(Family::Oci, &["/x"], vec![small_layer("x")]);
    let layout = image.layout("app:1");
    let load = || load(&containerd.host(), layout.path()).arguments(["--state"]);
    load()
        .arguments([state.path()])
        .run()
        .failed(7)
        .says("containerd has no snapshotter `overlayfs`; it has native");
    load()
        .arguments([state.path()])
        .arguments(["--snapshotter", "native"])
        .run()
        .done();
    assert_eq!(prune(&containerd, state.path(), &[]), [image.digest()]);
}

#[test]
fn prune_keeps_an_image_that_was_also_pulled() {
    let containerd = start();
    let state = tempfile::tempdir().unwrap();
    let image = real_image();
    let registry = registry_with(&image);
    let name = format!("{}/team/app:1", registry.name());
    load(&containerd.host(), image.layout(&name).path())
        .arguments(["--state", state.path().to_str().unwrap()])
        .run()
        .done();
    let removed = prune(&containerd, state.path(), &["--dry-run"]);
    assert_eq!(removed, [image.digest()]);
    // containerd fetches no blob, but it was asked to.
    containerd.pull(&name);
    assert_eq!(prune(&containerd, state.path(), &[]), Vec::<String>::new());
    assert_eq!(names(&containerd, "default"), [name]);
    assert_eq!(records(state.path()), Vec::<serde_json::Value>::new());
}

#[test]
fn prune_removes_an_image_with_its_names_by_digest() {
    let containerd = start();
    let state = tempfile::tempdir().unwrap();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let (layout, index) = indexed(&image, "app:1");
    load(&containerd.host(), layout.path())
        .arguments(["--state", state.path().to_str().unwrap()])
        .run()
        .done();
    let by_manifest = format!("docker.io/library/app@{}", image.digest());
    containerd.create_container("default", &by_manifest, "container");
    assert_eq!(prune(&containerd, state.path(), &[]), Vec::<String>::new());
    containerd.ctr_in("default", &["containers", "delete", "container"]);
    assert_eq!(prune(&containerd, state.path(), &[]), [index]);
    containerd.collect_garbage("default");
    assert_eq!(contents(&containerd, "default"), Vec::<String>::new());
    assert_eq!(records(state.path()), Vec::<serde_json::Value>::new());
}

#[test]
fn an_image_that_stays_without_its_index_keeps_the_name_by_its_digest() {
    let containerd = start();
    let state = tempfile::tempdir().unwrap();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let (with_index, _) = indexed(&image, "app:1");
    let alone = image.layout("app:1");
    for layout in [with_index.path(), alone.path()] {
        load(&containerd.host(), layout)
            .arguments(["--namespace", "k8s.io", "--state"])
            .arguments([state.path()])
            .run()
            .done();
    }
    let of_kubernetes = ["--namespace", "k8s.io"];
    let keep = ["--keep", alone.path().to_str().unwrap()];
    for _ in 0..2 {
        let keep = [&of_kubernetes[..], &keep].concat();
        assert_eq!(
            prune(&containerd, state.path(), &keep),
            Vec::<String>::new()
        );
        let expected = [
            "docker.io/library/app:1".to_owned(),
            format!("docker.io/library/app@{}", image.digest()),
            image.config_digest(),
        ];
        assert_eq!(names(&containerd, "k8s.io"), expected);
    }
    assert_eq!(prune(&containerd, state.path(), &of_kubernetes).len(), 1);
    containerd.collect_garbage("k8s.io");
    assert_eq!(contents(&containerd, "k8s.io"), Vec::<String>::new());
    assert_eq!(records(state.path()), Vec::<serde_json::Value>::new());
}
