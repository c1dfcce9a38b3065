//! NixOS configurations: the modules of `nix/modules` over the real `lib` of nixpkgs, and over `tests/nix/nixos`
//! for the little of NixOS itself that they touch.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use super::nix::{Nix, root};
use super::program;

/// Names a directory with nixpkgs' `lib` in it: a checkout of nixpkgs, or of nixpkgs.lib.
const NIXPKGS_LIB: &str = "NIXPKGS_LIB";

/// A manifest of an image with one layer, as `hocker manifest` prints it.
pub(crate) const MANIFEST: &str = "tests/data/debian-jessie.json";

/// A configuration, to be evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    modules: String,
    arguments: &'static str,
}

impl Configuration {
    /// What stands in a module between its braces. `config`, `lib` and `pkgs` are bound, `fetch` is `fetchdocker` of
    /// that manifest under a name, and hocker is the package.
    pub(crate) fn new(body: &str) -> Self {
        let root = root();
        let (manifest, modules) = (root.join(MANIFEST), root.join("nix/modules"));
        Self {
            modules: format!(
                "{} ({{ config, lib, pkgs, ... }}: let fetch = image: config.services.hocker.functions.fetchdocker {{ \
                 inherit image; imageManifest = {}; }}; in {{ {body} }})",
                modules.display(),
                manifest.display()
            ),
            arguments: "",
        }
    }

    /// A module that is a file, and imports hocker's by itself.
    pub(crate) fn of_file(file: &Path) -> Self {
        Self {
            modules: file.display().to_string(),
            arguments: "",
        }
    }

    /// The same, on a release of NixOS whose containers have no option `pull`.
    pub(crate) fn before_pull(mut self) -> Self {
        self.arguments = "hasPull = false;";
        self
    }

    /// An expression over it: `config`, `failures` and `units` are bound, as `tests/nix/nixos` has them.
    fn expression(&self, nix: &Nix, wanted: &str) -> String {
        let package = nix.directory().join("hocker");
        format!(
            "let lib = import {}; nixos = import {} {{ inherit lib; {} package = {}; }} [ {} ]; in with nixos; {wanted}",
            nixpkgs_lib().display(),
            root().join("tests/nix/nixos").display(),
            self.arguments,
            package.display(),
            self.modules
        )
    }

    /// What an expression over it comes to.
    #[track_caller]
    pub(crate) fn evaluate(&self, nix: &Nix, wanted: &str) -> Value {
        nix.evaluate(&self.expression(nix, wanted))
    }

    /// Builds what an expression over it says.
    pub(crate) fn build(&self, nix: &Nix, wanted: &str) -> Output {
        program::output(
            nix.command("nix-build")
                .arg("--no-out-link")
                .args(["--expr", &self.expression(nix, wanted)]),
        )
    }

    /// The messages of the assertions that do not hold.
    #[track_caller]
    pub(crate) fn failures(&self, nix: &Nix) -> Vec<String> {
        serde_json::from_value(self.evaluate(nix, "failures")).unwrap()
    }

    /// Expressions by name, of a configuration whose assertions hold.
    #[track_caller]
    pub(crate) fn values(&self, nix: &Nix, wanted: &str) -> Value {
        let mut values = self.evaluate(nix, &format!("{{ inherit failures; }} // {{ {wanted} }}"));
        let failures = values["failures"].take();
        assert_eq!(failures, serde_json::json!([]), "{self:?}");
        values
    }
}

/// The file of nixpkgs' `lib`.
pub(crate) fn nixpkgs_lib() -> PathBuf {
    let directory = env::var_os(NIXPKGS_LIB)
        .unwrap_or_else(|| panic!("{NIXPKGS_LIB} must name a checkout of nixpkgs or nixpkgs.lib"));
    let lib = Path::new(&directory).join("lib");
    lib.canonicalize().unwrap_or_else(|error| {
        panic!(
            "{NIXPKGS_LIB} names no checkout of nixpkgs or nixpkgs.lib: {}: {error}",
            lib.display()
        )
    })
}
