//! Redirects: followed, but not by the credentials, which stay with scheme, host and port.

use std::fs;

use crate::support::hocker::{Run, hocker};
use crate::support::image::{Layer, blob_answer, blob_path, small};
use crate::support::scripted_registry::{Answer, Registry, get};

const BASIC: &str = "Basic YW5uOnMzY3JldA==";

/// A registry that wants Basic credentials and answers a blob like this.
fn registry(layer: &Layer, answer: Answer) -> Registry {
    let registry = Registry::start();
    let image = small();
    registry.on(
        get("/v2/app/manifests/1").perhaps(),
        image.manifest_answer(),
    );
    let blob = blob_path("app", &layer.digest());
    registry.on(
        get(blob.clone()).with("Authorization", BASIC).repeatedly(),
        answer,
    );
    registry.on(
        get(blob).without("Authorization").perhaps(),
        Answer::challenge("Basic realm=\"x\""),
    );
    registry
}

fn fetch(registry: &Registry, layer: &Layer, directory: &std::path::Path) -> Run {
    let reference = format!("{}/app:1", registry.name());
    hocker([
        "layer",
        "--layer",
        &layer.hex(),
        "--out",
        "layer",
        &reference,
    ])
    .arguments(["--username", "ann", "--password", "s3cret"])
    .in_directory(directory)
}

#[test]
fn credentials_do_not_follow_a_redirect_to_another_host_or_port() {
    for status in [301, 302, 303, 307, 308] {
        let layer = small().layers[0].clone();
        let directory = tempfile::tempdir().unwrap();
        let store = Registry::start();
        store.on(
            get("/store/x?signature=abc")
                .without("Authorization")
                .without("Cookie"),
            blob_answer(&layer.blob),
        );
        let location = store.at("/store/x?signature=abc");
        let registry = registry(&layer, Answer::redirect(status, location));
        fetch(&registry, &layer, directory.path()).run().done();
        let written = fs::read(directory.path().join("layer")).unwrap();
        assert_eq!(written, layer.blob, "{status}");
    }
}

#[test]
fn bearer_tokens_do_not_follow_either() {
    let layer = small().layers[0].clone();
    let directory = tempfile::tempdir().unwrap();
    let store = Registry::start();
    store.on(
        get("/store/x").without("Authorization"),
        blob_answer(&layer.blob),
    );
    let registry = Registry::start();
    registry.on(
        get("/v2/app/manifests/1").perhaps(),
        small().manifest_answer(),
    );
    registry.on(
        get(blob_path("app", &layer.digest())),
        Answer::redirect(307, store.at("/store/x")),
    );
    let reference = format!("{}/app:1", registry.name());
    hocker([
        "layer",
        "--layer",
        &layer.hex(),
        "--out",
        "layer",
        &reference,
    ])
    .arguments(["--token", "t0ken"])
    .in_directory(directory.path())
    .run()
    .done();
}

#[test]
fn another_hosts_challenge_is_not_answered() {
    let layer = small().layers[0].clone();
    let directory = tempfile::tempdir().unwrap();
    let store = Registry::start();
    store.on(
        get("/store/x").without("Authorization").repeatedly(),
        Answer::challenge("Basic realm=\"give me\""),
    );
    let registry = registry(&layer, Answer::redirect(307, store.at("/store/x")));
    let outcome = fetch(&registry, &layer, directory.path())
        .run()
        .never_says("s3cret");
    assert_ne!(outcome.code, Some(0), "{outcome}");
}

#[test]
fn another_hosts_token_service_is_not_asked() {
    let layer = small().layers[0].clone();
    let directory = tempfile::tempdir().unwrap();
    let store = Registry::start();
    let realm = store.at("/token");
    // The store expects no request for a token: one would fail the test.
    store.on(
        get("/store/x").without("Authorization"),
        Answer::challenge(format!("Bearer realm=\"{realm}\"")),
    );
    let registry = registry(&layer, Answer::redirect(307, store.at("/store/x")));
    let outcome = fetch(&registry, &layer, directory.path()).run();
    assert_eq!(outcome.code, Some(4), "{outcome}");
}

#[test]
fn credentials_follow_within_the_registry() {
    let layer = small().layers[0].clone();
    let directory = tempfile::tempdir().unwrap();
    for location in ["/elsewhere", "../../../elsewhere"] {
        let registry = registry(&layer, Answer::redirect(307, location));
        registry.on(
            get("/elsewhere").with("Authorization", BASIC),
            blob_answer(&layer.blob),
        );
        fetch(&registry, &layer, directory.path())
            .arguments(["--force"])
            .run()
            .done();
    }
}

#[test]
fn a_manifest_may_be_redirected_too_and_credentials_stay() {
    let image = small();
    let store = Registry::start();
    store.on(get("/m").without("Authorization"), image.manifest_answer());
    let registry = Registry::start();
    registry.on(
        get("/v2/app/manifests/1"),
        Answer::redirect(307, store.at("/m")),
    );
    let outcome = hocker(["manifest", &format!("{}/app:1", registry.name())])
        .arguments(["--token", "t0ken"])
        .run()
        .done();
    assert_eq!(outcome.stdout, image.manifest);
}

#[test]
fn redirects_that_lead_nowhere_end() {
    let layer = small().layers[0].clone();
    let target = blob_path("app", &layer.digest());
    for (what, answer) in [
        ("a circle", Answer::redirect(302, target)),
        ("no location", Answer::status(302)),
        ("no URL", Answer::redirect(302, "http://")),
        ("a file", Answer::redirect(302, "file:///etc/passwd")),
        (
            "another protocol",
            Answer::redirect(302, "ftp://127.0.0.1:1/x"),
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let registry = registry(&layer, answer);
        let outcome = fetch(&registry, &layer, directory.path()).run();
        assert!(
            outcome.code.is_some_and(|code| code != 0 && code != 2),
            "{what}: {outcome}"
        );
        assert!(outcome.stderr.contains("hocker: "), "{what}: {outcome}");
        assert!(
            registry.requests().len() <= 64,
            "{what}: it goes in circles"
        );
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "{what}");
    }
}

#[test]
fn signatures_in_urls_and_user_information_are_not_told() {
    let layer = small().layers[0].clone();
    let directory = tempfile::tempdir().unwrap();
    let store = Registry::start();
    store.on(
        get("/store/x").repeatedly(),
        Answer::error(403, "AccessDenied"),
    );
    let location = store
        .at("/store/x?X-Amz-Signature=5igned")
        .replace("http://", "http://bob:hunter2@");
    let registry = registry(&layer, Answer::redirect(307, location));
    let outcome = fetch(&registry, &layer, directory.path())
        .run()
        .never_says("5igned")
        .never_says("hunter2")
        .never_says("s3cret");
    assert_ne!(outcome.code, Some(0), "{outcome}");
}
