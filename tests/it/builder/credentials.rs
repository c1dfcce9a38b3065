//! Each place sees only its own credentials.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Build, challenge};
use crate::support::hocker::Run;
use crate::support::scripted_registry::{Answer, Registry};

fn entries<'a>(users: impl IntoIterator<Item = (&'a Registry, &'a str)>) -> String {
    let auths: serde_json::Map<_, _> = users
        .into_iter()
        .map(|(registry, user)| {
            (
                registry.name(),
                json!({"auth": STANDARD.encode(format!("{user}:pw"))}),
            )
        })
        .collect();
    json!({ "auths": auths }).to_string()
}

/// The environment that a test's credentials are in.
fn given(run: Run) -> Run {
    run.env("DOCKER_USER", "given").env("DOCKER_PASS", "pw")
}

#[test]
fn credentials_of_the_environment_are_for_all_repositories_of_one_registry() {
    let registry = Registry::start();
    let build = Build::from(&[&registry, &registry]);
    build.lets_in("given", 0, &registry, Answer::status(404));
    build.lets_in("given", 1, &registry, build.answer());
    build.is_built(given(build.plain()).run());
}

#[test]
fn several_registries_see_no_credentials_of_the_environment() {
    for variables in [
        &[("DOCKER_USER", "given"), ("DOCKER_PASS", "pw")][..],
        &[("DOCKER_TOKEN", "t0ken")],
    ] {
        let (first, second) = (Registry::start(), Registry::start());
        let build = Build::from(&[&first, &second]);
        // A request with credentials is one that nobody expects.
        first.on(build.asked(0).without("Authorization"), challenge());
        second.on(build.asked(1).without("Authorization"), challenge());
        let run = variables
            .iter()
            .fold(build.structured(), |run, (name, value)| {
                run.env(name, *value)
            });
        let outcome = run.run().failed(4).says(&format!(
            "credentials from the environment ({}) are not used: they are for one registry, and this build may use \
             several",
            variables.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        ));
        outcome.never_says("t0ken");
    }
}

#[test]
fn each_registry_is_sent_what_is_kept_for_it() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    let file = build.directory.path().join("auth.json");
    fs::write(&file, entries([(&first, "ann"), (&second, "bob")])).unwrap();
    build.lets_in("ann", 0, &first, Answer::status(404));
    build.lets_in("bob", 1, &second, build.answer());
    let run = given(build.plain()).env("REGISTRY_AUTH_FILE", &file);
    build.is_built(run.run());
}
