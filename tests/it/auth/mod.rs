//! Authentication: anonymous, Basic and Bearer, as the registry's challenge asks, and every way to hand over a
//! credential. None of them may ever be printed.

mod given; // the ways to give credentials on the command line
mod tokens; // Bearer challenges and token services

use crate::support::hocker::{Outcome, Run, hocker};
use crate::support::image::{Image, small};
use crate::support::scripted_registry::{Answer, Registry, get};

const MANIFEST: &str = "/v2/team/app/manifests/1";
/// `ann:s3cret=x`: a secret may contain the character that separates it from its name.
const BASIC: &str = "Basic YW5uOnMzY3JldD14";
const PASSWORD: &str = "s3cret=x";
const TOKEN: &str = "t0ken.with-every~kind_of/character+==";

fn manifest(registry: &Registry) -> Run {
    hocker(["manifest", &format!("{}/team/app:1", registry.name())])
}

#[track_caller]
fn is_manifest(outcome: Outcome, image: &Image) {
    let outcome = outcome
        .done()
        .never_says(PASSWORD)
        .never_says(TOKEN)
        .never_says(BASIC);
    assert_eq!(outcome.stdout, image.manifest);
}

/// A registry that wants Basic credentials.
fn basic(image: &Image) -> Registry {
    let registry = Registry::start();
    registry.on(
        get(MANIFEST).with("Authorization", BASIC),
        image.manifest_answer(),
    );
    registry.on(
        get(MANIFEST).without("Authorization").perhaps(),
        Answer::challenge("Basic realm=\"Registry\""),
    );
    registry
}

fn full_challenge(realm: &str) -> String {
    format!(
        "Bearer realm=\"{realm}\",service=\"registry.example\",scope=\"repository:team/app:pull\""
    )
}

#[test]
fn an_open_registry_is_sent_no_credentials() {
    let registry = Registry::start();
    let image = small();
    registry.on(
        get(MANIFEST).without("Authorization"),
        image.manifest_answer(),
    );
    is_manifest(manifest(&registry).run(), &image);
}

#[test]
fn a_basic_challenge_is_answered_with_user_and_password() {
    let image = small();
    let registry = basic(&image);
    let run = manifest(&registry).arguments(["--username", "ann", "--password", PASSWORD]);
    is_manifest(run.run(), &image);
}

#[test]
fn a_wrong_password_is_denied_after_few_requests() {
    for status in [401, 403] {
        let registry = Registry::start();
        let refusal =
            Answer::error(status, "DENIED").header("WWW-Authenticate", "Basic realm=\"Registry\"");
        registry.on(
            get(MANIFEST).with("Authorization", BASIC).repeatedly(),
            refusal,
        );
        registry.on(
            get(MANIFEST).without("Authorization").perhaps(),
            Answer::challenge("Basic realm=\"Registry\""),
        );
        manifest(&registry)
            .arguments(["--username", "ann", "--password", PASSWORD])
            .run()
            .failed(4)
            .never_says(PASSWORD)
            .never_says(BASIC);
        assert!(registry.requests().len() <= 3, "it does not insist");
    }
}

#[test]
fn a_registry_that_challenges_at_its_base_alone_gets_the_credentials() {
    // Strangers are told that there is nothing, or nothing for them.
    for status in [401, 403, 404] {
        for (challenge, granted) in [
            ("Basic realm=\"x\"".to_owned(), BASIC),
            // Raw, as Nexus and others write names.
            ("Basic realm=\"d\u{e9}p\u{f4}t\"".to_owned(), BASIC),
            ("Bearer realm=\"TOKENS\"".to_owned(), "Bearer t0ken"),
        ] {
            let image = small();
            let registry = Registry::start();
            let challenge = challenge.replace("TOKENS", &registry.at("/token"));
            registry
                .on(
                    get(MANIFEST).without("Authorization"),
                    Answer::error(status, "UNKNOWN"),
                )
                .on(get("/v2/"), Answer::challenge(challenge))
                .on(
                    get("/token").with("Authorization", BASIC).perhaps(),
                    Answer::ok(r#"{"token":"t0ken"}"#),
                )
                .on(
                    get(MANIFEST).with("Authorization", granted),
                    image.manifest_answer(),
                );
            let outcome = manifest(&registry)
                .arguments(["--username", "ann", "--password", PASSWORD])
                .run();
            is_manifest(outcome, &image);
        }
    }
}

#[test]
fn a_stranger_does_not_ask_twice() {
    let registry = Registry::start();
    registry.on(get(MANIFEST), Answer::error(404, "UNKNOWN"));
    manifest(&registry).run().failed(3);
}

#[test]
fn without_credentials_a_basic_challenge_is_denied_with_a_hint() {
    let registry = Registry::start();
    registry.on(
        get(MANIFEST).repeatedly(),
        Answer::challenge("Basic realm=\"Registry\""),
    );
    manifest(&registry).run().failed(4).says("hint: ");
}
