//! Errors, where no place has the blob.

use std::fs;

use super::{Build, challenge};
use crate::support::scripted_registry::{Answer, Registry};

#[test]
fn the_error_names_every_place_and_what_each_said() {
    let registries = [
        Registry::start(),
        Registry::start(),
        Registry::start(),
        Registry::closed(),
    ];
    let build = Build::from(&registries.each_ref());
    let names = registries.each_ref().map(Registry::name);
    registries[0].on(build.asked(0), Answer::error(404, "BLOB_UNKNOWN"));
    registries[1].on(build.asked(1), challenge());
    registries[2].on(build.asked(2).repeatedly(), Answer::status(503));
    let outcome = build.structured().run().failed(4);
    let told = outcome.stderr;
    let lines: Vec<&str> = told
        .lines()
        .skip_while(|line| !line.starts_with("hocker: "))
        .collect();
    let expected = [
        format!(
            "hocker: cannot fetch the blob {} from any of its 4 locations",
            build.layer.digest()
        ),
        format!(
            "  caused by: team/app from {}: the registry answers 404 Not Found",
            names[0]
        ),
        format!(
            "  caused by: team/base from {}: the registry denies access without credentials",
            names[1]
        ),
        format!(
            "  caused by: other/app from {}: the registry answers 503 Service Unavailable",
            names[2]
        ),
        format!(
            "  caused by: last from {}: no response from http://{0}/v2/last/blobs/",
            names[3]
        ),
        "  hint: check the name: many registries deny access to repositories that do not exist; "
            .to_owned(),
    ];
    assert_eq!(lines.len(), expected.len(), "{told}");
    for (line, start) in lines.iter().zip(expected) {
        assert!(line.starts_with(&start), "no {start:?} in {told}");
    }
    assert!(!build.out().exists());
}

#[test]
fn the_exit_code_is_that_of_what_tells_most() {
    type Script = fn(&Build) -> Answer;
    // From what tells most to what tells least.
    let answers: [(Script, i32); 5] = [
        (Build::wrong, 5),
        (|_| Answer::status(403), 4),
        (|_| Answer::status(503), 6),
        (|_| Answer::status(400), 7),
        (|_| Answer::status(404), 3),
    ];
    for (number, (less, _)) in answers.iter().enumerate() {
        for (more, code) in &answers[..=number] {
            for order in [[less, more], [more, less]] {
                let (first, second) = (Registry::start(), Registry::start());
                let build = Build::from(&[&first, &second]);
                first.on(build.asked(0).repeatedly(), order[0](&build));
                second.on(build.asked(1).repeatedly(), order[1](&build));
                let outcome = build.plain().run().failed(*code);
                assert!(!build.out().exists());
                if *code == 5 {
                    outcome
                        .says("  specified: sha256-")
                        .says("        got: sha256-");
                }
            }
        }
    }
}

#[test]
fn what_this_side_cannot_do_is_no_reason_to_ask_elsewhere() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    fs::write(build.out(), "in the way").unwrap();
    build.plain().run().failed(1).says("out");
    assert_eq!(fs::read(build.out()).unwrap(), b"in the way");
}

#[test]
fn alternatives_that_make_no_sense_are_told() {
    for (text, says) in [
        ("[", "cannot use the derivation's `alternatives`"),
        ("{}", "cannot use the derivation's `alternatives`"),
        (
            r#"[{"registry":"a.example"}]"#,
            "missing field `repository`",
        ),
        (
            r#"[{"registry":"a.example","repository":"a","user":"me"}]"#,
            "unknown field `user`",
        ),
        (
            r#"[{"registry":"https://me:hunter2@a.example","repository":"a"}]"#,
            "cannot use the derivation's `registry`",
        ),
        (
            r#"[{"registry":"a.example","repository":"../a"}]"#,
            "cannot use the derivation's `repository`",
        ),
    ] {
        let registry = Registry::start();
        let build = Build::from(&[&registry]);
        build
            .plain()
            .env("alternatives", text)
            .run()
            .failed(1)
            .says(says)
            .never_says("hunter2");
    }
}
