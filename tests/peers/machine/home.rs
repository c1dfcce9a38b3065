//! Configurations of home-manager: the module of `nix/modules/home` over the real `lib` of nixpkgs, and over home-manager
//! itself or over `tests/nix/home` for the little of it that the module touches.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use super::nix::{Nix, root};
use super::nixos::{MANIFEST, nixpkgs_lib};
use super::program;

/// Names a checkout of home-manager.
const HOME_MANAGER: &str = "HOME_MANAGER";

/// A configuration, to be evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    modules: String,
    home_manager: Option<PathBuf>,
}

impl Home {
    /// What stands in a module between its braces. `config`, `lib` and `pkgs` are bound, `fetch` is `fetchdocker` of
    /// that manifest under a name, and hocker is the package.
    pub(crate) fn new(body: &str) -> Self {
        let root = root();
        Self {
            modules: format!(
                "{} ({{ config, lib, pkgs, ... }}: let fetch = image: config.services.hocker.functions.fetchdocker {{ \
                 inherit image; imageManifest = {}; }}; in {{ {body} }})",
                root.join("nix/modules/home").display(),
                root.join(MANIFEST).display()
            ),
            home_manager: None,
        }
    }

    /// A module that is a file, and imports hocker's by itself.
    pub(crate) fn of_file(file: &Path) -> Self {
        Self {
            modules: file.display().to_string(),
            home_manager: None,
        }
    }

    /// The same, over home-manager itself.
    pub(crate) fn real(self) -> Self {
        let path = env::var_os(HOME_MANAGER)
            .unwrap_or_else(|| panic!("{HOME_MANAGER} must name a checkout of home-manager"));
        let path = Path::new(&path).canonicalize().unwrap_or_else(|error| {
            panic!("{HOME_MANAGER} names no checkout of home-manager: {error}")
        });
        Self {
            home_manager: Some(path),
            ..self
        }
    }

    /// An expression over it: `config`, `failures`, `texts`, `quadlets`, `activation` and `order` are bound, as
    /// `tests/nix/home` has them.
    fn expression(&self, nix: &Nix, wanted: &str) -> String {
        let home_manager = self
            .home_manager
            .as_ref()
            .map_or_else(|| "null".to_owned(), |path| path.display().to_string());
        format!(
            "let lib = import {}; home = import {} {{ inherit lib; homeManager = {home_manager}; package = {}; }} \
             [ {} ]; in with home; {wanted}",
            nixpkgs_lib().display(),
            root().join("tests/nix/home").display(),
            nix.directory().join("hocker").display(),
            self.modules,
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
