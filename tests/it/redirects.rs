//! Redirects: followed, but not by the credentials, which stay with scheme, host and port. Those of a request for
//! a token lead to nothing that could not be the token service itself.

use std::fs;

use crate::layer::to_file;
use crate::support::hocker::{Run, hocker};
use crate::support::image::{Layer, blob_answer, blob_path, small};
use crate::support::scripted_registry::{Answer, Expect, Registry, get, post};
use crate::support::tls::Authority;

const BASIC: &str = "Basic YW5uOnMzY3JldA==";
const MANIFEST: &str = "/v2/app/manifests/1";

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
    to_file(registry, layer, directory).arguments(["--username", "ann", "--password", "s3cret"])
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
fn a_location_may_hold_characters_that_are_not_ascii() {
    let layer = small().layers[0].clone();
    let directory = tempfile::tempdir().unwrap();
    let store = Registry::start();
    store.on(get("/d%C3%A9p%C3%B4t"), blob_answer(&layer.blob));
    let location = store.at("/d\u{e9}p\u{f4}t");
    let registry = registry(&layer, Answer::redirect(307, location));
    fetch(&registry, &layer, directory.path()).run().done();
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
    to_file(&registry, &layer, directory.path())
        .arguments(["--token", "t0ken"])
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
fn a_redirect_does_not_choose_what_the_client_says_it_is() {
    for user in ["bob:hunter2@", "bob@", ":hunter2@"] {
        let layer = small().layers[0].clone();
        let directory = tempfile::tempdir().unwrap();
        let store = Registry::start();
        let location = store
            .at("/store/x?X-Amz-Signature=5igned")
            .replace("http://", &format!("http://{user}"));
        let registry = registry(&layer, Answer::redirect(307, location));
        fetch(&registry, &layer, directory.path())
            .run()
            .failed(7)
            .says("a URL with a user name or password")
            .never_says("5igned")
            .never_says("hunter2")
            .never_says("s3cret");
        assert_eq!(store.connections(), 0, "it was asked");
    }
}

#[test]
fn a_refusal_names_the_host_that_refuses() {
    let layer = small().layers[0].clone();
    let directory = tempfile::tempdir().unwrap();
    let store = Registry::start();
    store.on(get("/store/x"), Answer::error(403, "AccessDenied"));
    let location = store.at("/store/x?X-Amz-Signature=5igned");
    let registry = registry(&layer, Answer::redirect(307, &location));
    let shown = location
        .replace("5igned", "…")
        .replace("X-Amz-Signature=", "");
    fetch(&registry, &layer, directory.path())
        .run()
        .failed(4)
        .says(&format!(
            "{shown}, to which the registry redirects, answers 403 Forbidden"
        ));
}

#[test]
fn credentials_do_not_come_back_after_another_host() {
    let layer = small().layers[0].clone();
    let directory = tempfile::tempdir().unwrap();
    let store = Registry::start();
    let registry = registry(&layer, Answer::redirect(307, store.at("/store/x")));
    // Whatever that host would like to have done with them.
    store.on(
        get("/store/x").without("Authorization"),
        Answer::redirect(307, registry.at("/admin?delete=all")),
    );
    registry.on(
        get("/admin?delete=all").without("Authorization"),
        blob_answer(&layer.blob),
    );
    fetch(&registry, &layer, directory.path()).run().done();
}

/// A registry that asks for a token, and takes `t0ken`.
fn registry_with_tokens() -> Registry {
    let registry = Registry::start();
    let challenge = format!("Bearer realm=\"{}\"", registry.at("/token"));
    registry.on(
        get(MANIFEST).with("Authorization", "Bearer t0ken"),
        small().manifest_answer(),
    );
    registry.on(
        get(MANIFEST).without("Authorization"),
        Answer::challenge(challenge),
    );
    registry
}

fn asks_with_password() -> Expect {
    get("/token").with("Authorization", BASIC)
}

fn manifest(registry: &Registry) -> Run {
    hocker(["manifest", &format!("{}/app:1", registry.name())]).arguments([
        "--username",
        "ann",
        "--password",
        "s3cret",
    ])
}

#[test]
fn a_token_may_come_from_another_port_which_is_not_told_the_password() {
    for status in [301, 302, 303, 307, 308] {
        let registry = registry_with_tokens();
        let elsewhere = Registry::start();
        elsewhere.on(
            get("/tokens").without("Authorization"),
            Answer::ok(r#"{"token":"t0ken"}"#),
        );
        registry.on(
            asks_with_password(),
            Answer::redirect(status, elsewhere.at("/tokens")),
        );
        manifest(&registry).run().done().never_says("s3cret");
    }
}

#[test]
fn a_password_follows_within_the_token_service() {
    let registry = registry_with_tokens();
    registry.on(asks_with_password(), Answer::redirect(308, "/token/"));
    registry.on(
        get("/token/").with("Authorization", BASIC),
        Answer::ok(r#"{"token":"t0ken"}"#),
    );
    manifest(&registry).run().done().never_says("s3cret");
}

#[test]
fn an_identity_token_that_went_by_get_does_not_follow_to_another_port() {
    let registry = registry_with_tokens();
    let elsewhere = Registry::start();
    elsewhere.on(
        get("/tokens").without("Authorization"),
        Answer::ok(r#"{"token":"t0ken"}"#),
    );
    registry.on(post("/token"), Answer::status(405));
    registry.on(
        get("/token").having("Authorization"),
        Answer::redirect(307, elsewhere.at("/tokens")),
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("auth.json");
    let name = registry.name();
    fs::write(
        &file,
        format!(r#"{{"auths":{{"{name}":{{"identitytoken":"1dentity"}}}}}}"#),
    )
    .unwrap();
    hocker(["manifest", &format!("{name}/app:1")])
        .env("REGISTRY_AUTH_FILE", file)
        .run()
        .done()
        .never_says("1dentity");
}

#[test]
fn a_request_for_a_token_is_led_to_nothing_that_could_not_be_its_realm() {
    // On another address of loopback, so that it is somebody else.
    let inside = Registry::start_at("127.0.0.2:0");
    for target in [
        inside.at("/token"),
        "http://elsewhere.invalid/token".to_owned(),
        "https://10.0.0.1/token".to_owned(),
        "https://169.254.169.254/token".to_owned(),
        "https://[::1]:9/token".to_owned(),
    ] {
        let registry = Registry::start();
        registry.on(
            get(MANIFEST),
            Answer::challenge(format!("Bearer realm=\"{}\"", registry.at("/token"))),
        );
        registry.on(asks_with_password(), Answer::redirect(307, &target));
        let outcome = manifest(&registry)
            .run()
            .failed(7)
            .says("for a token, ")
            .never_says("s3cret");
        assert!(outcome.stdout.is_empty(), "{target}: {outcome}");
    }
    assert_eq!(inside.connections(), 0, "it was asked");
}

#[test]
fn a_request_for_a_token_by_https_is_not_led_to_http() {
    let authority = Authority::new("the tests");
    let registry = Registry::start_with_tls(authority.server(&[]));
    let plain = Registry::start();
    let ca = tempfile::tempdir().unwrap();
    registry.on(
        get(MANIFEST),
        Answer::challenge(format!("Bearer realm=\"{}\"", registry.at("/token"))),
    );
    registry.on(
        asks_with_password(),
        Answer::redirect(307, plain.at("/token")),
    );
    hocker(["manifest", "--registry", &registry.url(), "app", "1"])
        .arguments(["--username", "ann", "--password", "s3cret"])
        .env("SSL_CERT_FILE", authority.write(ca.path()))
        .run()
        .failed(7)
        .says("which is not https")
        .never_says("s3cret");
    assert_eq!(plain.connections(), 0, "it was asked");
}
