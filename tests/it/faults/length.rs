//! Lengths: unsaid, and untrue.

use super::Fetch;
use crate::support::scripted_registry::Answer;

#[test]
fn a_body_in_chunks_needs_no_length() {
    let fetch = Fetch::new();
    fetch
        .registry
        .on(fetch.whole(), Answer::ok(fetch.blob.clone()).chunked());
    fetch.arrives();
}

#[test]
fn a_body_until_the_connection_ends_needs_no_length() {
    let fetch = Fetch::new();
    fetch
        .registry
        .on(fetch.whole(), Answer::ok(fetch.blob.clone()).until_close());
    fetch.arrives();
}

#[test]
fn a_body_in_chunks_that_breaks_off_is_resumed_to_an_end_that_nobody_knows() {
    let fetch = Fetch::new();
    let blob = &fetch.blob;
    fetch
        .registry
        .on(
            fetch.whole(),
            Answer::ok(blob.clone()).chunked().close_after(70_000),
        )
        .on(
            fetch.part().with("Range", "bytes=70000-"),
            Answer::partial(blob, 70_000, blob.len() - 1),
        );
    fetch.arrives();
}

#[test]
fn a_server_that_takes_no_open_range_sends_the_whole_again() {
    // One public registry answers so.
    let fetch = Fetch::new();
    let blob = &fetch.blob;
    fetch
        .registry
        .on(
            fetch.whole(),
            Answer::ok(blob.clone()).chunked().close_after(70_000),
        )
        .on(
            fetch.part().with("Range", "bytes=70000-"),
            Answer::unsatisfiable(blob),
        )
        .on(fetch.whole(), Answer::ok(blob.clone()).chunked());
    fetch.arrives();
}

#[test]
fn more_content_than_there_is_cannot_be_had() {
    // The digest is known, its size is not: only the registry says how much to wait for.
    let fetch = Fetch::new();
    let length = fetch.blob.len() as u64 + 10;
    fetch.registry.on(
        fetch.whole().repeatedly(),
        Answer::ok(fetch.blob.clone()).content_length(length),
    );
    fetch.registry.on(
        fetch.part().perhaps(),
        Answer::unsatisfiable(&fetch.blob.clone()),
    );
    let outcome = fetch.run().run();
    let code = outcome.code.unwrap_or_default();
    assert!([5, 6].contains(&code), "{outcome}");
    fetch.failed(outcome, code);
}

#[test]
fn less_content_than_there_is_breaks_integrity_at_once() {
    let fetch = Fetch::new();
    let length = fetch.blob.len() as u64 - 10;
    fetch.registry.on(
        fetch.whole(),
        Answer::ok(fetch.blob.clone()).content_length(length),
    );
    fetch.fails(5);
    assert_eq!(fetch.requests(), 1, "what is wrong is not tried again");
}

#[test]
fn one_byte_too_many_or_too_few_in_good_order_breaks_integrity_at_once() {
    for change in [1, -1] {
        let fetch = Fetch::new();
        let mut blob = fetch.blob.clone();
        if change > 0 {
            blob.push(0);
        } else {
            blob.pop();
        }
        fetch.registry.on(fetch.whole(), Answer::ok(blob).chunked());
        fetch.fails(5);
        assert_eq!(fetch.requests(), 1, "what is wrong is not tried again");
    }
}
