//! Daemons that fetch the image by its digest from a registry on loopback, which lives as long as the load.

mod killed; // loads that were killed while the daemon fetched

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use hocker::size::Size;
use serde_json::Value;

use super::{
    API, LIBPOD_INFO, absent, api, docker, docker_that_says, here, inspect, inspected, json,
    layout, load, loaded, pong, small, upload, uploads,
};
use crate::support::image::{Family, Image, digest};
use crate::support::scripted_registry::{
    Answer, Expect, Registry, Request, delete, get, head, post,
};

/// What podman is asked to fetch an image.
const LIBPOD_PULL: &str = "/v4.0.0/libpod/images/pull";
/// What is removed after the image has its own names.
const TEMPORARY: &str = "/images/127.0.0.1:";

/// A daemon of this machine that fetches images.
struct Fetching {
    daemon: Registry,
    pull: Expect,
    id: String,
    there: Value,
}

fn podman(image: &Image) -> Fetching {
    let daemon = Registry::start();
    daemon.on(get("/_ping"), pong().header("Libpod-Api-Version", "4.3.1"));
    let info = json!({"host": {"hostname": here()["Name"], "os": "linux", "arch": "amd64"}});
    daemon.on(get(LIBPOD_INFO), json(&info));
    let there = json!({"Id": image.config_digest(), "RepoTags": ["team/app:1"]});
    Fetching {
        daemon,
        pull: post(LIBPOD_PULL),
        id: image.config_digest(),
        there,
    }
}

fn containerd(image: &Image) -> Fetching {
    let mut info = here();
    info["DriverStatus"] = json!([["driver-type", "io.containerd.snapshotter.v1"]]);
    let there = json!({"Id": image.digest(), "RepoTags": ["team/app:1"]});
    Fetching {
        daemon: docker_that_says("26.1.5", &info),
        pull: post(format!("{API}/images/create")),
        id: image.digest(),
        there,
    }
}

/// What the daemon is asked to fetch: the port, the repository and the digest.
fn wanted(request: &Request) -> (u16, String, String) {
    let mut name = request.query("reference").pop().unwrap_or_default();
    if name.is_empty() {
        name = format!(
            "{}@{}",
            request.query("fromImage")[0],
            request.query("tag")[0]
        );
    } else {
        assert_eq!(request.query("tlsVerify"), ["false"]);
    }
    let (name, digest) = name.split_once('@').unwrap();
    let (registry, repository) = name.split_once('/').unwrap();
    let port = registry.strip_prefix("127.0.0.1:").unwrap();
    (
        port.parse().unwrap(),
        repository.to_owned(),
        digest.to_owned(),
    )
}

/// What the daemon was asked to fetch by one of these requests.
fn was_asked(requests: &[Request]) -> (u16, String, String) {
    let asked = requests.iter().find(|request| request.method == "POST");
    wanted(asked.unwrap())
}

#[track_caller]
fn is_closed(port: u16) {
    assert!(
        TcpStream::connect(("127.0.0.1", port)).is_err(),
        "the port is open"
    );
}

/// The status, and the body if all of it arrived.
fn fetch(port: u16, path: &str) -> (u16, Option<Vec<u8>>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A connection that is cut off may end with an error.
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        return (0, None);
    };
    let head = String::from_utf8(answer[..end].to_vec())
        .unwrap()
        .to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let body = answer[end + 4..].to_vec();
    let is_whole = length.is_some_and(|length| length == body.len().to_string());
    (head[9..12].parse().unwrap(), is_whole.then_some(body))
}

/// Fetches the manifest and these blobs. The answer of a daemon that got all of them, or not.
fn pulled(request: &Request, image: &Image, blobs: &[&[u8]]) -> Answer {
    let (port, repository, manifest) = wanted(request);
    assert_eq!(manifest, image.digest());
    let path = format!("/v2/{repository}/manifests/{manifest}");
    assert_eq!(fetch(port, &path), (200, Some(image.manifest.clone())));
    for blob in blobs {
        let path = format!("/v2/{repository}/blobs/{}", digest(blob));
        if fetch(port, &path) != (200, Some(blob.to_vec())) {
            return failed("unexpected EOF");
        }
    }
    json(&json!({"status": "Download complete", "id": "0123456789ab"}))
}

/// An error after the daemon began.
fn failed(message: &str) -> Answer {
    json(&json!({"error": message, "errorDetail": {"message": message}}))
}

#[test]
fn a_daemon_that_fetches_is_asked_by_digest_and_gets_what_it_asks_for() {
    let image = small();
    let layout = layout(&image);
    let upper = image.layers[1].blob.clone();
    for Fetching {
        daemon,
        pull,
        id,
        there,
    } in [podman(&image), containerd(&image)]
    {
        daemon.on(inspect(&id), absent());
        daemon.on(api("/images/json").times(2), json(&json!([])));
        let (wants, top) = (image.clone(), upper.clone());
        daemon.on_each(pull, move |request| {
            let (port, repository, _) = wanted(request);
            for path in [
                "/v2/_catalog".to_owned(),
                format!("/v2/hocker-load/{}/tags/list", "0".repeat(32)),
                format!("/v2/{repository}0/manifests/{}", wants.digest()),
                format!("/v2/team/app/blobs/{}", digest(&top)),
            ] {
                assert_eq!(fetch(port, &path).0, 404, "{path}");
            }
            assert_eq!(fetch(port, "/v2/").0, 200);
            pulled(request, &wants, &[&wants.config, &top])
        });
        daemon.on(inspect(&id), json(&there));
        daemon.on(
            delete(format!("{API}{TEMPORARY}")).and_below(),
            json(&json!([])),
        );
        let outcome = load(&daemon, &layout).arguments(["-v"]).run().done();
        assert_eq!(outcome.text(), format!("{id}\n"));
        let all: usize = image.layers.iter().map(|layer| layer.blob.len()).sum();
        let (sent, all) = (Size(upper.len() as u64), Size(all as u64));
        let outcome = outcome
            .says("the daemon fetches what it lacks from 127.0.0.1:")
            .says("daemon: 0123456789ab: Download complete\n")
            .says(&format!(
                "sent 1 of 2 layers, {sent} of {all}; the daemon had 1\n"
            ));
        let requests = daemon.requests();
        let (port, repository, digest) = was_asked(&requests);
        let removed = requests
            .iter()
            .find(|request| request.method == "DELETE")
            .unwrap();
        assert_eq!(
            removed.target,
            format!("{API}/images/127.0.0.1:{port}/{repository}@{digest}")
        );
        drop(outcome.never_says(&repository));
        is_closed(port);
    }
}

#[test]
fn a_daemon_that_does_not_fetch_gets_an_archive() {
    let image = small();
    let layout = layout(&image);
    for refused in [
        failed("connection refused"),
        json(&json!({"message": "not allowed"})).with_status(403),
        json(&json!({"message": "page not found"})).with_status(404),
        Answer::ok("<html>hello</html>"),
        Answer::close_before_head(),
    ] {
        for Fetching {
            daemon,
            pull,
            id,
            there,
        } in [podman(&image), containerd(&image)]
        {
            daemon.on(inspect(&id), absent());
            daemon.on(api("/images/json").times(2), json(&json!([])));
            daemon.on(pull, refused.clone());
            daemon.on(delete(format!("{API}{TEMPORARY}")).and_below(), absent());
            daemon.on(upload(), loaded());
            daemon.on(inspect(&id), json(&there));
            load(&daemon, &layout)
                .arguments(["-v"])
                .run()
                .done()
                .says("sending an archive: ")
                .says("sent 2 of 2 layers");
        }
    }
}

#[test]
fn a_full_daemon_is_sent_nothing_more() {
    let image = small();
    let layout = layout(&image);
    let Fetching {
        daemon, pull, id, ..
    } = podman(&image);
    daemon.on(inspect(&id), absent());
    daemon.on(api("/images/json").times(2), json(&json!([])));
    daemon.on(pull, failed("write /x: no space left on device"));
    daemon.on(delete(format!("{API}{TEMPORARY}")).and_below(), absent());
    load(&daemon, &layout)
        .run()
        .failed(1)
        .says("hint: free space on the disk");
}

#[test]
fn an_image_without_a_name_and_dockers_own_store_get_an_archive() {
    let image = small();
    let layout = layout(&image);
    let index = layout.path().join("index.json");
    let mut text: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    text["manifests"][0]
        .as_object_mut()
        .unwrap()
        .remove("annotations");
    std::fs::write(&index, text.to_string()).unwrap();
    let Fetching {
        daemon, id, there, ..
    } = podman(&image);
    daemon.on(inspect(&id), absent());
    daemon.on(upload(), loaded());
    daemon.on(inspect(&id), json(&there));
    daemon.on(api("/images/json"), json(&json!([])));
    load(&daemon, &layout)
        .arguments(["-v"])
        .run()
        .done()
        .says("sending an archive: the image has no name");

    let layout = super::layout(&image);
    let daemon = docker();
    super::gets(&daemon, &image, [loaded()]);
    load(&daemon, &layout)
        .arguments(["-v"])
        .run()
        .done()
        .says("sending an archive: Docker's own image store");
}

#[test]
fn a_daemon_never_gets_the_end_of_a_layer_while_another_is_wrong() {
    let good = small();
    let mut layers = good.layers.clone();
    // Its digest is right, and it is not what the config says.
    layers[1].blob = Image::new(Family::Docker, &[], vec![layers[0].clone()]).config;
    layers[1].tar = b"other".to_vec();
    let image = Image::new(Family::Oci, &["/x"], layers);
    let layout = layout(&image);
    for Fetching {
        daemon, pull, id, ..
    } in [podman(&image), containerd(&image)]
    {
        daemon.on(inspect(&id), absent());
        daemon.on(api("/images/json").times(2), json(&json!([])));
        let wants = image.clone();
        daemon.on_each(pull, move |request| {
            let answer = pulled(request, &wants, &[&wants.config]);
            let (port, repository, _) = wanted(request);
            for layer in &wants.layers {
                let path = format!("/v2/{repository}/blobs/{}", digest(&layer.blob));
                assert_eq!(
                    fetch(port, &path).1.filter(|body| *body == layer.blob),
                    None
                );
            }
            drop(answer);
            failed("unexpected EOF")
        });
        daemon.on(delete(format!("{API}{TEMPORARY}")).and_below(), absent());
        load(&daemon, &layout).run().failed(5);
        assert_eq!(uploads(&daemon).len(), 1, "only the request to fetch");
    }
}

#[test]
fn podman_before_4_is_asked_as_docker_is_and_gets_an_archive() {
    let image = small();
    let layout = layout(&image);
    let daemon = Registry::start();
    daemon.on(get("/_ping"), pong().header("Libpod-Api-Version", "3.4.4"));
    daemon.on(get(LIBPOD_INFO), absent());
    let version = json!({"Version": "3.4.4", "Os": "linux", "Arch": "amd64"});
    daemon.on(api("/version"), json(&version));
    daemon.on(inspect(&image.config_digest()), absent());
    daemon.on(upload(), loaded());
    let there = inspected(&image, &["team/app:1"]);
    daemon.on(inspect(&image.config_digest()), there);
    load(&daemon, &layout)
        .arguments(["-v"])
        .run()
        .done()
        .says("sending an archive: the daemon does not report this machine's name");
}
