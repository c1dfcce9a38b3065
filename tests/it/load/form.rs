//! In which form layers go to which daemon.

use std::collections::HashSet;

use hocker::size::Size;
use serde_json::Value;

use super::{
    LIBPOD_INFO, absent, docker_that_says, elsewhere, gets, has_no_left_names, here, inspect,
    inspected, json, layout, load, loaded, pong, upload, uploads,
};
use crate::support::hocker::Outcome;
use crate::support::image::{Family, Image, Layer, Packing, noise};
use crate::support::scripted_registry::{Registry, get};

/// A layer in each packing, and those that say little of how large they become: of several gzip members, one that
/// says too little, and one that says what cannot be.
fn image() -> Image {
    let noise = noise(100_000);
    Image::new(
        Family::Oci,
        &["/a"],
        vec![
            Layer::of_files(Packing::Gzip, &[("gzip", &[1; 5000])]),
            Layer::of_files(Packing::GzipMembers, &[("members", &[2; 50_000])]),
            Layer::of_files(Packing::GzipMembers, &[("noise", &noise)]),
            Layer::of_files(Packing::Zstd, &[("zstd", &[3; 5000])]),
            Layer::of_files(Packing::Plain, &[("plain", &[4; 5000])]),
        ],
    )
}

fn says_all(outcome: Outcome, image: &Image) {
    let bytes: usize = image.layers.iter().map(|layer| layer.blob.len()).sum();
    let size = Size(bytes as u64);
    drop(outcome.says(&format!(
        "sent 5 of 5 layers, {size} of {size}; the daemon had 0"
    )));
}

#[test]
fn dockers_own_store_on_this_machine_gets_plain_layers() {
    let image = image();
    let layout = layout(&image);
    for version in ["20.10.24", "26.1.5"] {
        let daemon = docker_that_says(version, &here());
        gets(&daemon, &image, [loaded()]);
        has_no_left_names(&daemon);
        says_all(load(&daemon, &layout).run().done(), &image);
        let sent = uploads(&daemon).remove(0);
        assert!(!sent.contains_key("oci-layout"));
        let list: Value = serde_json::from_slice(&sent["manifest.json"]).unwrap();
        let config = list[0]["Config"].as_str().unwrap();
        assert!(sent[config] == image.config);
        assert_eq!(list[0]["RepoTags"], json!(["docker.io/team/app:1"]));
        let names = list[0]["Layers"].as_array().unwrap();
        assert_eq!(names.len(), image.layers.len());
        for (name, layer) in names.iter().zip(&image.layers) {
            assert!(sent[name.as_str().unwrap()] == layer.tar, "{name}");
        }
        assert_eq!(sent.len(), names.len() + 2);
    }
}

#[test]
fn a_daemon_elsewhere_gets_what_it_can_read_as_it_is() {
    let image = image();
    let layout = layout(&image);
    for (version, plain) in [("20.10.24", "zstd"), ("26.1.5", "")] {
        // Forwarded to this machine, whose name is another.
        let daemon = docker_that_says(version, &json!({"Name": "elsewhere"}));
        gets(&daemon, &image, [loaded()]);
        says_all(load(&daemon, &layout).run().done(), &image);
        let sent = uploads(&daemon).remove(0);
        assert_eq!(sent.contains_key("oci-layout"), plain.is_empty());
        let sent: HashSet<_> = sent.values().collect();
        for layer in &image.layers {
            let is_plain = layer.blob.starts_with(&[0x28, 0xb5]) && !plain.is_empty();
            let content = if is_plain { &layer.tar } else { &layer.blob };
            assert!(sent.contains(content));
        }
    }
}

#[test]
fn stores_that_keep_the_registrys_digest_get_the_blobs() {
    let image = image();
    let layout = layout(&image);
    let podman = Registry::start();
    podman.on(get("/_ping"), pong().header("Libpod-Api-Version", "5.4.2"));
    podman.on(get(LIBPOD_INFO), elsewhere());
    podman.on(inspect(&image.config_digest()), absent());
    podman.on(upload(), loaded());
    let there = inspected(&image, &["team/app:1"]);
    podman.on(inspect(&image.config_digest()), there);

    let mut info = here();
    info["Name"] = json!("elsewhere");
    info["DriverStatus"] = json!([["driver-type", "io.containerd.snapshotter.v1"]]);
    let containerd = docker_that_says("26.1.5", &info);
    containerd.on(inspect(&image.digest()), absent());
    containerd.on(upload(), loaded());
    let there = json!({"Id": image.digest(), "RepoTags": ["team/app:1"], "RootFS": {}});
    containerd.on(inspect(&image.digest()), json(&there));

    for daemon in [podman, containerd] {
        says_all(load(&daemon, &layout).run().done(), &image);
        let sent = uploads(&daemon).remove(0);
        assert!(sent.contains_key("oci-layout"));
        for layer in &image.layers {
            assert!(sent[&format!("blobs/sha256/{}", layer.hex())] == layer.blob);
        }
    }
}

#[test]
fn a_daemon_without_room_for_plain_layers_gets_them_as_they_are() {
    let image = image();
    let layout = layout(&image);
    let daemon = docker_that_says("26.1.5", &here());
    let message = "write /var/lib/docker/tmp/x: no space left on device";
    let full = json(&json!({"errorDetail": {"message": message}}));
    gets(&daemon, &image, [full, loaded()]);
    has_no_left_names(&daemon);
    let outcome = load(&daemon, &layout).run().done();
    let outcome =
        outcome.says("no space for decompressed layers; sending compressed layers: write /var/");
    says_all(outcome, &image);
    let forms: Vec<_> = uploads(&daemon)
        .iter()
        .map(|sent| sent.contains_key("oci-layout"))
        .collect();
    assert_eq!(forms, [false, true]);
}
