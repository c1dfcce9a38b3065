//! A large blob from a server that is slow for each connection: further connections fetch parts of it, where the
//! server can do that. Where it cannot, the first connection brings everything.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Fetch;
use crate::support::scripted_registry::{Answer, Request};

const SIZE: usize = 20 << 20;

/// The first connection would take so long for all of it.
const ALONE: Duration = Duration::from_millis(1600);

/// An answer at the speed of one connection.
fn slowly(answer: Answer) -> Answer {
    let pieces = 160;
    answer.dripping(0, SIZE / pieces, ALONE / u32::try_from(pieces).unwrap())
}

/// A large blob whose parts are answered like this.
fn fetch(parts: impl Fn(&[u8], &Request) -> Answer + Send + Sync + 'static) -> Fetch {
    let fetch = Fetch::of_size(SIZE);
    fetch
        .registry
        .on(fetch.whole(), slowly(Answer::ok(fetch.blob.clone())));
    let blob = Arc::new(fetch.blob.clone());
    fetch
        .registry
        .on_each(fetch.part().repeatedly(), move |request| {
            parts(&blob, request)
        });
    // For one who starts again.
    fetch
        .registry
        .on(fetch.whole().perhaps(), Answer::ok(fetch.blob.clone()));
    fetch
}

/// The ranges that were asked for, sorted.
fn ranges(fetch: &Fetch) -> Vec<(usize, usize)> {
    let mut ranges: Vec<_> = fetch
        .registry
        .requests()
        .iter()
        .filter_map(Request::range)
        .map(|(first, last)| (first, last.expect("a closed range")))
        .collect();
    ranges.sort_unstable();
    ranges
}

#[test]
fn a_large_blob_comes_by_several_connections() {
    let fetch = fetch(|blob, request| slowly(Answer::ranged(blob, request)));
    let began = Instant::now();
    fetch.arrives();
    assert!(began.elapsed() < ALONE, "it took {:?}", began.elapsed());
    let ranges = ranges(&fetch);
    assert!(ranges.len() >= 4, "{ranges:?}");
    for pair in ranges.windows(2) {
        assert_eq!(pair[0].1 + 1, pair[1].0, "{ranges:?}");
    }
    assert_eq!(ranges.last().unwrap().1, SIZE - 1);
    assert!(fetch.registry.connections() <= 8);
}

#[test]
fn the_same_to_standard_output_is_in_order() {
    let fetch = fetch(|blob, request| slowly(Answer::ranged(blob, request)));
    let digest = crate::support::image::digest(&fetch.blob);
    let reference = format!("{}/app:1", fetch.registry.name());
    let outcome =
        crate::support::hocker::hocker(["layer", "--layer", &digest, "--out", "-", &reference])
            .env("DOCKER_TOKEN", super::TOKEN)
            .run()
            .done();
    assert!(outcome.stdout == fetch.blob);
}

#[test]
fn servers_that_answer_nonsense_to_parts_are_served_by_one_connection() {
    type Nonsense = fn(&[u8], &Request) -> Answer;
    let cases: [(&str, Nonsense); 12] = [
        ("the whole", |blob, _| Answer::ok(blob)),
        ("416", |blob, _| Answer::unsatisfiable(blob)),
        ("403", |_, _| Answer::error(403, "DENIED")),
        ("401", |_, _| Answer::challenge("Basic realm=\"x\"")),
        ("404", |_, _| Answer::error(404, "BLOB_UNKNOWN")),
        ("429", |_, _| {
            Answer::error(429, "TOOMANYREQUESTS").header("Retry-After", "60")
        }),
        ("503", |_, _| Answer::error(503, "UNAVAILABLE")),
        ("another part", |blob, request| {
            let (first, last) = request.range().unwrap();
            Answer::partial(blob, first - 1, last.unwrap() - 1)
        }),
        ("no Content-Range", |blob, request| {
            Answer::ranged(blob, request).without_header("Content-Range")
        }),
        ("a web page", |_, _| Answer::ok("<html></html>")),
        ("a reset", |_, _| Answer::reset_before_head()),
        ("a redirect to nowhere", |_, _| {
            Answer::redirect(307, "http://127.0.0.1:1/")
        }),
    ];
    for (what, parts) in cases {
        let fetch = fetch(parts);
        let outcome = fetch.run().run();
        assert_eq!(outcome.code, Some(0), "{what}: {outcome}");
        fetch.arrived(outcome);
        assert!(
            fetch.requests() < 40,
            "{what}: {} requests",
            fetch.requests()
        );
    }
}

#[test]
fn parts_that_break_off_are_completed() {
    type Break = fn(Answer) -> Answer;
    let cases: [Break; 3] = [
        |answer| answer.close_after(100_000),
        |answer| answer.reset_after(100_000),
        |answer| answer.close_after(0),
    ];
    for cut in cases {
        let fetch = fetch(move |blob, request| cut(Answer::ranged(blob, request)));
        fetch.arrives();
    }
}

#[test]
fn parts_that_stall_are_completed() {
    let fetch = fetch(|blob, request| Answer::ranged(blob, request).stall_after(100_000));
    let outcome = fetch.run().env("HOCKER_STALL_TIMEOUT", "0.5").run();
    fetch.arrived(outcome);
}

#[test]
fn one_flipped_byte_in_a_part_breaks_integrity() {
    let fetch = fetch(|blob, request| {
        let (first, last) = request.range().unwrap();
        let mut wrong = blob[first..=last.unwrap()].to_vec();
        wrong[0] ^= 1;
        Answer::ok(wrong).with_status(206).header(
            "Content-Range",
            format!("bytes {first}-{}/{}", last.unwrap(), blob.len()),
        )
    });
    fetch.fails(5);
}

#[test]
fn a_first_connection_that_breaks_while_others_work_is_no_harm() {
    let fetch = Fetch::of_size(SIZE);
    fetch.registry.on(
        fetch.whole(),
        slowly(Answer::ok(fetch.blob.clone())).close_after(SIZE / 4),
    );
    let blob = fetch.blob.clone();
    fetch
        .registry
        .on_each(fetch.part().repeatedly(), move |request| {
            slowly(Answer::ranged(&blob, request))
        });
    fetch.arrives();
}

#[test]
fn a_small_or_a_fast_blob_takes_one_request() {
    let fetch = Fetch::of_size(SIZE);
    fetch
        .registry
        .on(fetch.whole(), Answer::ok(fetch.blob.clone()));
    fetch.arrives();

    let fetch = Fetch::of_size(400_000);
    fetch.registry.on(
        fetch.whole(),
        Answer::ok(fetch.blob.clone()).dripping(0, 4000, Duration::from_millis(10)),
    );
    fetch.arrives();
}
