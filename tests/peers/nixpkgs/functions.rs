//! The functions over nixpkgs, on its real `lib` and what `tests/nix/nixpkgs` puts in the place of its `stdenv`.

use std::fs;

use serde_json::Value;

use crate::machine::flake::Flake;
use crate::machine::nix::root;
use crate::machine::program;
use crate::support::image::small;
use crate::support::scripted_registry::Registry;

/// An expression over `lib`, and `nixpkgs`, a package set without the overlay.
fn over_nixpkgs(flake: &Flake, body: &str) -> String {
    let nixpkgs = flake.nixpkgs();
    format!(
        "let lib = import {0}/lib.nix; \
         nixpkgs = import {0}/packages.nix {{ inherit lib; buildSystem = \"x86_64-linux\"; }}; in {body}",
        nixpkgs.display()
    )
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn results_have_the_store_paths_of_the_bare_functions_and_can_be_overridden() {
    let flake = Flake::new();
    let facts = flake.nix().evaluate(
        &over_nixpkgs(
            &flake,
            "let pkgs = nixpkgs.extend (import FLAKE/nix/overlay.nix); in import FLAKE/tests/nix/checkout/layer.nix { \
             inherit pkgs; bare = import FLAKE/nix { hocker = pkgs.hocker-builder; system = \"x86_64-linux\"; }; }",
        )
        .replace("FLAKE", &flake.own().display().to_string()),
    );
    let facts = facts.as_object().unwrap();
    assert!(facts.len() > 20, "{facts:#?}");
    let wrong: Vec<&String> = facts
        .iter()
        .filter(|(_, holds)| **holds != Value::Bool(true))
        .map(|(fact, _)| fact)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn derivations_of_stdenv_fetch_layers_and_configs() {
    let image = small();
    let registry = Registry::start();
    image.serve_config(&registry, "app");
    image.serve_layers(&registry, "app");
    let flake = Flake::new();
    let nix = flake.nix();
    let config = image.config_digest();
    let (_, config) = config.split_once(':').unwrap();
    let layers: Vec<String> = image
        .layers
        .iter()
        .map(|layer| format!("{:?}", layer.hex()))
        .collect();
    let functions = root().join("nix/nixpkgs/functions.nix");
    let body = format!(
        "let hocker = {}; place = {{ registry = {:?}; repository = \"\"; imageName = \"app\"; }}; \
         functions = nixpkgs.callPackage {} {{ inherit hocker; buildHocker = hocker; }}; in [ \
         (functions.fetchDockerConfig (place // {{ sha256 = {config:?}; }})) \
         ] ++ map (sha256: functions.fetchDockerLayer (place // {{ inherit sha256; }})) [ {} ]",
        nix.directory().join("hocker").display(),
        registry.url(),
        functions.display(),
        layers.join(" "),
    );
    let built = program::text(
        nix.command("nix-build")
            .arg("--no-out-link")
            .args(["--expr", &over_nixpkgs(&flake, &body)]),
    );
    let built: Vec<Vec<u8>> = built.lines().map(|path| fs::read(path).unwrap()).collect();
    let expected: Vec<Vec<u8>> = [&image.config]
        .into_iter()
        .chain(image.layers.iter().map(|layer| &layer.blob))
        .cloned()
        .collect();
    assert_eq!(built, expected);
}
