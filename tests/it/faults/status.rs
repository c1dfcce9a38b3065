//! Answers that say: not now, or not so.

use std::time::{Duration, SystemTime};

use super::{Fetch, retries};
use crate::support::image::{blob_path, digest};
use crate::support::scripted_registry::{Answer, get};

/// The time between the first two requests.
fn pause(fetch: &Fetch) -> Duration {
    let requests = fetch.registry.requests();
    requests[1].at.duration_since(requests[0].at)
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    for status in [408, 429, 500, 502, 503, 504] {
        let fetch = Fetch::new();
        fetch
            .registry
            .on(fetch.whole().times(3), Answer::error(status, "UNAVAILABLE"))
            .on(fetch.whole(), Answer::ok(fetch.blob.clone()));
        let outcome = fetch.arrives().says(&status.to_string());
        assert_eq!(retries(&outcome).len(), 3, "{status}: {outcome}");
    }
}

#[test]
fn a_server_in_trouble_for_ever_is_given_up() {
    for status in [408, 429, 500, 503] {
        let fetch = Fetch::new();
        fetch
            .registry
            .on(fetch.whole().times(5), Answer::error(status, "UNAVAILABLE"));
        let outcome = fetch.fails(6).says(&status.to_string());
        assert_eq!(retries(&outcome).len(), 4, "{status}: {outcome}");
    }
}

#[test]
fn trouble_before_and_within_a_body_are_both_overcome() {
    let fetch = Fetch::new();
    let last = fetch.blob.len() - 1;
    fetch
        .registry
        .on(fetch.whole(), Answer::error(500, "UNKNOWN"))
        .on(
            fetch.whole(),
            Answer::ok(fetch.blob.clone()).close_after(1000),
        )
        .on(fetch.rest(1000).times(2), Answer::error(503, "UNAVAILABLE"))
        .on(fetch.rest(1000), Answer::partial(&fetch.blob, 1000, last));
    fetch.arrives();
}

#[test]
fn what_cannot_pass_by_itself_is_not_tried_again() {
    for (status, code) in [(400, 7), (403, 4), (404, 3), (410, 3), (451, 7)] {
        let fetch = Fetch::new();
        fetch
            .registry
            .on(fetch.whole(), Answer::error(status, "NO"));
        fetch.fails(code);
        assert_eq!(fetch.requests(), 1);
    }
}

#[test]
fn retry_after_is_honoured_in_seconds() {
    for status in [429, 503] {
        let fetch = Fetch::new();
        let busy = Answer::error(status, "TOOMANYREQUESTS").header("Retry-After", "1");
        fetch
            .registry
            .on(fetch.whole(), busy)
            .on(fetch.whole(), Answer::ok(fetch.blob.clone()));
        fetch.arrives().says("retrying in 1.0 s");
        assert!(pause(&fetch) >= Duration::from_secs(1), "{status}");
    }
}

#[test]
fn retry_after_is_honoured_as_a_date() {
    let fetch = Fetch::new();
    let blob = fetch.blob.clone();
    fetch.registry.on_each(fetch.whole(), |_| {
        // Dates have whole seconds: this one is between one and two seconds away.
        let date = SystemTime::now() + Duration::from_secs(2);
        Answer::error(429, "TOOMANYREQUESTS").header("Retry-After", httpdate::fmt_http_date(date))
    });
    fetch.registry.on(fetch.whole(), Answer::ok(blob));
    fetch.arrives();
    assert!(pause(&fetch) >= Duration::from_millis(900), "too soon");
}

#[test]
fn a_retry_after_that_has_passed_or_means_nothing_is_no_reason_to_wait() {
    for value in ["0", "Fri, 31 Dec 1999 23:59:59 GMT", "soon", "-5", ""] {
        let fetch = Fetch::new();
        fetch
            .registry
            .on(
                fetch.whole(),
                Answer::error(429, "TOOMANYREQUESTS").header("Retry-After", value),
            )
            .on(fetch.whole(), Answer::ok(fetch.blob.clone()));
        fetch.arrives();
        assert!(pause(&fetch) < Duration::from_secs(5), "{value:?}");
    }
}

/// A registry whose tokens are used up in the middle of a blob.
fn forgetful(fetch: &Fetch, refusals: usize) -> String {
    let path = blob_path("app", &digest(&fetch.blob));
    let challenge = Answer::challenge(format!(
        "Bearer realm=\"{}\",service=\"x\",scope=\"repository:app:pull\"",
        fetch.registry.at("/token")
    ));
    let bearer = |token: &str| format!("Bearer {token}");
    let last = fetch.blob.len() - 1;
    let rest = format!("bytes=1000-{last}");
    for token in ["first-t0ken", "second-t0ken"] {
        fetch.registry.on(
            get("/token"),
            Answer::ok(format!(r#"{{"token":"{token}","expires_in":300}}"#)),
        );
    }
    fetch
        .registry
        .on(
            get(path.clone()).without("Authorization"),
            challenge.clone(),
        )
        .on(
            get(path.clone()).with("Authorization", bearer("first-t0ken")),
            Answer::ok(fetch.blob.clone()).close_after(1000),
        )
        .on(
            get(path.clone())
                .with("Authorization", bearer("first-t0ken"))
                .with("Range", rest.clone())
                .times(refusals),
            challenge,
        );
    path
}

#[test]
fn a_token_that_expires_within_a_blob_is_replaced() {
    let fetch = Fetch::new();
    let path = forgetful(&fetch, 1);
    let last = fetch.blob.len() - 1;
    fetch.registry.on(
        get(path)
            .with("Authorization", "Bearer second-t0ken")
            .with("Range", format!("bytes=1000-{last}")),
        Answer::partial(&fetch.blob, 1000, last),
    );
    let outcome = fetch.run().env("DOCKER_TOKEN", "").run();
    fetch
        .arrived(outcome)
        .never_says("first-t0ken")
        .never_says("second-t0ken");
}

#[test]
fn a_registry_that_refuses_the_new_token_too_has_denied() {
    let fetch = Fetch::new();
    let path = forgetful(&fetch, 1);
    fetch.registry.on(
        get(path).with("Authorization", "Bearer second-t0ken"),
        Answer::challenge(format!(
            "Bearer realm=\"{}\",service=\"x\"",
            fetch.registry.at("/token")
        )),
    );
    let outcome = fetch.run().env("DOCKER_TOKEN", "").run();
    fetch
        .failed(outcome, 4)
        .never_says("first-t0ken")
        .never_says("second-t0ken");
}
