//! What is printed of others' texts: no control characters, none that change the order in which a line reads, and none
//! that cannot be seen; and no line that the program did not write itself.

use std::fs;

use hocker::printable::is_printable;
use serde_json::json;

use crate::lock::{Place, image, serve_single};
use crate::support::hocker::{Outcome, hocker};
use crate::support::image::{index, index_answer, small};
use crate::support::scripted_registry::{Answer, Registry, get};
use crate::support::serving::Serving;

/// Escape sequences, line ends, an override, an isolate, a zero-width space, a byte order mark, a line separator and a
/// tag character.
const HOSTILE: &str =
    "a\u{1b}[2Jb\r\nforged\nforged\u{202e}c\u{2066}d\u{200b}e\u{feff}f\u{2028}g\u{e0041}h\u{9b}i";

/// What of [`HOSTILE`] shows that it was printed at all, escaped.
const SHOWN: &str = r"\u{202e}c\u{2066}d\u{200b}e\u{feff}f\u{2028}g\u{e0041}h";

#[track_caller]
fn is_harmless(text: &str) {
    for line in text.lines() {
        let raw = line.chars().find(|character| !is_printable(*character));
        assert_eq!(raw, None, "{text:?}");
        assert!(!line.starts_with("forged"), "{text:?}");
    }
}

#[track_caller]
fn prints_harmlessly(outcome: &Outcome) {
    is_harmless(&outcome.stderr);
    is_harmless(std::str::from_utf8(&outcome.stdout).unwrap());
}

/// A refusal in hostile words.
fn refusal(status: u16) -> Answer {
    let body = json!({"errors": [{"code": HOSTILE, "message": HOSTILE}]});
    Answer::ok(body.to_string())
        .with_status(status)
        .header("Content-Type", "application/json")
}

#[test]
fn a_registrys_words_are_shown_escaped() {
    let basic = |answer: Answer| answer.header("WWW-Authenticate", "Basic realm=\"x\"");
    for (answer, arguments) in [
        (
            basic(refusal(401)),
            &["--username", "a", "--password", "hunter2"][..],
        ),
        (refusal(403), &[]),
        (refusal(404), &[]),
        (refusal(500), &["--retries", "1", "--retry-delay", "0"]),
    ] {
        let registry = Registry::start();
        registry.on(get("/v2/app/manifests/1").repeatedly(), answer);
        let outcome = hocker(["manifest", &format!("{}/app:1", registry.name())])
            .arguments(arguments)
            .run()
            .says(SHOWN);
        assert_ne!(outcome.code, Some(0), "{outcome}");
        prints_harmlessly(&outcome);
    }
}

#[test]
fn a_token_services_words_are_shown_escaped() {
    for body in [
        json!({"error": "x", "error_description": HOSTILE}),
        json!({"details": HOSTILE}),
    ] {
        let registry = Registry::start();
        let realm = format!("Bearer realm=\"{}\"", registry.at("/token"));
        registry.on(
            get("/v2/app/manifests/1").repeatedly(),
            Answer::challenge(realm),
        );
        let answer = Answer::ok(body.to_string()).with_status(401);
        registry.on(get("/token").repeatedly(), answer);
        let outcome = hocker(["manifest", &format!("{}/app:1", registry.name())])
            .run()
            .failed(4)
            .says(SHOWN);
        prints_harmlessly(&outcome);
    }
}

#[test]
fn documents_are_quoted_escaped() {
    let images = [image("linux/amd64", &["layer"])];
    let mut entry = images[0].descriptor();
    entry["platform"] = json!({"os": HOSTILE, "architecture": HOSTILE});
    let platforms = index(&[entry]);
    let media_type = json!({"schemaVersion": 2, "mediaType": HOSTILE}).to_string();
    let digest = json!({
        "schemaVersion": 2,
        "config": {"mediaType": "m", "size": 1, "digest": HOSTILE},
        "layers": [],
    });
    for answer in [
        index_answer(&platforms),
        Answer::ok(media_type),
        Answer::ok(digest.to_string()),
    ] {
        let registry = Registry::start();
        registry.on(get("/v2/app/manifests/1").repeatedly(), answer);
        let reference = format!("{}/app:1", registry.name());
        let outcome = hocker(["config", "--platform", "linux/s390x", &reference]).run();
        assert_ne!(outcome.code, Some(0), "{outcome}");
        prints_harmlessly(&outcome);
    }
}

#[test]
fn arguments_are_quoted_escaped() {
    for arguments in [
        &["HOSTILE"][..],
        &["--HOSTILE"],
        &["manifest", "HOSTILE"],
        &["manifest", "--platform", "HOSTILE", "debian"],
        &["manifest", "debian", "HOSTILE"],
        &["image", "--format", "HOSTILE", "debian"],
        &["image", "--out", "image", "./HOSTILE"],
        &["login-check", "HOSTILE"],
        &["lock", "--lock-file", "HOSTILE", "list"],
        &["lock", "add", "HOSTILE"],
        &["serve", "HOSTILE"],
        &["load", "--host", "HOSTILE", "./image"],
    ] {
        let arguments = arguments
            .iter()
            .map(|argument| argument.replace("HOSTILE", HOSTILE));
        let outcome = hocker(arguments).run();
        assert_ne!(outcome.code, Some(0), "{outcome}");
        assert!(outcome.stderr.contains(r"\u{202e}"), "{outcome}");
        prints_harmlessly(&outcome);
    }
}

#[test]
fn a_lock_file_is_shown_escaped() {
    let registry = Registry::start();
    serve_single(&registry, "app", "1", &image("linux/amd64", &["layer"]));
    let place = Place::new();
    place
        .run(&["add", &format!("{}/app:1", registry.name())])
        .done();
    let right = place.text();
    let hostile = json!(HOSTILE).to_string();
    let hostile = hostile.trim_matches('"');
    for (from, to) in [
        ("\"app\":", format!("\"{hostile}\":")),
        ("/app:1\"", format!("/app:{hostile}\"")),
        ("/app:1\"", format!("/{hostile}\"")),
        ("\"linux/amd64\":", format!("\"{hostile}\":")),
        ("\"config\":", format!("\"{hostile}\":")),
        (
            "\"config\":",
            format!("\"created\": \"{hostile}\", \"config\":"),
        ),
    ] {
        let wrong = right.replacen(from, &to, 1);
        assert_ne!(wrong, right, "{from}");
        place.write(&wrong);
        for arguments in [
            &["list"][..],
            &["list", "--json"],
            &["graph"],
            &["graph", "--format", "svg"],
            &["check"],
            &["update", "--commit-message"],
        ] {
            prints_harmlessly(&place.run(arguments));
        }
    }
}

#[test]
fn the_access_log_shows_what_clients_say_escaped() {
    let directory = small().layout("docker.io/library/app:1");
    let serving = Serving::start([directory.path()]);
    // What ends a line ends a field, too.
    let hostile = HOSTILE.replace(['\r', '\n', '\u{1b}', '\u{9b}'], "");
    serving.ask(
        "GET",
        "/v2/",
        &format!("User-Agent: {hostile}\r\nReferer: {hostile}\r\n"),
    );
    serving.send(format!("GET /{HOSTILE} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    let outcome = serving.stop().done();
    assert!(outcome.stderr.contains(r"\xe2\x80\xaec"), "{outcome}");
    prints_harmlessly(&outcome);
}

#[test]
fn a_path_is_shown_escaped_and_stays_exact_as_data() {
    let registry = Registry::start();
    let image = small();
    image.serve(&registry, "app", "1");
    let directory = tempfile::tempdir().unwrap();
    let name = HOSTILE.replace('/', "");
    let outcome = hocker([
        "image",
        "--out",
        &name,
        &format!("{}/app:1", registry.name()),
    ])
    .in_directory(directory.path())
    .run()
    .done();
    is_harmless(&outcome.stderr);
    assert!(outcome.stdout.starts_with(name.as_bytes()), "{outcome}");
    assert!(fs::exists(directory.path().join(&name)).unwrap());
}
