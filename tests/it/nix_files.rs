//! Nix files are laid out as nixfmt lays them out, the hand-written ones too, so that what docker2nix prints looks
//! like its surroundings.

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
