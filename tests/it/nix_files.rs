//! Nix files are laid out as nixfmt lays them out, the hand-written ones too, so that what docker2nix prints looks
//! like its surroundings. The package for nixpkgs agrees with Cargo.toml.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::files::files_with_extension;

/// What the Haskell docker2nix wrote, kept with its layout.
const HISTORICAL: &str = "tests/nix/classic.nix";

fn nix_files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let flake = root.join("flake.nix");
    let mut found = files_with_extension(&root.join("nix"), "nix");
    found.extend(files_with_extension(&root.join("tests"), "nix"));
    found.extend(files_with_extension(&root.join("benches"), "nix"));
    if flake.exists() {
        found.push(flake);
    }
    found.retain(|file| *file != root.join(HISTORICAL));
    found
}

#[test]
fn nix_files_are_formatted() {
    let files = nix_files();
    assert!(!files.is_empty(), "there are no Nix files");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let formatted = nixfmt_rs::format(&text)
            .unwrap_or_else(|error| panic!("{}: {error:?}", file.display()));
        assert!(
            text == formatted,
            "{} is not formatted; it should read\n{formatted}",
            file.display()
        );
    }
}

/// The values of a key in Cargo.toml, which stands on one line.
fn of_manifest(key: &str) -> Vec<String> {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))
        .unwrap_or_else(|| panic!("Cargo.toml has no `{key}`"));
    let inner = value.trim_matches(['[', ']']);
    inner
        .split(", ")
        .map(|word| word.trim_matches('"').to_owned())
        .collect()
}

#[test]
fn the_package_for_nixpkgs_says_what_cargo_toml_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("nix/nixpkgs/package.nix");
    let package = fs::read_to_string(path).unwrap();
    for key in ["version", "description", "homepage"] {
        let value = of_manifest(key).join(", ");
        let line = format!("  {key} = \"{value}\";\n");
        assert!(package.contains(&line), "nix/nixpkgs/package.nix: {line}");
    }
    let features = of_manifest("default");
    assert!(features.len() > 1, "{features:?}");
    for feature in features {
        assert!(
            package.contains(&format!("\"{feature}\"\n"))
                || package.contains(&format!("\"{feature}\";\n")),
            "nix/nixpkgs/package.nix builds without the feature {feature}"
        );
    }
}
