//! Token services on a bad line, or in trouble: asked by GET with a name and a password, by POST with an identity
//! token, and both alike.

use std::fs;
use std::time::Duration;

use super::{Fetch, retries};
use crate::support::hocker::Outcome;
use crate::support::scripted_registry::{Answer, Expect, get, post};

const PASSWORD: &str = "hunter2";
const IDENTITY: &str = "identity-t0ken";
const GRANTED: &str = "granted-t0ken";

/// How the token service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Get,
    Post,
}

const WAYS: [Way; 2] = [Way::Get, Way::Post];

impl Way {
    fn expect(self) -> Expect {
        match self {
            Self::Get => get("/token").with("Authorization", "Basic YW5uOmh1bnRlcjI="),
            Self::Post => post("/token").without("Authorization"),
        }
    }
}

/// The answer of a token service that is well.
fn granted() -> Answer {
    Answer::ok(format!(r#"{{"token":"{GRANTED}","expires_in":300}}"#))
}

/// A registry that asks for a token.
fn asking() -> Fetch {
    let fetch = Fetch::new();
    let challenge = format!(
        "Bearer realm=\"{}\",service=\"x\"",
        fetch.registry.at("/token")
    );
    fetch.registry.on(
        get(fetch.path()).without("Authorization"),
        Answer::challenge(challenge),
    );
    fetch
}

/// The same, and it sends the blob to whoever has one.
fn granting() -> Fetch {
    let fetch = asking();
    fetch.registry.on(
        get(fetch.path()).with("Authorization", format!("Bearer {GRANTED}")),
        Answer::ok(fetch.blob.clone()),
    );
    fetch
}

fn run(fetch: &Fetch, way: Way, arguments: &[&str]) -> Outcome {
    let home = tempfile::tempdir().unwrap();
    let name = fetch.registry.name();
    let file = home.path().join("config.json");
    let entry = match way {
        Way::Get => format!(r#"{{"username":"ann","password":"{PASSWORD}"}}"#),
        Way::Post => format!(r#"{{"identitytoken":"{IDENTITY}"}}"#),
    };
    fs::write(&file, format!(r#"{{"auths":{{"{name}":{entry}}}}}"#)).unwrap();
    fetch
        .run()
        .env("DOCKER_TOKEN", "")
        .env("REGISTRY_AUTH_FILE", file)
        .arguments(arguments)
        .run()
        .never_says(PASSWORD)
        .never_says(IDENTITY)
        .never_says(GRANTED)
}

/// How often the token service was asked.
fn asked(fetch: &Fetch) -> usize {
    let requests = fetch.registry.requests();
    requests
        .iter()
        .filter(|request| request.path() == "/token")
        .count()
}

#[test]
fn a_token_whose_answer_breaks_off_is_asked_for_again() {
    for way in WAYS {
        for broken in [
            granted().close_after(0),
            granted().close_after(20),
            granted().reset_after(20),
            granted().chunked().close_after(20),
            granted().stall_after(20),
            granted().dripping(1, 1, Duration::from_millis(300)),
            Answer::reset_before_head(),
            Answer::close_before_head(),
            Answer::stall_before_head(),
        ] {
            let fetch = granting();
            fetch.registry.on(way.expect(), broken);
            fetch.registry.on(way.expect(), granted());
            let outcome = run(&fetch, way, &["--stall-timeout", "0.5"]);
            let outcome = fetch.arrived(outcome);
            assert_eq!(retries(&outcome).len(), 1, "{way:?}: {outcome}");
        }
    }
}

#[test]
fn a_token_that_never_comes_whole_is_given_up() {
    for way in WAYS {
        let fetch = asking();
        fetch
            .registry
            .on(way.expect().times(4), granted().close_after(20));
        let outcome = run(&fetch, way, &["--retries", "3"]);
        let outcome = fetch.failed(outcome, 6).says("cannot fetch a token");
        assert_eq!(retries(&outcome).len(), 3, "{way:?}: {outcome}");
    }
}

#[test]
fn what_a_token_service_has_for_trouble_counts_together() {
    let fetch = asking();
    for fault in [
        Answer::error(503, "UNAVAILABLE"),
        granted().close_after(20),
        Answer::reset_before_head(),
        granted().chunked().close_after(1),
    ] {
        fetch.registry.on(Way::Get.expect(), fault);
    }
    let outcome = run(&fetch, Way::Get, &["--retries", "3"]);
    fetch.failed(outcome, 6);
}

#[test]
fn a_token_service_in_trouble_is_asked_again_when_it_says() {
    for way in WAYS {
        for status in [429, 503] {
            let fetch = granting();
            let busy = Answer::error(status, "TOOMANYREQUESTS").header("Retry-After", "1");
            fetch.registry.on(way.expect(), busy);
            fetch.registry.on(way.expect(), granted());
            let outcome = run(&fetch, way, &[]);
            fetch.arrived(outcome).says("retrying in 1.0 s");
        }
    }
}

#[test]
fn a_token_service_in_trouble_for_ever_is_given_up() {
    for way in WAYS {
        for status in [408, 429, 500, 502, 503, 504] {
            let fetch = asking();
            fetch
                .registry
                .on(way.expect().times(5), Answer::error(status, "UNAVAILABLE"));
            let outcome = run(&fetch, way, &[]);
            fetch.failed(outcome, 6).says(&status.to_string());
        }
    }
}

#[test]
fn what_cannot_pass_by_itself_is_not_asked_of_a_token_service_again() {
    for way in WAYS {
        for (answer, code) in [
            (Answer::error(400, "NO"), 4),
            (Answer::error(401, "NO"), 4),
            (Answer::error(403, "NO"), 4),
            (Answer::error(410, "NO"), 7),
            (Answer::ok("{}"), 7),
            (Answer::ok("<html></html>"), 7),
        ] {
            let fetch = asking();
            fetch.registry.on(way.expect(), answer);
            let outcome = run(&fetch, way, &[]);
            let outcome = fetch.failed(outcome, code);
            assert_eq!(retries(&outcome).len(), 0, "{way:?}: {outcome}");
            assert_eq!(asked(&fetch), 1);
        }
    }
}
