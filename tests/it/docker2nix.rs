//! `hocker docker2nix`: the classic expression of a manifest on standard input, the new one of a reference, and
//! what becomes of names and manifests that mean harm. That the expressions evaluate and build is seen in the
//! second ring.

use std::fs;

use serde_json::json;

use crate::support::hocker::{Outcome, hocker};
use crate::support::image::{Family, Image, index, index_answer, small};
use crate::support::scripted_registry::{Registry, get};

const MANIFEST: &str = include_str!("../data/debian-jessie.json");
const EXPRESSION: &str = include_str!("../data/debian-jessie.classic.nix.txt");

/// Standard output, which must be laid out as nixfmt lays it out. That also shows that it parses.
#[track_caller]
fn formatted(outcome: Outcome) -> String {
    let text = outcome.done().text();
    let expected =
        nixfmt_rs::format(&text).unwrap_or_else(|error| panic!("it is no Nix: {error:?}\n{text}"));
    assert_eq!(text, expected, "it is not laid out as nixfmt would");
    text
}

#[test]
fn a_password_on_standard_input_is_not_taken_for_a_manifest() {
    let image = small();
    let registry = Registry::start();
    registry.on(get("/v2/app/manifests/1"), image.manifest_answer());
    let credentials = ["--username", "ann", "--password-stdin"];
    let outcome = hocker(["docker2nix", &format!("{}/app", registry.name()), "1"])
        .arguments(credentials)
        .input("12345678")
        .run()
        .done();
    assert!(!outcome.stderr.contains("12345678"), "{outcome}");
    hocker(["docker2nix", "--manifest", "-", "app", "1"])
        .arguments(credentials)
        .input("12345678")
        .run()
        .failed(2);
}

#[test]
fn the_classic_pipeline_prints_the_classic_expression() {
    let outcome = hocker(["docker2nix", "library/debian", "jessie"])
        .input(MANIFEST)
        .run();
    assert_eq!(
        formatted(outcome),
        nixfmt_rs::format(EXPRESSION).unwrap(),
        "other attributes or values than the classic program's"
    );
}

#[test]
fn a_reference_fetches_its_manifest_in_one_request_and_keeps_it() {
    let registry = Registry::start();
    let image = small();
    image.serve_manifest(&registry, "team/app", "1");
    let reference = format!("{}/team/app:1", registry.name());
    let text = formatted(hocker(["docker2nix", &reference]).run());
    assert!(text.contains("imageManifest = "), "{text}");
    for layer in &image.layers {
        assert!(text.contains(&layer.hex()), "{text}");
    }
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn of_an_index_the_manifest_for_the_platform_is_kept() {
    let registry = Registry::start();
    let arm = json!({"os": "linux", "architecture": "arm64"});
    let image = Image::for_platform(Family::Oci, &arm, &["/arm"], small().layers);
    registry.on(
        get("/v2/app/manifests/1"),
        index_answer(&index(&[small().descriptor(), image.descriptor()])),
    );
    image.serve_manifest(&registry, "app", &image.digest());
    let reference = format!("{}/app:1", registry.name());
    let text = formatted(hocker(["docker2nix", "--platform", "linux/arm64", &reference]).run());
    let config = &image.config_digest()["sha256:".len()..];
    assert!(text.contains(config), "{text}");
}

#[test]
fn a_manifest_from_a_file_needs_no_network() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("manifest.json");
    fs::write(&file, MANIFEST).unwrap();
    // Nobody listens there, and the name does not exist.
    let text = formatted(
        hocker(["docker2nix", "registry.invalid/debian:jessie", "--manifest"])
            .arguments([&file])
            .run(),
    );
    assert!(
        text.contains("cd0a524342efac6edff500c17e625735bbe479c926439b263bbe3c8518a0849c"),
        "{text}"
    );
    assert!(text.contains("imageManifest = "), "{text}");
}

#[test]
fn the_same_input_gives_the_same_text() {
    let run = || {
        hocker(["docker2nix", "library/debian", "jessie"])
            .input(MANIFEST)
            .run()
            .done()
            .stdout
    };
    assert_eq!(run(), run());
}

#[test]
fn alternative_names_are_escaped() {
    for (name, escaped) in [
        ("${builtins.abort \"x\"}", r#""\${builtins.abort \"x\"}""#),
        ("a\"; evil = \"b", r#""a\"; evil = \"b""#),
        ("back\\slash", r#""back\\slash""#),
        ("new\nline", r#""new\nline""#),
        ("$${x}", r#""$\${x}""#),
    ] {
        let text = formatted(
            hocker(["docker2nix", "library/debian", "jessie", "--altName", name])
                .input(MANIFEST)
                .run(),
        );
        assert!(
            text.contains(escaped),
            "{name:?} is not {escaped} in\n{text}"
        );
    }
}

#[test]
fn words_of_the_nix_language_are_good_tags() {
    for word in ["let", "rec", "inherit", "null", "true", "or", "with"] {
        let text = formatted(
            hocker(["docker2nix", "library/debian", word])
                .input(MANIFEST)
                .run(),
        );
        assert!(text.contains(&format!("tag = \"{word}\";")), "{text}");
    }
}

#[test]
fn the_manifests_text_is_escaped() {
    let registry = Registry::start();
    let image = small();
    let manifest = String::from_utf8(image.manifest.clone()).unwrap().replacen(
        '{',
        "{\n   \"annotations\": {\"x\": \"${builtins.abort 1} '' ''${ \\\" \\n $$ \u{fc}\", \"y\": \"''\"},",
        1,
    );
    registry.on(
        get("/v2/app/manifests/1"),
        crate::support::scripted_registry::Answer::ok(manifest)
            .header("Content-Type", image.media_type),
    );
    let text = formatted(hocker(["docker2nix", &format!("{}/app:1", registry.name())]).run());
    assert!(
        !text.contains("\"${builtins") && !text.contains(" ${builtins"),
        "an interpolation is left in\n{text}"
    );
}

#[test]
fn refuses_names_that_no_registry_has() {
    for (image, tag) in [
        ("library/${x}", "1"),
        ("library/de\"bian", "1"),
        ("../debian", "1"),
        ("library/debian", "${x}"),
        ("library/debian", "a b"),
        ("library/debian", "-x"),
        ("", "1"),
    ] {
        let outcome = hocker(["docker2nix", "--", image, tag])
            .input(MANIFEST)
            .run()
            .failed(2);
        assert!(outcome.stdout.is_empty(), "{outcome}");
    }
}

#[test]
fn only_an_index_is_said_to_have_platforms() {
    let index = String::from_utf8(index(&[small().descriptor()])).unwrap();
    let other = r#"{"schemaVersion":2,"mediaType":"application/x-index"}"#;
    for (manifest, is_index) in [(index, true), (other.to_owned(), false)] {
        let outcome = hocker(["docker2nix", "library/debian", "1"])
            .input(manifest)
            .run()
            .failed(7);
        assert_eq!(outcome.stderr.contains("--platform"), is_index, "{outcome}");
    }
}

#[test]
fn refuses_manifests_that_are_none_or_mean_harm() {
    let debian = |from: &str, to: &str| {
        let text = MANIFEST.replace(from, to);
        assert_ne!(text, MANIFEST, "{from:?} is not there to be replaced");
        text
    };
    let index = String::from_utf8(index(&[small().descriptor()])).unwrap();
    for (what, manifest, code) in [
        ("nothing", String::new(), 7),
        ("a web page", "<!DOCTYPE html><html></html>".to_owned(), 7),
        ("an array", "[]".to_owned(), 7),
        ("deep nesting", "[".repeat(100_000), 7),
        ("an index", index, 7),
        (
            "schema 1",
            r#"{"schemaVersion":1,"name":"x","tag":"1","fsLayers":[]}"#.to_owned(),
            7,
        ),
        (
            "schema 3",
            debian("\"schemaVersion\": 2", "\"schemaVersion\": 3"),
            7,
        ),
        (
            "a manifest and an index at once",
            debian(
                "\"schemaVersion\": 2,",
                "\"schemaVersion\": 2, \"manifests\": [],",
            ),
            5,
        ),
        (
            "an interpolation for a digest",
            debian("sha256:cd0a", "sha256:${x}"),
            7,
        ),
        (
            "a path for a digest",
            debian("sha256:cd0a", "../../../x:"),
            7,
        ),
        ("another algorithm", debian("sha256:cd0a", "md5:cd0a"), 7),
        ("a negative size", debian("1528", "-1528"), 7),
        (
            "an absurd size",
            debian("52550276", "92233720368547758079"),
            7,
        ),
        ("a cut off text", MANIFEST[..300].to_owned(), 7),
        (
            "more than 4 MiB",
            format!("{MANIFEST}{}", " ".repeat(5 << 20)),
            7,
        ),
    ] {
        let outcome = hocker(["docker2nix", "library/debian", "jessie"])
            .input(manifest)
            .run();
        assert_eq!(outcome.code, Some(code), "{what}: {outcome}");
        assert!(outcome.stdout.is_empty(), "{what}: {outcome}");
        assert!(outcome.stderr.starts_with("hocker: "), "{what}: {outcome}");
    }
}

#[test]
fn a_reference_with_a_digest_alone_gets_no_tag() {
    let image = small();
    let pin = format!("team/app@{}", image.digest());
    let registry = Registry::start();
    image.serve_manifest(&registry, "team/app", &image.digest());
    let fetched = hocker(["docker2nix", &format!("{}/{pin}", registry.name())]);
    let given = |arguments: [&str; 2]| {
        hocker(["docker2nix", arguments[0], arguments[1]]).input(image.manifest.clone())
    };
    for run in [
        fetched,
        given([&pin, "--manifest=-"]),
        given(["team/app", &image.digest()]),
    ] {
        let text = formatted(run.run());
        assert!(text.contains("  tag = null;\n"), "{text}");
        assert!(text.contains("imageManifest = "), "{text}");
    }
}

#[test]
fn an_empty_standard_input_is_no_riddle() {
    hocker(["docker2nix", "debian", "12"])
        .run()
        .failed(7)
        .says("cannot use the manifest on standard input")
        .says("the document is empty")
        .says("write IMAGE:TAG as one argument");
}
