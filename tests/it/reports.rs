//! How things are told: errors with the object, the causes and a hint; progress in classic lines off a terminal;
//! nothing a server says can command the terminal.

use crate::layer::to_file;
use crate::support::hocker::hocker;
use crate::support::image::{blob_answer, blob_path, small};
use crate::support::scripted_registry::{Answer, Registry, get};

#[test]
fn an_error_names_the_object_then_its_causes_one_a_line() {
    let registry = Registry::start();
    registry.on(
        get("/v2/team/app/manifests/1"),
        Answer::error(404, "MANIFEST_UNKNOWN"),
    );
    let reference = format!("{}/team/app:1", registry.name());
    let outcome = hocker(["manifest", &reference]).run().failed(3);
    let mut lines = outcome.stderr.lines();
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("hocker: ") && first.contains(&reference),
        "{outcome}"
    );
    for line in lines {
        assert!(
            line.starts_with("  caused by: ") || line.starts_with("  hint: "),
            "{line:?} in {outcome}"
        );
    }
    assert!(outcome.stderr.contains("  caused by: "), "{outcome}");
}

#[test]
fn a_wrong_digest_is_told_as_nix_writes_it_too() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let image = small();
    let layer = &image.layers[0];
    let mut wrong = layer.blob.clone();
    wrong[20] ^= 1;
    registry.on(
        get("/v2/app/manifests/1").perhaps(),
        image.manifest_answer(),
    );
    registry.on(
        get(blob_path("app", &layer.digest())).repeatedly(),
        blob_answer(&wrong),
    );
    to_file(&registry, layer, directory.path())
        .run()
        .failed(5)
        .says(&layer.digest())
        .says(&crate::support::image::digest(&wrong))
        .says("sha256-");
}

#[test]
fn no_colour_and_no_control_characters_off_a_terminal_whatever_a_server_says() {
    for status in [400, 403, 404, 500] {
        let registry = Registry::start();
        let body = format!(
            "{{\"errors\":[{{\"code\":\"X\",\"message\":\"\\u001b[2J\\u0007\\r{}\"}}]}}",
            "evil".repeat(10)
        );
        registry.on(
            get("/v2/app/manifests/1").repeatedly(),
            Answer::ok(body)
                .with_status(status)
                .header("Content-Type", "application/json"),
        );
        let outcome = hocker(["manifest", &format!("{}/app:1", registry.name())]).run();
        assert_ne!(outcome.code, Some(0));
        let control = outcome
            .stderr
            .chars()
            .find(|character| character.is_control() && *character != '\n');
        assert_eq!(control, None, "{:?}", outcome.stderr);
    }
}

#[test]
fn a_manifest_cannot_forge_lines_of_an_error() {
    for text in [
        r#"{"schemaVersion":2,"mediaType":"a\u001b[31m\nb"}"#,
        r#"{"schemaVersion":2,"config":{"mediaType":"m","size":1,"digest":"\u001b[2Jx\n  hint: run this"},"layers":[]}"#,
    ] {
        let registry = Registry::start();
        registry.on(get("/v2/app/manifests/1"), Answer::ok(text));
        let outcome = hocker(["config", &format!("{}/app:1", registry.name())]).run();
        assert_eq!(outcome.code, Some(7), "{outcome}");
        let forged = outcome
            .stderr
            .lines()
            .any(|line| line.starts_with("  hint: run this"));
        assert!(!forged && !outcome.stderr.contains('\u{1b}'), "{outcome}");
    }
}

#[test]
fn what_a_registry_says_of_an_error_is_passed_on() {
    let registry = Registry::start();
    registry.on(
        get("/v2/app/manifests/1"),
        Answer::ok(r#"{"errors":[{"code":"DENIED","message":"your plan ended in May"}]}"#)
            .with_status(403)
            .header("Content-Type", "application/json"),
    );
    hocker(["manifest", &format!("{}/app:1", registry.name())])
        .run()
        .failed(4)
        .says("your plan ended in May");
}

#[test]
fn an_endless_error_body_ends() {
    let registry = Registry::start();
    registry.on(
        get("/v2/app/manifests/1").repeatedly(),
        Answer::repeated(vec![b'x'; 1 << 20], 64 << 10)
            .with_status(404)
            .chunked(),
    );
    let outcome = hocker(["manifest", &format!("{}/app:1", registry.name())])
        .run()
        .failed(3);
    assert!(outcome.stderr.len() < 8 << 10, "{}", outcome.stderr.len());
}

#[test]
fn progress_is_told_on_standard_error_only() {
    let registry = Registry::start();
    let image = small();
    image.serve(&registry, "team/app", "1");
    let reference = format!("{}/team/app:1", registry.name());
    let outcome = hocker(["image", "--out", "-", &reference]).run().done();
    assert!(
        tar::Archive::new(outcome.stdout.as_slice())
            .entries()
            .unwrap()
            .all(|entry| entry.is_ok()),
        "something else than the archive is on standard output"
    );
    for layer in &image.layers {
        assert!(
            outcome
                .stderr
                .contains(&format!("Downloading layer: {}", &layer.hex()[..7])),
            "{outcome}"
        );
    }
    assert!(!outcome.stderr.contains('\r'), "{outcome}");
}

#[test]
fn help_and_version_are_data() {
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["manifest", "--help"],
        &["image", "--help"],
        &["docker2nix", "--help"],
    ] {
        let run = || hocker(arguments).run().done();
        let outcome = run();
        assert!(!outcome.stdout.is_empty(), "{arguments:?}");
        assert!(outcome.stderr.is_empty(), "{arguments:?}: {outcome}");
        assert_eq!(outcome.stdout, run().stdout, "{arguments:?}");
    }
    let version = hocker(["--version"]).run().done();
    assert_eq!(
        version.text(),
        format!("hocker {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn hidden_commands_are_not_advertised() {
    let help = hocker(["--help"]).run().done().text();
    assert!(help.contains("docker2nix"), "{help}");
    for hidden in ["builder", "composite"] {
        assert!(
            !help.lines().any(|line| line.trim().starts_with(hidden)),
            "{help}"
        );
    }
}
