//! A large blob from a server that is slow for each connection: further connections fetch parts of it, where the
//! server can do that. Where it cannot, the first connection brings everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Fetch, TOKEN};
use crate::support::hocker::hocker;
use crate::support::image::digest;
use crate::support::scripted_registry::{Answer, Request};

const SIZE: usize = 12 << 20;

/// The first connection would take so long for all of it.
const ALONE: Duration = Duration::from_millis(1200);

/// An answer at the speed of one connection.
fn slowly(answer: Answer) -> Answer {
    let pieces = 120;
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
        .map(|(first, last)| (first, last.unwrap()))
        .collect();
    ranges.sort_unstable();
    ranges
}

#[test]
fn a_large_blob_comes_by_several_connections() {
    let fetch = fetch(|blob, request| slowly(Answer::ranged(blob, request)));
    fetch.arrives();
    let ranges = ranges(&fetch);
    assert!(ranges.len() >= 4, "{ranges:?}");
    for pair in ranges.windows(2) {
        assert_eq!(pair[0].1 + 1, pair[1].0, "{ranges:?}");
    }
    assert_eq!(ranges.last().unwrap().1, SIZE - 1);
    // Who asks for one part after the other needs but one, which is kept alive. Seven beside the first are meant,
    // and one instead of the first, whose answer went on beyond its part; the pool may open one where another
    // becomes free at that moment.
    let connections = fetch.registry.connections();
    assert!((4..=12).contains(&connections), "{connections} connections");
}

#[test]
fn a_blob_to_standard_output_comes_in_order_by_one_connection() {
    let fetch = Fetch::of_size(SIZE);
    fetch
        .registry
        .on(fetch.whole(), slowly(Answer::ok(fetch.blob.clone())));
    let reference = format!("{}/app:1", fetch.registry.name());
    let digest = digest(&fetch.blob);
    let outcome = hocker(["layer", "--layer", &digest, "--out", "-", &reference])
        .env("DOCKER_TOKEN", TOKEN)
        .run()
        .done();
    assert!(outcome.stdout == fetch.blob);
}

/// One test for each kind of nonsense that a server may answer to requests for parts.
macro_rules! served_by_one_connection {
    ($($name:ident: $parts:expr,)*) => {
        mod served_by_one_connection {
            use super::{Answer, Request, arrives_though};

            $(
                #[test]
                fn $name() {
                    arrives_though($parts);
                }
            )*
        }
    };
}

served_by_one_connection! {
    where_ranges_are_ignored: |blob: &[u8], _: &Request| Answer::ok(blob),
    where_ranges_are_unsatisfiable: |blob: &[u8], _: &Request| Answer::unsatisfiable(blob),
    where_ranges_are_forbidden: |_: &[u8], _: &Request| Answer::error(403, "DENIED"),
    where_ranges_are_challenged: |_: &[u8], _: &Request| Answer::challenge("Basic realm=\"x\""),
    where_ranges_are_not_found: |_: &[u8], _: &Request| Answer::error(404, "BLOB_UNKNOWN"),
    where_there_are_too_many_requests: |_: &[u8], _: &Request| {
        Answer::error(429, "TOOMANYREQUESTS").header("Retry-After", "60")
    },
    where_ranges_break_the_server: |_: &[u8], _: &Request| Answer::error(500, "UNKNOWN"),
    where_another_part_comes: |blob: &[u8], request: &Request| {
        let (first, last) = request.range().unwrap();
        Answer::partial(blob, first - 1, last.unwrap() - 1)
    },
    where_no_part_is_named: |blob: &[u8], request: &Request| {
        Answer::ranged(blob, request).without_header("Content-Range")
    },
    where_a_web_page_comes: |_: &[u8], _: &Request| Answer::ok("<html></html>"),
    where_connections_are_reset: |_: &[u8], _: &Request| Answer::reset_before_head(),
    where_parts_are_elsewhere: |_: &[u8], _: &Request| Answer::redirect(307, "http://127.0.0.1:1/"),
    where_parts_are_encoded: |blob: &[u8], request: &Request| {
        Answer::ranged(blob, request).header("Content-Encoding", "gzip")
    },
}

#[track_caller]
fn arrives_though(parts: impl Fn(&[u8], &Request) -> Answer + Send + Sync + 'static) {
    let fetch = fetch(parts);
    fetch.arrives();
    let requests = fetch.requests();
    assert!(requests < 20, "{requests} requests");
}

#[test]
fn an_open_answer_is_not_given_up_for_parts_that_may_never_come() {
    let fetch = fetch(|_, _| Answer::stall_before_head());
    let outcome = fetch.run().env("HOCKER_STALL_TIMEOUT", "0.5").run();
    fetch.arrived(outcome);
}

/// The same where only the first parts are like this: all that are asked for at once.
fn fetch_after(
    bad: usize,
    parts: impl Fn(Answer, usize) -> Answer + Send + Sync + 'static,
) -> Fetch {
    let count = AtomicUsize::new(0);
    fetch(move |blob, request| {
        let answer = Answer::ranged(blob, request);
        let number = count.fetch_add(1, Ordering::Relaxed);
        if number < bad {
            parts(answer, number)
        } else {
            answer
        }
    })
}

#[test]
fn parts_that_break_off_are_completed() {
    fetch_after(7, |answer, _| answer.close_after(100_000)).arrives();
}

#[test]
fn parts_that_never_begin_are_fetched_otherwise() {
    fetch_after(7, |answer, _| answer.close_after(0)).arrives();
}

#[test]
fn parts_that_are_reset_are_completed() {
    fetch_after(7, |answer, _| answer.reset_after(100_000)).arrives();
}

#[test]
fn one_part_that_breaks_off_is_completed() {
    for bad in [0, 3, 6] {
        fetch_after(7, move |answer, number| {
            if number == bad {
                answer.close_after(100_000)
            } else {
                answer
            }
        })
        .arrives();
    }
}

#[test]
fn parts_that_stall_are_completed() {
    let fetch = fetch_after(7, |answer, _| answer.stall_after(100_000));
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
