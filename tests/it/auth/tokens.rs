//! Bearer challenges and token services.

use super::{BASIC, MANIFEST, PASSWORD, TOKEN, full_challenge, is_manifest, manifest};
use crate::support::hocker::hocker;
use crate::support::image::{Image, small};
use crate::support::scripted_registry::{Answer, Registry, get};

/// A registry that wants a token, which `endpoint` gives out.
fn bearer(image: &Image, challenge: impl Fn(&str) -> String, endpoint: Answer) -> Registry {
    let registry = Registry::start();
    let challenge = challenge(&registry.at("/token"));
    registry.on(
        get(MANIFEST).with("Authorization", format!("Bearer {TOKEN}")),
        image.manifest_answer(),
    );
    registry.on(
        get(MANIFEST).without("Authorization"),
        Answer::challenge(challenge),
    );
    registry.on(get("/token"), endpoint);
    registry
}

fn token_answer(field: &str) -> Answer {
    Answer::ok(format!(r#"{{"{field}":"{TOKEN}","expires_in":300}}"#))
        .header("Content-Type", "application/json")
}

#[test]
fn a_bearer_challenge_is_answered_with_a_token_from_its_realm() {
    for field in ["token", "access_token"] {
        let image = small();
        let registry = bearer(&image, full_challenge, token_answer(field));
        is_manifest(manifest(&registry).run(), &image);
        let requests = registry.requests();
        let request = requests.iter().find(|one| one.path() == "/token").unwrap();
        assert_eq!(request.query("service"), ["registry.example"]);
        assert_eq!(request.query("scope"), ["repository:team/app:pull"]);
        assert_eq!(request.header("Authorization"), None);
    }
}

#[test]
fn challenges_as_real_registries_write_them_are_understood() {
    let challenges: [fn(&str) -> String; 6] = [
        |realm| format!("Bearer realm=\"{realm}\""),
        |realm| format!("bearer realm=\"{realm}\", service=\"x\""),
        |realm| format!("BEARER REALM=\"{realm}\",SERVICE=\"x\""),
        |realm| format!("Bearer realm={realm},service=x"),
        |realm| format!("Basic realm=\"x\", Bearer realm=\"{realm}\",service=\"x\""),
        |realm| format!("Bearer service=\"a,b=\\\"c\", realm=\"{realm}\", error=\"insufficient\""),
    ];
    for challenge in challenges {
        let image = small();
        let registry = bearer(&image, challenge, token_answer("token"));
        is_manifest(manifest(&registry).run(), &image);
        let requests = registry.requests();
        let request = requests.iter().find(|one| one.path() == "/token").unwrap();
        // Where the challenge names no scope, it is the one that the request needs.
        assert_eq!(request.query("scope"), ["repository:team/app:pull"]);
    }
}

#[test]
fn the_token_endpoint_of_the_own_host_is_sent_user_and_password() {
    let image = small();
    let registry = bearer(&image, full_challenge, token_answer("token"));
    let run = manifest(&registry).arguments(["--username", "ann", "--password", PASSWORD]);
    is_manifest(run.run(), &image);
    let requests = registry.requests();
    let request = requests.iter().find(|one| one.path() == "/token").unwrap();
    assert_eq!(request.header("Authorization"), Some(BASIC));
}

#[test]
fn one_token_serves_the_whole_image() {
    let image = small();
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let challenge = Answer::challenge(full_challenge(&registry.at("/token")));
    let mut answers = vec![(MANIFEST.to_owned(), image.manifest_answer())];
    let blobs = std::iter::once(&image.config).chain(image.layers.iter().map(|one| &one.blob));
    for blob in blobs {
        let digest = crate::support::image::digest(blob);
        answers.push((
            format!("/v2/team/app/blobs/{digest}"),
            crate::support::image::blob_answer(blob),
        ));
    }
    for (path, answer) in answers {
        registry.on(
            get(path.clone()).with("Authorization", format!("Bearer {TOKEN}")),
            answer,
        );
        registry.on(
            get(path).without("Authorization").perhaps(),
            challenge.clone(),
        );
    }
    registry.on(get("/token"), token_answer("token"));
    let reference = format!("{}/team/app:1", registry.name());
    hocker(["image", "--out", "image.tar", &reference])
        .in_directory(directory.path())
        .run()
        .done();
}

#[test]
fn a_refusal_of_the_token_endpoint_is_denied() {
    let registry = Registry::start();
    registry.on(
        get(MANIFEST),
        Answer::challenge(full_challenge(&registry.at("/token"))),
    );
    registry.on(
        get("/token").repeatedly(),
        Answer::error(401, "UNAUTHORIZED"),
    );
    manifest(&registry)
        .arguments(["--username", "ann", "--password", PASSWORD])
        .run()
        .failed(4)
        .never_says(PASSWORD);
}

#[test]
fn a_token_is_asked_for_each_scope_and_may_be_created() {
    let image = small();
    let challenge = |realm: &str| {
        format!("Bearer realm=\"{realm}\",scope=\"repository:app:pull repository:base:pull\"")
    };
    let answer = token_answer("token").with_status(201);
    let registry = bearer(&image, challenge, answer);
    is_manifest(manifest(&registry).run(), &image);
    let requests = registry.requests();
    let asked = requests.iter().find(|request| request.path() == "/token");
    assert_eq!(
        asked.unwrap().query("scope"),
        ["repository:app:pull", "repository:base:pull"]
    );
}

#[test]
fn the_token_service_of_a_registry_on_loopback_is_there_by_any_name() {
    let image = small();
    let registry = bearer(&image, full_challenge, token_answer("token"));
    let reference = format!(
        "{}/team/app:1",
        registry.name().replace("127.0.0.1", "localhost")
    );
    is_manifest(hocker(["manifest", &reference]).run(), &image);
}

#[test]
fn a_token_that_is_refused_at_once_is_denied() {
    let registry = Registry::start();
    let challenge = Answer::challenge(full_challenge(&registry.at("/token")));
    registry.on(get(MANIFEST).repeatedly(), challenge);
    registry.on(get("/token").repeatedly(), token_answer("token"));
    manifest(&registry).run().failed(4).never_says(TOKEN);
    assert!(registry.requests().len() <= 6, "it does not insist");
}

#[test]
fn token_answers_that_are_none_are_refused() {
    for (what, answer) in [
        ("a web page", Answer::ok("<html></html>")),
        ("no token", Answer::ok(r#"{"expires_in":300}"#)),
        ("an empty token", Answer::ok(r#"{"token":""}"#)),
        (
            "a header in a token",
            Answer::ok("{\"token\":\"a\\r\\nX: y\"}"),
        ),
        (
            "more than 1 MiB",
            Answer::ok(format!(r#"{{"token":"x","y":"{}"}}"#, "x".repeat(2 << 20))),
        ),
    ] {
        let registry = Registry::start();
        registry.on(
            get(MANIFEST).repeatedly(),
            Answer::challenge(full_challenge(&registry.at("/token"))),
        );
        registry.on(get("/token").repeatedly(), answer);
        let outcome = manifest(&registry).run();
        let code = outcome.code.unwrap_or_default();
        assert!([1, 4, 7].contains(&code), "{what}: {outcome}");
        assert!(outcome.stdout.is_empty(), "{what}: {outcome}");
    }
}

#[test]
fn a_realm_inside_somebodys_network_is_not_asked() {
    for realm in [
        "http://169.254.169.254/latest",
        "http://192.168.0.1/token",
        "http://[::1]:9/token",
        "https://10.0.0.1/token",
        "ftp://registry.invalid/token",
        "file:///etc/passwd",
        "not a url",
    ] {
        let registry = Registry::start();
        registry.on(
            get(MANIFEST).repeatedly(),
            Answer::challenge(full_challenge(realm)),
        );
        let outcome = manifest(&registry)
            .arguments(["--username", "ann", "--password", PASSWORD])
            .run()
            .never_says(PASSWORD);
        let code = outcome.code.unwrap_or_default();
        // 6 would mean that it was tried.
        assert!([4, 7].contains(&code), "{realm}: {outcome}");
    }
}
