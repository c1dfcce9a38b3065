//! Names that only redirect to another registry, as lscr.io does: that registry's challenges are answered, and it never
//! sees what is for the name.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tempfile::TempDir;

use crate::support::hocker::{Run, hocker};
use crate::support::image::{Image, blob_path, small};
use crate::support::scripted_registry::{Answer, Expect, Registry, get};

const SECRET: &str = "s3cret";
const MANIFEST: &str = "/v2/there/app/manifests/1";

fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{SECRET}")))
}

/// What an image has at the registry, by path.
fn content(image: &Image) -> Vec<(String, Answer)> {
    let blobs = image.layers.iter().map(|layer| &layer.blob);
    let blobs = blobs.chain([&image.config]).map(|blob| {
        let digest = crate::support::image::digest(blob);
        (blob_path("there/app", &digest), Answer::ok(blob.clone()))
    });
    let manifest = (MANIFEST.to_owned(), image.manifest_answer());
    blobs.chain([manifest]).collect()
}

/// A registry that has `there/app:1` for whoever has the token of its own service.
fn behind(image: &Image) -> Registry {
    let registry = Registry::start();
    let challenge = format!(
        "Bearer realm=\"{}\",service=\"there\",scope=\"repository:there/app:pull\"",
        registry.at("/token")
    );
    for (path, answer) in content(image) {
        let challenge = challenge.clone();
        registry.on_each(get(path).perhaps(), move |request| {
            match request.header("Authorization") {
                None => Answer::challenge(challenge.clone()),
                Some("Bearer t0ken") => answer.clone(),
                Some(_) => Answer::status(400),
            }
        });
    }
    registry
}

fn asks_for_a_token() -> Expect {
    get("/token")
}

fn token() -> Answer {
    Answer::ok(r#"{"token":"t0ken"}"#)
}

/// A name whose `team/app` is at a registry behind it, and what it wants to see of the client.
fn front(image: &Image, behind: &Registry, expect: impl Fn(Expect) -> Expect) -> Registry {
    let front = Registry::start();
    for (path, _) in content(image) {
        front.on(
            expect(get(path.replace("there/app", "team/app"))).perhaps(),
            Answer::redirect(307, behind.at(&path)),
        );
    }
    front
}

/// A home with docker's configuration, which has a user for each of the registries.
fn home(users: &[(&Registry, &str)]) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let auths: serde_json::Map<_, _> = users
        .iter()
        .map(|(registry, user)| {
            let auth = STANDARD.encode(format!("{user}:{SECRET}"));
            (registry.name(), json!({ "auth": auth }))
        })
        .collect();
    fs::create_dir(home.path().join(".docker")).unwrap();
    let file = home.path().join(".docker/config.json");
    fs::write(file, json!({ "auths": auths }).to_string()).unwrap();
    home
}

fn manifest(front: &Registry, home: &TempDir) -> Run {
    hocker(["manifest", &format!("{}/team/app:1", front.name())]).env("HOME", home.path())
}

#[test]
fn the_registry_behind_a_name_gives_a_token_of_its_own() {
    let image = small();
    let behind = behind(&image);
    behind.on(asks_for_a_token().without("Authorization"), token());
    let front = front(&image, &behind, |expect| expect.without("Authorization"));
    let directory = tempfile::tempdir().unwrap();
    let reference = format!("{}/team/app:1", front.name());
    hocker(["image", "--format", "oci-dir", "--out", "image", &reference])
        .in_directory(directory.path())
        .run()
        .done();
    let requests = behind.requests();
    let asked = requests.iter().find(|one| one.path() == "/token").unwrap();
    assert_eq!(asked.query("service"), ["there"]);
    assert_eq!(asked.query("scope"), ["repository:there/app:pull"]);
}

#[test]
fn what_is_for_the_name_stays_there() {
    let image = small();
    for arguments in [
        &["--username", "ann", "--password", SECRET][..],
        &["--token", SECRET],
    ] {
        let behind = behind(&image);
        behind.on(asks_for_a_token().without("Authorization"), token());
        let front = front(&image, &behind, |expect| expect);
        let outcome = manifest(&front, &home(&[(&front, "kept")]))
            .arguments(arguments)
            .run()
            .done();
        assert_eq!(outcome.stdout, image.manifest);
        for request in behind.requests() {
            let sent = request.header("Authorization");
            assert!(matches!(sent, None | Some("Bearer t0ken")), "{sent:?}");
        }
    }
}

#[test]
fn a_name_may_have_challenges_of_its_own() {
    let image = small();
    let behind = behind(&image);
    behind.on(
        asks_for_a_token().with("Authorization", basic("there")),
        token(),
    );
    let front = front(&image, &behind, |expect| {
        expect.with("Authorization", basic("ann"))
    });
    front.on(
        get("/v2/team/app/manifests/1").without("Authorization"),
        Answer::challenge("Basic realm=\"front\""),
    );
    let home = home(&[(&front, "ann"), (&behind, "there")]);
    let outcome = manifest(&front, &home).run().done();
    assert_eq!(outcome.stdout, image.manifest);
}

#[test]
fn what_is_kept_for_the_registry_behind_a_name_is_for_it_alone() {
    let image = small();
    let behind = behind(&image);
    behind.on(
        asks_for_a_token().with("Authorization", basic("there")),
        token(),
    );
    let front = front(&image, &behind, |expect| expect.without("Authorization"));
    let outcome = manifest(&front, &home(&[(&behind, "there")])).run().done();
    assert_eq!(outcome.stdout, image.manifest);
}

#[test]
fn a_registry_behind_a_name_that_denies_is_named() {
    let image = small();
    let behind = behind(&image);
    behind.on(
        asks_for_a_token().with("Authorization", basic("there")),
        Answer::error(401, "UNAUTHORIZED"),
    );
    let front = front(&image, &behind, |expect| expect.without("Authorization"));
    manifest(&front, &home(&[(&behind, "there")]))
        .run()
        .failed(4)
        .says(&format!(
            "cannot get access to {}, to which the registry redirects",
            behind.url()
        ))
        .says("with the credentials from ")
        .never_says(SECRET);
}

#[test]
fn a_registry_behind_a_name_names_no_token_service_that_its_own_name_could_not() {
    // On another address of loopback, so that it is somebody else.
    let inside = Registry::start_at("127.0.0.2:0");
    let behind = Registry::start();
    let realm = inside.at("/token");
    behind.on(
        get(MANIFEST).without("Authorization"),
        Answer::challenge(format!("Bearer realm=\"{realm}\"")),
    );
    let front = front(&small(), &behind, |expect| expect);
    manifest(&front, &home(&[(&behind, "there")]))
        .run()
        .failed(4)
        .says("an internal address")
        .never_says(SECRET);
    assert_eq!(inside.connections(), 0, "it was asked");
}
