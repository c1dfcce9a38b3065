//! Plain http: what is kept for a registry's name is not sent over it, and what is given for one call only where the
//! user says `http://` too. A proxy stands in for the network, so that the registries seem to be far away.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::lock::{self, Place};
use crate::support::hocker::{Run, hocker};
use crate::support::image::{blob_answer, small};
use crate::support::scripted_registry::{Answer, Expect, Registry, get, head};

const PASSWORD: &str = "hunter2";
const PLACES: [(&str, &str); 3] = [
    ("http://registry.example.com/v2/", "registry.example.com"),
    (
        "http://registry.example.com:5000/v2/",
        "registry.example.com:5000",
    ),
    // Docker Hub, but neither by https nor at its port.
    (
        "http://registry-1.docker.io:8080/v2/",
        "registry-1.docker.io:8080",
    ),
];

fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("ann:{PASSWORD}")))
}

/// A home whose docker configuration has credentials for all the places.
fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let auth = STANDARD.encode(format!("ann:{PASSWORD}"));
    let names = PLACES.map(|(_, name)| name);
    let keys = names.into_iter().chain(["https://index.docker.io/v1/"]);
    let auths: serde_json::Map<_, _> = keys
        .map(|key| (key.to_owned(), json!({ "auth": auth })))
        .collect();
    fs::create_dir(home.path().join(".docker")).unwrap();
    fs::write(
        home.path().join(".docker/config.json"),
        json!({ "auths": auths }).to_string(),
    )
    .unwrap();
    home
}

fn run(arguments: &[&str], home: &Path, proxy: &Registry) -> Run {
    hocker(arguments)
        .env("HOME", home)
        .env("http_proxy", proxy.at(""))
        .in_directory(home)
}

/// A network in which `target` wants a password.
fn network(expect: impl Fn() -> Expect, answer: Answer) -> Registry {
    let network = Registry::start();
    network.on(expect().with("Authorization", basic()).perhaps(), answer);
    network.on(
        expect().without("Authorization").repeatedly(),
        Answer::challenge("Basic realm=\"Registry\""),
    );
    network
}

fn was_told(network: &Registry) -> bool {
    let requests = network.requests();
    assert!(!requests.is_empty());
    requests
        .iter()
        .any(|request| request.header("Authorization").is_some())
}

/// A lock file of one image that says that its registry is at `url`.
fn locked(url: &str, name: &str) -> Place {
    let registry = Registry::start();
    lock::serve_single(
        &registry,
        "team/app",
        "1",
        &lock::image("linux/amd64", &["a"]),
    );
    let place = Place::new();
    place
        .run(&["add", &format!("{}/team/app:1", registry.name())])
        .done();
    let mut lock: Value = serde_json::from_str(&place.text()).unwrap();
    let image = &mut lock["images"]["app"];
    image["reference"] = json!(format!("{name}/team/app:1"));
    image["registry"] = json!(url);
    place.write(&lock.to_string());
    place
}

#[test]
fn a_lock_files_http_is_not_the_users_word() {
    let home = home();
    for (url, name) in PLACES {
        let place = locked(url, name);
        let target = format!("{url}team/app/manifests/1");
        let network = network(|| head(&target), small().manifest_answer());
        let lock = place.path().display().to_string();
        for given in [&[][..], &["--username", "ann", "--password", PASSWORD]] {
            let arguments = [&["lock", "check", "--lock-file", &lock], given].concat();
            run(&arguments, home.path(), &network)
                .run()
                .failed(4)
                .says(&format!("are not sent to {url}"))
                .never_says(PASSWORD);
        }
        assert!(!was_told(&network), "{url}");
    }
}

#[test]
fn kept_credentials_do_not_go_over_http_even_where_the_user_says_it() {
    let home = home();
    for (url, _) in PLACES {
        let target = format!("{url}team/app/manifests/1");
        let network = network(|| get(&target), small().manifest_answer());
        let arguments = ["manifest", "--registry", url, "team/app", "1"];
        run(&arguments, home.path(), &network)
            .run()
            .failed(4)
            .says("hocker sends stored credentials over https only")
            .never_says(PASSWORD);
        assert!(!was_told(&network), "{url}");
    }
}

#[test]
fn credentials_of_the_call_go_with_the_users_own_http() {
    let home = home();
    for (url, _) in PLACES {
        let target = format!("{url}team/app/manifests/1");
        let network = network(|| get(&target), small().manifest_answer());
        let arguments = ["manifest", "--registry", url, "team/app", "1"];
        let outcome = run(&arguments, home.path(), &network)
            .arguments(["--username", "ann", "--password", PASSWORD])
            .run()
            .done();
        assert_eq!(outcome.stdout, small().manifest, "{url}");
    }
}

#[test]
fn a_build_sends_credentials_over_http_only_where_its_expression_says_it() {
    let home = home();
    let layer = small().layers.remove(0);
    let (url, _) = PLACES[0];
    let target = format!("{url}team/app/blobs/{}", layer.digest());
    for (given, registry_from, code) in [
        (true, None, 0),
        (true, Some("lock file"), 4),
        (false, None, 4),
        (false, Some("lock file"), 4),
    ] {
        let network = network(|| get(&target), blob_answer(&layer.blob));
        let out = tempfile::tempdir().unwrap();
        let mut build = run(&["builder"], home.path(), &network)
            .env(
                "REGISTRY_AUTH_FILE",
                home.path().join(".docker/config.json"),
            )
            .env("out", out.path().join("out"))
            .env("registry", url)
            .env("repository", "team/app")
            .env("outputHash", layer.digest());
        if given {
            build = build.env("DOCKER_USER", "ann").env("DOCKER_PASS", PASSWORD);
        }
        if let Some(source) = registry_from {
            build = build.env("registryFrom", source);
        }
        let outcome = build.run().never_says(PASSWORD);
        assert_eq!(outcome.code, Some(code), "{outcome}");
        assert_eq!(was_told(&network), code == 0, "{outcome}");
    }
}
