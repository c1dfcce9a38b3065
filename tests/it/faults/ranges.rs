//! What servers answer to a request for the rest of a blob. Only a partial answer that is exactly what was asked
//! for is used; all else leads to the whole blob from its first byte, of which what is known is passed over.

use super::Fetch;
use crate::support::scripted_registry::{Answer, Registry, get};

/// Where the first answer breaks off.
const CUT: usize = 123_456;

/// A fetch whose first answer breaks off.
fn broken() -> Fetch {
    broken_with(|answer| answer)
}

fn broken_with(change: impl Fn(Answer) -> Answer) -> Fetch {
    let fetch = Fetch::new();
    let answer = change(Answer::ok(fetch.blob.clone())).close_after(CUT);
    fetch.registry.on(fetch.whole(), answer);
    fetch
}

#[test]
fn a_server_that_ignores_ranges_sends_the_whole_again() {
    let fetch = broken();
    fetch
        .registry
        .on(fetch.rest(CUT), Answer::ok(fetch.blob.clone()));
    fetch.arrives();
    assert_eq!(fetch.requests(), 2);
}

#[test]
fn a_server_that_ignores_ranges_and_breaks_off_while_it_repeats_is_asked_again() {
    let fetch = broken();
    let blob = &fetch.blob;
    fetch
        .registry
        .on(
            fetch.rest(CUT),
            Answer::ok(blob.clone()).close_after(CUT / 2),
        )
        .on(
            fetch.rest(CUT),
            Answer::ok(blob.clone()).close_after(CUT + 1000),
        )
        .on(
            fetch.rest(CUT + 1000),
            Answer::partial(blob, CUT + 1000, blob.len() - 1),
        );
    fetch.arrives();
}

#[test]
fn a_partial_answer_with_a_wrong_content_range_is_not_used() {
    let last = super::SIZE - 1;
    let size = super::SIZE;
    for range in [
        format!("bytes 0-{last}/{size}"),
        format!("bytes {}-{last}/{size}", CUT - 1),
        format!("bytes {}-{last}/{size}", CUT + 1),
        format!("bytes {CUT}-{}/{size}", last - 1),
        format!("bytes {CUT}-{last}/{}", size + 1),
        format!("bytes {CUT}-{}/{}", last + 1, size + 1),
        format!("bytes {last}-{CUT}/{size}"),
        format!("bytes */{size}"),
        format!("octets {CUT}-{last}/{size}"),
        format!("bytes {CUT}-{last}"),
        format!("bytes -{CUT}-{last}/{size}"),
        format!("bytes {CUT}-99999999999999999999999/{size}"),
        "nonsense".to_owned(),
        String::new(),
    ] {
        let fetch = broken();
        // The bytes are wrong too: whoever believes them is found out.
        let wrong = Answer::ok(vec![0; size - CUT])
            .with_status(206)
            .header("Content-Range", range);
        fetch
            .registry
            .on(fetch.rest(CUT), wrong)
            .on(fetch.whole(), Answer::ok(fetch.blob.clone()));
        fetch.arrives();
    }
}

#[test]
fn a_partial_answer_without_a_content_range_is_not_used() {
    for content_type in [
        "application/octet-stream",
        "multipart/byteranges; boundary=x",
    ] {
        let fetch = broken();
        let last = fetch.blob.len() - 1;
        let answer = Answer::partial(&fetch.blob, CUT, last)
            .without_header("Content-Range")
            .header("Content-Type", content_type);
        fetch
            .registry
            .on(fetch.rest(CUT), answer)
            .on(fetch.whole(), Answer::ok(fetch.blob.clone()));
        fetch.arrives();
    }
}

#[test]
fn a_partial_answer_need_not_say_how_long_the_whole_is() {
    let fetch = broken();
    let last = fetch.blob.len() - 1;
    let answer = Answer::partial(&fetch.blob, CUT, last)
        .without_header("Content-Range")
        .header("Content-Range", format!("bytes {CUT}-{last}/*"));
    fetch.registry.on(fetch.rest(CUT), answer);
    fetch.arrives();
}

#[test]
fn a_partial_answer_that_breaks_off_is_resumed_itself() {
    let fetch = broken();
    let last = fetch.blob.len() - 1;
    fetch
        .registry
        .on(
            fetch.rest(CUT),
            Answer::partial(&fetch.blob, CUT, last).close_after(1000),
        )
        .on(
            fetch.rest(CUT + 1000),
            Answer::partial(&fetch.blob, CUT + 1000, last),
        );
    fetch.arrives();
    assert_eq!(fetch.registry.body_bytes(), fetch.blob.len() as u64);
}

#[test]
fn a_partial_answer_to_a_plain_request_is_not_used() {
    let fetch = Fetch::new();
    fetch.registry.on(
        fetch.whole().repeatedly(),
        Answer::partial(&fetch.blob, 0, 1000),
    );
    let outcome = fetch.run().run();
    assert!(
        outcome.code.is_some_and(|code| [5, 6, 7].contains(&code)),
        "{outcome}"
    );
    let code = outcome.code.unwrap();
    fetch.failed(outcome, code);
}

#[test]
fn a_partial_answer_of_everything_to_a_plain_request_is_the_whole() {
    let ranges = |size: usize| {
        let last = size - 1;
        [
            Some(format!("bytes 0-{last}/{size}")),
            Some(format!("bytes 0-{last}/*")),
            None,
        ]
    };
    for range in ranges(super::SIZE) {
        let fetch = Fetch::new();
        let mut answer = Answer::ok(fetch.blob.clone()).with_status(206);
        if let Some(range) = range {
            answer = answer.header("Content-Range", range);
        }
        fetch.registry.on(fetch.whole(), answer);
        fetch.arrives();
    }
}

#[test]
fn a_refused_range_leads_to_the_whole() {
    for refusal in [400, 403, 404, 416, 501] {
        let fetch = broken();
        fetch
            .registry
            .on(
                fetch.rest(CUT).repeatedly(),
                Answer::error(refusal, "InvalidArgument"),
            )
            .on(fetch.whole(), Answer::ok(fetch.blob.clone()));
        let outcome = fetch.run().arguments(["--retry-delay", "0"]).run();
        fetch.arrived(outcome);
    }
}

#[test]
fn a_range_that_an_object_store_refuses_leads_to_the_whole() {
    for refusal in [400, 403, 416] {
        let fetch = Fetch::new();
        let store = Registry::start();
        store.on(
            get("/x").without("Range"),
            Answer::ok(fetch.blob.clone()).close_after(CUT),
        );
        store.on(get("/x").having("Range"), Answer::status(refusal));
        store.on(get("/x").without("Range"), Answer::ok(fetch.blob.clone()));
        fetch.registry.on(
            get(fetch.path()).repeatedly(),
            Answer::redirect(307, store.at("/x")),
        );
        fetch.arrives();
    }
}

#[test]
fn a_denial_of_the_whole_after_a_refused_range_is_a_denial() {
    let fetch = broken();
    fetch
        .registry
        .on(fetch.rest(CUT), Answer::error(403, "DENIED"))
        .on(fetch.whole(), Answer::error(403, "DENIED"));
    fetch.fails(4);
}

#[test]
fn a_server_that_cannot_do_ranges_is_not_asked_for_them_again() {
    let fetch = broken();
    fetch
        .registry
        .on(fetch.rest(CUT), Answer::unsatisfiable(&fetch.blob))
        .on(
            fetch.whole(),
            Answer::ok(fetch.blob.clone()).close_after(CUT + 1000),
        )
        .on(fetch.whole(), Answer::ok(fetch.blob.clone()));
    fetch.arrives();
}

#[test]
fn a_strong_etag_goes_with_the_range_and_a_weak_one_does_not() {
    let fetch = broken_with(|answer| answer.header("ETag", "\"strong\""));
    let last = fetch.blob.len() - 1;
    let rest = Answer::partial(&fetch.blob, CUT, last).header("ETag", "\"strong\"");
    fetch
        .registry
        .on(fetch.rest(CUT).with("If-Range", "\"strong\""), rest);
    fetch.arrives();

    let fetch = broken_with(|answer| answer.header("ETag", "W/\"weak\""));
    let rest = Answer::partial(&fetch.blob, CUT, last).header("ETag", "W/\"weak\"");
    fetch.registry.on(fetch.rest(CUT).without("If-Range"), rest);
    fetch.arrives();
}

#[test]
fn an_etag_that_changes_is_no_harm_while_the_content_is_the_same() {
    let whole = |fetch: &Fetch| Answer::ok(fetch.blob.clone());
    let part = |fetch: &Fetch| Answer::partial(&fetch.blob, CUT, fetch.blob.len() - 1);
    // Servers that respect If-Range send the whole, others the part.
    for answer in [whole as fn(&Fetch) -> Answer, part] {
        let fetch = broken_with(|answer| answer.header("ETag", "\"one\""));
        fetch.registry.on(
            fetch.rest(CUT).with("If-Range", "\"one\""),
            answer(&fetch).header("ETag", "\"two\""),
        );
        fetch.registry.on(fetch.whole().perhaps(), whole(&fetch));
        fetch.arrives();
    }
}

#[test]
fn content_that_changes_between_ranges_breaks_integrity() {
    let fetch = broken_with(|answer| answer.header("ETag", "\"one\""));
    let mut other = fetch.blob.clone();
    other.reverse();
    let last = other.len() - 1;
    fetch.registry.on(
        fetch.rest(CUT),
        Answer::partial(&other, CUT, last).header("ETag", "\"two\""),
    );
    fetch
        .registry
        .on(fetch.whole().perhaps(), Answer::ok(other));
    fetch.fails(5);
}

#[test]
fn one_flipped_byte_in_the_second_range_breaks_integrity() {
    for position in [CUT, super::SIZE - 1] {
        let fetch = broken();
        let mut other = fetch.blob.clone();
        other[position] ^= 1;
        fetch.registry.on(
            fetch.rest(CUT),
            Answer::partial(&other, CUT, other.len() - 1),
        );
        fetch.fails(5);
        assert_eq!(fetch.requests(), 2, "what is wrong is not tried again");
    }
}

#[test]
fn one_flipped_byte_in_a_whole_that_was_asked_for_again_breaks_integrity() {
    let fetch = broken();
    let mut other = fetch.blob.clone();
    other[CUT + 5] ^= 1;
    fetch.registry.on(fetch.rest(CUT), Answer::ok(other));
    fetch.fails(5);
}

#[test]
fn the_rest_may_be_redirected_too() {
    let fetch = Fetch::new();
    let last = fetch.blob.len() - 1;
    let store = Registry::start();
    let store_request = || get("/store/x?signature=5igned").without("Authorization");
    store
        .on(
            store_request().without("Range"),
            Answer::ok(fetch.blob.clone()).close_after(CUT),
        )
        .on(
            store_request().with("Range", format!("bytes={CUT}-{last}")),
            Answer::partial(&fetch.blob, CUT, last),
        );
    let redirect = Answer::redirect(307, store.at("/store/x?signature=5igned"));
    fetch
        .registry
        .on(fetch.whole(), redirect.clone())
        // A signature may have expired by then: the registry is asked for a new one.
        .on(fetch.rest(CUT), redirect);
    fetch.arrives().never_says("5igned");
}
