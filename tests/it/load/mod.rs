//! hocker load and prune against a scripted daemon: what real daemons cannot be made to do. What they do is in the
//! second ring.

mod answers; // what daemons answer on a bad day
mod archives; // archives of other programs, from files and standard input
mod content; // images that are wrong, or for another platform
mod files; // only regular files are opened, and what was verified is what is sent
mod form; // which daemon gets which form of a layer
mod lock; // several at work on one state
mod names; // an image that is called by another's id is not that image
mod places; // where the daemon is, and whom TLS believes
mod prune; // hocker prune
mod pull; // daemons that fetch the image from a registry on loopback

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use hocker::size::Size;
use serde_json::json;
use tempfile::TempDir;

use crate::support::hocker::{Run, hocker};
use crate::support::image::{Image, digest, hex, small};
use crate::support::scripted_registry::{Answer, Expect, Registry, get, post};

/// What the daemon's API is asked under.
const API: &str = "/v1.41";
/// What podman's own API is asked for its machine.
const LIBPOD_INFO: &str = "/v4.0.0/libpod/info";

fn json(value: &serde_json::Value) -> Answer {
    Answer::ok(value.to_string()).header("Content-Type", "application/json")
}

fn api(path: &str) -> Expect {
    get(format!("{API}{path}"))
}

fn upload() -> Expect {
    post(format!("{API}/images/load?quiet=1"))
}

fn pong() -> Answer {
    Answer::ok("OK").header("Api-Version", "1.41")
}

/// A daemon that has answered what it is.
fn docker() -> Registry {
    docker_on(Registry::start())
}

fn docker_on(daemon: Registry) -> Registry {
    says(daemon, "26.1.5", &json!({"DriverStatus": []}))
}

/// The same of this version, with this information about itself.
fn docker_that_says(version: &str, info: &serde_json::Value) -> Registry {
    says(Registry::start(), version, info)
}

fn says(daemon: Registry, version: &str, info: &serde_json::Value) -> Registry {
    daemon.on(get("/_ping"), pong());
    daemon.on(
        api("/version"),
        json(&json!({"Version": version, "Os": "linux", "Arch": "amd64"})),
    );
    daemon.on(api("/info"), json(info));
    daemon
}

/// What a daemon on this machine says of itself.
fn here() -> serde_json::Value {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    json!({"Name": name.trim_end(), "DriverStatus": []})
}

/// What podman on another machine says of itself.
fn elsewhere() -> Answer {
    json(&json!({"host": {"hostname": "elsewhere", "os": "linux", "arch": "amd64"}}))
}

fn inspect(id: &str) -> Expect {
    api(&format!("/images/{id}/json"))
}

fn inspected(image: &Image, tags: &[&str]) -> Answer {
    let layers: Vec<_> = image
        .layers
        .iter()
        .map(|layer| digest(&layer.tar))
        .collect();
    json(&json!({
        "Id": image.config_digest(),
        "RepoTags": tags,
        "RootFS": {"Type": "layers", "Layers": layers},
    }))
}

fn absent() -> Answer {
    json(&json!({"message": "No such image"})).with_status(404)
}

fn loaded() -> Answer {
    json(&json!({"stream": "Loaded image\n"}))
}

fn layout(image: &Image) -> TempDir {
    image.layout("team/app:1")
}

/// A daemon that has nothing yet, answers uploads in this way, and has the image after the last.
fn gets<const N: usize>(daemon: &Registry, image: &Image, answers: [Answer; N]) {
    daemon.on(inspect(&image.config_digest()), absent());
    daemon.on(api("/images/json"), json(&json!([])));
    for answer in answers {
        daemon.on(upload(), answer);
    }
    let there = inspected(image, &["team/app:1"]);
    daemon.on(inspect(&image.config_digest()), there);
}

/// A daemon on this machine is also asked for the names that killed loads left.
fn has_no_left_names(daemon: &Registry) {
    daemon.on(api("/images/json"), json(&json!([])));
}

/// What fetchdocker builds of an image in a layout.
fn write_script(script: &Path, image: &Image, layout: &Path, names: &serde_json::Value) {
    let blob = |hex: String| layout.join("blobs/sha256").join(hex);
    let layers: Vec<_> = image.layers.iter().map(|layer| blob(layer.hex())).collect();
    let mut text = json!({
        "repoTags": [],
        "manifest": String::from_utf8(image.manifest.clone()).unwrap(),
        "config": blob(hex(&image.config)),
        "layers": layers,
    });
    let names = names.as_object().unwrap().clone();
    text.as_object_mut().unwrap().extend(names);
    fs::write(script, text.to_string()).unwrap();
}

fn load(daemon: &Registry, layout: &TempDir) -> Run {
    let host = format!("tcp://{}", daemon.name());
    hocker(["load", "--retries", "0", "--host", &host]).arguments([layout.path()])
}

/// The members of an archive.
fn members(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    tar::Archive::new(archive)
        .entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.path().unwrap().display().to_string(), content)
        })
        .collect()
}

fn uploads(daemon: &Registry) -> Vec<BTreeMap<String, Vec<u8>>> {
    let requests = daemon.requests();
    let posts = requests.iter().filter(|request| request.method == "POST");
    posts.map(|request| members(&request.body)).collect()
}

#[test]
fn sends_an_archive_and_makes_sure_of_the_image() {
    let image = small();
    let layout = layout(&image);
    let daemon = docker();
    gets(&daemon, &image, [loaded()]);
    let outcome = load(&daemon, &layout).run().done();
    assert_eq!(outcome.text(), format!("{}\n", image.config_digest()));
    let size = Size(
        image
            .layers
            .iter()
            .map(|layer| layer.blob.len() as u64)
            .sum(),
    );
    let outcome = outcome.says(&format!(
        "sent 2 of 2 layers, {size} of {size}; the daemon had 0\n"
    ));
    drop(outcome);
    let sent = uploads(&daemon).remove(0);
    for layer in &image.layers {
        assert!(sent[&format!("blobs/sha256/{}", layer.hex())] == layer.blob);
    }
}
