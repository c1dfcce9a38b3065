//! Which place is asked when, and how often.

use super::{Build, challenge};
use crate::support::image::blob_answer;
use crate::support::scripted_registry::{Answer, Registry};

#[test]
fn the_first_place_is_asked_and_no_other_where_that_has_it() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    first.on(build.asked(0).times(2), build.answer());
    build.is_built(build.plain().run());
    build.is_built(build.structured().run());
}

#[test]
fn what_one_place_lacks_denies_breaks_or_falsifies_comes_from_the_next() {
    let registries = [Registry::start(), Registry::start()];
    let build = Build::from(&[&registries[0], &registries[1]]);
    let answers = [
        Answer::error(404, "BLOB_UNKNOWN"),
        Answer::error(404, "NAME_UNKNOWN"),
        challenge(),
        Answer::status(403),
        Answer::status(503),
        Answer::status(400),
        Answer::close_before_head(),
        build.answer().close_after(20),
        build.wrong(),
        blob_answer(b"<html>Welcome</html>"),
    ];
    for answer in answers {
        let (first, second) = (Registry::start(), Registry::start());
        let build = Build::from(&[&first, &second]);
        first.on(build.asked(0).repeatedly(), answer);
        second.on(build.asked(1).times(2), build.answer());
        for run in [build.plain(), build.structured()] {
            build
                .is_built(run.run())
                .says("trying the next location: cannot fetch the blob sha256:")
                .says(&format!("of team/app from {}: ", first.name()));
        }
    }
}

#[test]
fn an_endless_answer_is_cut_at_the_size_and_the_next_place_is_asked() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    let endless = Answer::repeated(vec![0; 64 << 10], 1 << 20).chunked();
    first.on(build.asked(0).times(2), endless);
    second.on(build.asked(1).times(2), build.answer());
    let size = build.layer.blob.len();
    for attribute in ["size", "maxSize"] {
        let outcome = build.plain().env(attribute, size.to_string()).run();
        let outcome = build.is_built(outcome);
        let says = match attribute {
            "size" => format!("expected {size} bytes, got more"),
            _ => format!("is longer than {size} bytes, the limit for content of unknown size"),
        };
        outcome.says(&says);
    }
    let sent = first.body_bytes();
    assert!(sent < 64 << 20, "{sent} bytes were sent");
}

#[test]
fn a_size_that_the_content_does_not_have_is_no_way_to_be_content() {
    for difference in [-1, 1] {
        let registry = Registry::start();
        let build = Build::from(&[&registry]);
        for answer in [build.answer(), build.answer().chunked()] {
            registry.on(build.asked(0), answer);
            let size = build.layer.blob.len().strict_add_signed(difference);
            let run = build.plain().env("size", size.to_string());
            run.env("HOCKER_RETRIES", "0").run().failed(5);
            assert!(!build.out().exists());
        }
    }
}

#[test]
fn a_place_where_nobody_is_comes_after_the_others() {
    let (closed, there) = (Registry::closed(), Registry::start());
    let build = Build::from(&[&closed, &closed, &there]);
    there.on(build.asked(2), build.answer());
    let outcome = build.is_built(build.plain().run());
    // Once more in haste, and the other repository of the same registry not at all.
    let told = outcome.stderr;
    assert_eq!(told.matches("retrying in").count(), 1, "{told}");
    assert_eq!(
        told.matches("trying the next location").count(),
        1,
        "{told}"
    );
}

#[test]
fn a_place_without_an_answer_is_asked_with_all_patience_where_no_other_has_it() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    // Twice in haste, and then as often as the policy says.
    first.on(build.asked(0).times(5), Answer::status(503));
    first.on(build.asked(0), build.answer());
    second.on(build.asked(1), Answer::status(404));
    build.is_built(build.plain().run());
}

#[test]
fn another_repository_of_a_registry_in_trouble_is_asked_too() {
    let registry = Registry::start();
    let build = Build::from(&[&registry, &registry]);
    registry.on(build.asked(0).times(2), Answer::status(500));
    registry.on(build.asked(1), build.answer());
    build.is_built(build.plain().run());
}

#[test]
fn a_registry_in_trouble_is_not_asked_with_patience_for_every_repository() {
    let registry = Registry::start();
    let build = Build::from(&[&registry, &registry, &registry]);
    registry.on(build.asked(0).times(2 + 5), Answer::status(503));
    registry.on(build.asked(1), Answer::status(503));
    registry.on(build.asked(2), Answer::status(503));
    build.plain().run().failed(6);
}

#[test]
fn without_retries_each_place_is_asked_once() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    first.on(build.asked(0), Answer::status(503));
    second.on(build.asked(1), Answer::status(503));
    build.plain().env("HOCKER_RETRIES", "0").run().failed(6);
}
