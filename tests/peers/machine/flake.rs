//! This project as a flake, on a machine without network: nixpkgs is its real `lib` and, for the packages, what
//! `tests/nix/nixpkgs` puts in their place.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::configuration::nixpkgs_lib;
use super::nix::{Nix, root};
use super::program;

/// What the flake consists of.
const SOURCES: [&str; 17] = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "docs",
    "examples",
    "flake.lock",
    "flake.nix",
    "fuzz/Cargo.lock",
    "fuzz/seeds",
    "nix",
    "scripts",
    "src",
    "tests",
];

/// A copy of the flake, without what a build leaves beside it.
pub(crate) struct Flake {
    nix: Nix,
}

impl Flake {
    /// The copies.
    pub(crate) fn new() -> Self {
        let flake = Self { nix: Nix::new() };
        let own = flake.own();
        fs::create_dir(&own).unwrap();
        program::run(
            Command::new("cp")
                .args(["--recursive", "--parents", "--target-directory"])
                .arg(&own)
                .args(SOURCES)
                .current_dir(root()),
        );
        let nixpkgs = flake.nixpkgs();
        let stand_in = root().join("tests/nix/nixpkgs");
        let parts = ["flake.nix", "lib.nix", "packages.nix"].map(|name| stand_in.join(name));
        copy(parts, &nixpkgs);
        copy([nixpkgs_lib(), root().join("tests/nix/nixos")], &nixpkgs);
        flake
    }

    /// The Nix that reads it.
    pub(crate) fn nix(&self) -> &Nix {
        &self.nix
    }

    /// Where it is.
    pub(crate) fn own(&self) -> PathBuf {
        self.nix.directory().join("flake")
    }

    /// Where what stands in for nixpkgs is.
    pub(crate) fn nixpkgs(&self) -> PathBuf {
        self.nix.directory().join("nixpkgs")
    }

    /// A command of `nix` about a flake, with some of its inputs given; what it prints.
    #[track_caller]
    pub(crate) fn run_of<I: AsRef<OsStr>>(
        &self,
        inputs: &[(&str, &Path)],
        arguments: impl IntoIterator<Item = I>,
    ) -> String {
        let mut command = self.command();
        command.args(arguments).arg("--no-write-lock-file");
        for (input, directory) in inputs {
            command.args(["--override-input", *input, &reference(directory)]);
        }
        program::text(&mut command)
    }

    /// A command of `nix` about this flake.
    #[track_caller]
    pub(crate) fn run<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> String {
        self.run_of(&[("nixpkgs", &self.nixpkgs())], arguments)
    }

    /// `nix`, with what flakes need.
    pub(crate) fn command(&self) -> Command {
        let mut command = self.nix.command("nix");
        command.env(
            "NIX_CONFIG",
            "experimental-features = nix-command flakes\nbuild-users-group =\nsubstituters =\nflake-registry =\n",
        );
        command
    }

    /// What a function makes of the flake's `lib` and `overlays`, as JSON. It may read files elsewhere.
    #[track_caller]
    pub(crate) fn evaluate(&self, function: &str) -> Value {
        self.nix.evaluate(&format!(
            "({function}) ((import {}/flake.nix).outputs {{ self = {{ }}; nixpkgs.lib = import {}/lib.nix; }})",
            self.own().display(),
            self.nixpkgs().display()
        ))
    }
}

/// How Nix calls the flake in a directory.
pub(crate) fn reference(directory: &Path) -> String {
    format!("path:{}", directory.display())
}

/// Copies files and directories into a directory.
fn copy(sources: impl IntoIterator<Item = PathBuf>, directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    program::run(
        Command::new("cp")
            .arg("--recursive")
            .arg("--target-directory")
            .arg(directory)
            .args(sources),
    );
}
