//! Attestations that are only in GitHub's API.

use super::*;

/// GitHub's API, which answers a path in the same way each time.
fn github(path: &str, answer: Answer) -> Registry {
    let github = Registry::start();
    github.on(get(path).repeatedly(), answer);
    github
}

fn attestations(bundles: &[&Value]) -> Answer {
    let list: Vec<_> = bundles
        .iter()
        .map(|bundle| json!({"bundle": bundle, "repository_id": 1}))
        .collect();
    Answer::ok(json!({"attestations": list}).to_string())
}

/// `hocker lock add` of an image that a workflow signed.
fn add(desk: &Desk, store: &Store, identity: &str, github: &str) -> Outcome {
    let reference = store.reference();
    let signer = ["--signed-by", identity, "--issuer", GITHUB];
    let arguments = [
        &["add", "--trusted-root", "root.json", &reference],
        &signer[..],
    ];
    desk.place
        .lock(&arguments.concat())
        .env("GITHUB_API_URL", github)
        .env("GITHUB_TOKEN", "other")
        .env("GH_TOKEN", "t0ken")
        .run()
        .never_says("t0ken")
}

fn path(place: &str, digest: &str) -> String {
    format!("/api/{place}/attestations/{digest}?per_page=30")
}

#[test]
fn an_attestation_that_is_only_in_the_api_of_github_is_found_and_kept() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    let workflow = desk.sigstore.workflow();
    let bundle = desk.sigstore.bundle(&workflow, &statement(SIGN, &digest));
    let other = desk.sigstore.signer("https://github.com/other/x@y", GITHUB);
    let other = desk.sigstore.bundle(&other, &statement(SIGN, &digest));
    let answer = attestations(&[&json!("no bundle"), &Value::Null, &other, &bundle]);
    let api = github(&path("repos/team/app", &digest), answer);
    add(&desk, &store, WORKFLOW, &api.at("/api")).done();
    let asked = api.requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), Some("Bearer t0ken"));
    assert_eq!(
        asked[0].header("accept"),
        Some("application/vnd.github+json")
    );
    for request in store.registry.requests() {
        assert_eq!(request.header("authorization"), None);
    }
    // It is verified without any server, and a signature in the registry needs no request.
    desk.run(&["verify"]).done();
    store.refer(&digest, &[bundle]);
    add(
        &desk,
        &store,
        "https://github.com/team/*@refs/tags/*",
        "http://127.0.0.1:1",
    )
    .done();
}

#[test]
fn an_identity_without_a_repository_asks_for_an_organisation_and_then_a_user() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    let workflow = desk.sigstore.workflow();
    let bundle = desk.sigstore.bundle(&workflow, &statement(SIGN, &digest));
    let api = github(&path("users/team", &digest), attestations(&[&bundle]));
    let organisation = path("orgs/team", &digest);
    api.on(get(&organisation), Answer::error(404, "Not Found"));
    add(&desk, &store, "https://github.com/team/*", &api.at("/api")).done();
    desk.run(&["verify"]).done();
}

#[test]
fn what_github_has_of_others_or_cannot_answer_proves_nothing() {
    let (store, desk) = (Store::new(), Desk::new());
    store.push(&usual("app"));
    let workflow = desk.sigstore.workflow();
    let of_other = desk
        .sigstore
        .bundle(&workflow, &statement(SIGN, &other_digest()));
    let limited = Answer::ok("{\"message\": \"API rate limit exceeded\"}").with_status(403);
    for (answer, says) in [
        (
            attestations(&[]),
            "the image is not signed: the repository has no signature",
        ),
        (
            attestations(&[&of_other]),
            "the signature is for other content",
        ),
        (attestations(&[&of_other; 40]), "30 other signatures of"),
        (Answer::error(404, "Not Found"), "the image is not signed"),
        (limited, "API rate limit exceeded"),
        (Answer::status(500), "500"),
        (Answer::ok("<html>"), "by team/app from 127.0.0.1"),
        (
            Answer::repeated(vec![b' '; 1 << 20], 5),
            "by team/app from 127.0.0.1",
        ),
        (
            Answer::redirect(302, "http://127.0.0.1:1/t"),
            "by team/app from 127.0.0.1",
        ),
    ] {
        // The index is asked for first, then the manifests of its platforms.
        let api = Registry::start();
        let below = get("/api/repos/team/app/attestations/sha256:");
        api.on(below.and_below().repeatedly(), answer);
        add(&desk, &store, WORKFLOW, &api.at("/api"))
            .failed(5)
            .says("is not signed")
            .says(says);
        desk.leaves_nothing();
    }
    // A signer that is no workflow of GitHub is nobody that GitHub knows.
    desk.add_by_key(&store).failed(5);
    for url in [
        "http://github.example/",
        "ftp://github.example/",
        "https://a:b@github.example/",
        "x",
    ] {
        add(&desk, &store, WORKFLOW, url)
            .failed(2)
            .says("GITHUB_API_URL");
    }
}
