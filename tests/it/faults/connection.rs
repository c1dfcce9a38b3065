//! Connections that are refused, reset, cut off, or on which nothing or hardly anything comes.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::{Fetch, TOKEN, layer, retries};
use crate::support::hocker::hocker;
use crate::support::image::digest;
use crate::support::scripted_registry::{Answer, Registry};

/// Where a body breaks off.
const CUTS: [usize; 4] = [0, 1, 65_536, 299_999];

#[test]
fn nobody_listening_is_tried_again_and_then_given_up() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let directory = tempfile::tempdir().unwrap();
    let outcome = layer(&digest(b"x"), &format!("{}/app:1", free.unwrap()))
        .arguments(["--retries", "2"])
        .in_directory(directory.path())
        .run()
        .failed(6)
        .never_says(TOKEN);
    assert_eq!(retries(&outcome).len(), 2, "{outcome}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn nobody_listening_at_first_is_asked_again() {
    let mut fetch = Fetch {
        registry: Registry::closed(),
        ..Fetch::new()
    };
    fetch
        .registry
        .on(fetch.whole(), Answer::ok(fetch.blob.clone()));
    let mut running = fetch.run().env("HOCKER_RETRY_DELAY", "0.3").start();
    running.wait_until_it_says("retrying in ");
    fetch.registry.open();
    fetch
        .arrived(running.finish())
        .says("no connection: Connection refused");
}

#[test]
fn a_reset_before_the_headers_is_tried_again() {
    let fetch = Fetch::new();
    fetch
        .registry
        .on(fetch.whole().times(2), Answer::reset_before_head())
        .on(fetch.whole(), Answer::ok(fetch.blob.clone()));
    let outcome = fetch.arrives();
    assert_eq!(retries(&outcome).len(), 2, "{outcome}");
}

#[test]
fn an_end_before_the_headers_is_tried_again() {
    let fetch = Fetch::new();
    fetch
        .registry
        .on(fetch.whole().times(2), Answer::close_before_head())
        .on(fetch.whole(), Answer::ok(fetch.blob.clone()));
    fetch.arrives();
}

#[test]
fn a_reset_in_the_body_is_resumed() {
    for cut in CUTS {
        let fetch = Fetch::new();
        let blob = fetch.blob.clone();
        fetch
            .registry
            .on(fetch.whole(), Answer::ok(blob.clone()).reset_after(cut));
        // A reset takes with it what was on its way, so that not even one byte may have come.
        fetch
            .registry
            .on_each(fetch.part().perhaps(), move |request| {
                Answer::ranged(&blob, request)
            });
        fetch
            .registry
            .on(fetch.whole().perhaps(), Answer::ok(fetch.blob.clone()));
        let outcome = fetch.arrives();
        assert_eq!(retries(&outcome).len(), 1, "{outcome}");
        let requests = fetch.registry.requests();
        assert_eq!(requests.len(), 2);
        if let Some((first, last)) = requests[1].range() {
            assert!(first <= cut, "{first} bytes of {cut} cannot have come");
            assert_eq!(last, Some(fetch.blob.len() - 1));
        }
    }
}

#[test]
fn an_early_end_is_resumed_where_it_was() {
    for cut in CUTS {
        let fetch = Fetch::new();
        let blob = fetch.blob.clone();
        fetch
            .registry
            .on(fetch.whole(), Answer::ok(blob.clone()).close_after(cut));
        let rest = if cut == 0 {
            fetch.whole()
        } else {
            fetch.rest(cut)
        };
        fetch
            .registry
            .on_each(rest, move |request| Answer::ranged(&blob, request));
        let outcome = fetch.arrives();
        assert_eq!(retries(&outcome).len(), 1, "{outcome}");
        assert!(retries(&outcome)[0].contains("ended early"), "{outcome}");
    }
}

#[test]
fn a_line_that_breaks_again_and_again_brings_the_whole_in_the_end() {
    // More breaks than retries are allowed in a row: each brings something.
    const STEP: usize = 100_000;
    let fetch = Fetch::of_size(12 * STEP);
    let blob = fetch.blob.clone();
    fetch
        .registry
        .on(fetch.whole(), Answer::ok(blob.clone()).close_after(STEP));
    for n in 1..12 {
        fetch.registry.on(
            fetch.rest(n * STEP),
            Answer::partial(&blob, n * STEP, blob.len() - 1).close_after(STEP),
        );
    }
    let outcome = fetch.arrives();
    assert_eq!(retries(&outcome).len(), 11, "{outcome}");
    assert_eq!(fetch.registry.body_bytes(), fetch.blob.len() as u64);
    let outcome = outcome.says("after 800kB");
    assert!(
        retries(&outcome).iter().all(|line| line.contains(": ")),
        "{outcome}"
    );
}

#[test]
fn a_line_on_which_nothing_gets_through_is_given_up() {
    let fetch = Fetch::new();
    fetch.registry.on(
        fetch.whole().times(4),
        Answer::ok(fetch.blob.clone()).close_after(0),
    );
    let outcome = fetch.run().arguments(["--retries", "3"]).run();
    let outcome = fetch.failed(outcome, 6);
    assert_eq!(retries(&outcome).len(), 3, "{outcome}");
}

#[test]
fn without_retries_the_first_break_is_the_end() {
    let fetch = Fetch::new();
    fetch.registry.on(
        fetch.whole(),
        Answer::ok(fetch.blob.clone()).close_after(1000),
    );
    let outcome = fetch.run().env("HOCKER_RETRIES", "0").run();
    let outcome = fetch.failed(outcome, 6);
    assert_eq!(retries(&outcome).len(), 0, "{outcome}");
}

#[test]
fn a_stall_is_noticed_and_resumed() {
    let fetch = Fetch::new();
    let blob = &fetch.blob;
    fetch
        .registry
        .on(fetch.whole(), Answer::ok(blob.clone()).stall_after(100_000))
        .on(
            fetch.rest(100_000),
            Answer::partial(blob, 100_000, blob.len() - 1).stall_after(50_000),
        )
        .on(
            fetch.rest(150_000),
            Answer::partial(blob, 150_000, blob.len() - 1),
        );
    let outcome = fetch.run().env("HOCKER_STALL_TIMEOUT", "0.5").run();
    let outcome = fetch.arrived(outcome);
    assert_eq!(retries(&outcome).len(), 2, "{outcome}");
}

#[test]
fn a_stall_before_the_headers_is_noticed() {
    let fetch = Fetch::new();
    fetch
        .registry
        .on(fetch.whole(), Answer::stall_before_head())
        .on(fetch.whole(), Answer::ok(fetch.blob.clone()));
    let run = fetch.run().arguments(["--stall-timeout", "0.5"]);
    fetch.arrived(run.run());
}

#[test]
fn a_stall_for_ever_is_given_up() {
    let fetch = Fetch::new();
    fetch
        .registry
        .on(fetch.whole().times(2), Answer::stall_before_head());
    let run = fetch
        .run()
        .arguments(["--stall-timeout", "0.5", "--retries", "1"]);
    fetch.failed(run.run(), 6);
}

#[test]
fn a_few_bytes_now_and_then_are_as_good_as_none() {
    let fetch = Fetch::new();
    let blob = &fetch.blob;
    fetch.registry.on(
        fetch.whole(),
        Answer::ok(blob.clone()).dripping(200_000, 1, Duration::from_millis(250)),
    );
    let rest = fetch.blob.clone();
    fetch
        .registry
        .on_each(fetch.part(), move |request| Answer::ranged(&rest, request));
    let outcome = fetch.run().env("HOCKER_STALL_TIMEOUT", "1").run();
    fetch.arrived(outcome);
    let (first, _) = fetch.registry.requests()[1].range().unwrap();
    assert!((200_001..200_020).contains(&first), "resumed at {first}");
}

#[test]
fn a_slow_line_is_no_stall() {
    let fetch = Fetch::of_size(4000);
    // 2 s with a stall timeout of 0.5 s.
    fetch.registry.on(
        fetch.whole(),
        Answer::ok(fetch.blob.clone()).dripping(0, 200, Duration::from_millis(100)),
    );
    let outcome = fetch.run().env("HOCKER_STALL_TIMEOUT", "0.5").run();
    let outcome = fetch.arrived(outcome);
    assert_eq!(retries(&outcome).len(), 0, "{outcome}");
}

#[test]
fn an_interrupt_ends_the_wait_for_another_try() {
    let fetch = Fetch::new();
    fetch.registry.on(
        fetch.whole(),
        Answer::error(503, "UNAVAILABLE").header("Retry-After", "60"),
    );
    let began = Instant::now();
    let running = fetch.run().start();
    fetch.registry.wait_for_requests(1);
    running.wait_until_it_listens();
    running.interrupt();
    let outcome = running.finish();
    let outcome = outcome.never_says(TOKEN);
    assert_eq!(outcome.code, Some(130), "{outcome}");
    assert!(began.elapsed() < Duration::from_secs(20), "{outcome}");
    assert_eq!(
        std::fs::read_dir(fetch.directory.path()).unwrap().count(),
        0
    );
}

#[test]
fn a_name_without_an_address_is_no_registry_that_speaks_plain_http() {
    // No label of a name has more than 63 characters (RFC 1035, section 2.3.4), so no server is asked for this one.
    let host = format!("{}.example", "a".repeat(64));
    for retries in ["0", "1"] {
        let outcome = hocker(["manifest", "--retries", retries, "--registry"])
            .arguments([format!("http://{host}/v2/"), "app".to_owned()])
            .run()
            .failed(6)
            .says(&format!("cannot resolve {host}: "))
            .says("DNS");
        assert_eq!(
            outcome.stderr.matches("retrying in").count().to_string(),
            retries
        );
    }
}
