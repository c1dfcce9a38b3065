//! What Nix makes of expressions, without building anything.

use std::fs;

use serde_json::Value;

use crate::machine::nix::Nix;
use crate::support::hocker::hocker;
use crate::support::image::small;
use crate::support::scripted_registry::{Answer, Registry, get};

const MANIFEST: &str = include_str!("../data/debian-jessie.json");
const EXPRESSION: &str = include_str!("../data/debian-jessie.classic.nix.txt");

/// The values of an expression, its functions being those that hand back their arguments.
fn values(nix: &Nix, expression: &str) -> Value {
    let file = nix.directory().join("expression.nix");
    fs::write(&file, expression).unwrap();
    nix.evaluate(&format!(
        "let f = import {}; same = x: x; in f (builtins.mapAttrs (_: _: same) (builtins.functionArgs f))",
        file.display()
    ))
}

#[test]
fn the_classic_expression_has_the_classic_attributes_and_values() {
    let nix = Nix::new();
    let ours = hocker(["docker2nix", "library/debian", "jessie"])
        .input(MANIFEST)
        .run()
        .done()
        .text();
    assert_eq!(values(&nix, &ours), values(&nix, EXPRESSION));
}

#[test]
fn hostile_names_are_only_names() {
    let nix = Nix::new();
    for name in [
        "${builtins.abort \"x\"}",
        "a\"; evil = \"b",
        "back\\slash",
        "new\nline",
        "$${x}",
        "''${x}",
        "\u{fc}\t\r",
    ] {
        let text = hocker(["docker2nix", "library/debian", "let", "--altName", name])
            .input(MANIFEST)
            .run()
            .done()
            .text();
        let values = values(&nix, &text);
        assert_eq!(values["tag"], "let");
        assert!(
            values
                .as_object()
                .unwrap()
                .values()
                .any(|value| value == name),
            "{name:?} is not in {values}"
        );
        assert_eq!(values.get("evil"), None);
    }
}

#[test]
fn the_manifests_text_survives_byte_for_byte_whatever_it_holds() {
    let nix = Nix::new();
    let image = small();
    let plain = String::from_utf8(image.manifest.clone()).unwrap();
    let with = |annotations: &str| plain.replacen('{', &format!("{{{annotations}"), 1);
    for manifest in [
        plain.clone(),
        format!("{plain}\n"),
        format!("{plain}\n\n  "),
        format!("\n  {plain}"),
        plain.replace('\n', "\r\n"),
        plain.replace("   ", "\t"),
        serde_json::from_str::<Value>(&plain).unwrap().to_string(),
        with(r#""annotations": {"x": "${builtins.abort 1} '' ''${ ''\\n \" \n $$ $${x} '"},"#),
        with("\"annotations\": {\"\u{fc}\": \"\u{1f980}\u{7f}\"},"),
    ] {
        let registry = Registry::start();
        registry.on(
            get("/v2/app/manifests/1"),
            Answer::ok(manifest.clone()).header("Content-Type", image.media_type),
        );
        let text = hocker(["docker2nix", &format!("{}/app:1", registry.name())])
            .run()
            .done()
            .text();
        assert_eq!(values(&nix, &text)["imageManifest"], manifest, "{text}");
    }
}
