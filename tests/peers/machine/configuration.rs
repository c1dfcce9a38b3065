//! Configurations of NixOS and of home-manager: hocker's modules over the real `lib` of nixpkgs. Of NixOS and
//! home-manager themselves, `tests/nix/nixos` and `tests/nix/home` have the little that the modules touch.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use super::nix::{Nix, root};
use super::program;

/// Names a directory with nixpkgs' `lib` in it: a checkout of nixpkgs, or of nixpkgs.lib.
const NIXPKGS_LIB: &str = "NIXPKGS_LIB";

/// Names a checkout of home-manager.
const HOME_MANAGER: &str = "HOME_MANAGER";

/// A manifest of an image with one layer, as `hocker manifest` prints it.
pub(crate) const MANIFEST: &str = "tests/data/debian-jessie.json";

/// A configuration, to be evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    system: System,
    modules: String,
}

/// What the modules are over.
#[derive(Clone, Debug)]
enum System {
    /// `tests/nix/nixos`, with these arguments.
    Nixos(&'static str),
    /// `tests/nix/home`, or home-manager itself in a checkout.
    Home(Option<PathBuf>),
}

impl Configuration {
    /// What stands in a module of NixOS between its braces. `config`, `lib` and `pkgs` are bound, `fetch` is
    /// `fetchdocker` of that manifest under a name, and hocker is the package.
    pub(crate) fn new(body: &str) -> Self {
        Self {
            system: System::Nixos(""),
            modules: modules("nix/modules", body),
        }
    }

    /// A module of NixOS that is a file, and imports hocker's by itself.
    pub(crate) fn of_file(file: &Path) -> Self {
        Self {
            system: System::Nixos(""),
            modules: file.display().to_string(),
        }
    }

    /// The same, on a release of NixOS whose containers have no option `pull`.
    pub(crate) fn before_pull(self) -> Self {
        Self {
            system: System::Nixos("hasPull = false;"),
            ..self
        }
    }

    /// What stands in a module of home-manager between its braces, with the same names.
    pub(crate) fn home(body: &str) -> Self {
        Self {
            system: System::Home(None),
            modules: modules("nix/modules/home", body),
        }
    }

    /// A module of home-manager that is a file, and imports hocker's by itself.
    pub(crate) fn of_home_file(file: &Path) -> Self {
        Self {
            system: System::Home(None),
            modules: file.display().to_string(),
        }
    }

    /// The same, over home-manager itself.
    pub(crate) fn over_home_manager(self) -> Self {
        let path = env::var_os(HOME_MANAGER)
            .unwrap_or_else(|| panic!("{HOME_MANAGER} must name a checkout of home-manager"));
        let path = Path::new(&path).canonicalize().unwrap_or_else(|error| {
            panic!("{HOME_MANAGER} names no checkout of home-manager: {error}")
        });
        Self {
            system: System::Home(Some(path)),
            ..self
        }
    }

    /// An expression over it: what `tests/nix/nixos` or `tests/nix/home` has is bound.
    fn expression(&self, nix: &Nix, wanted: &str) -> String {
        let (system, arguments) = match &self.system {
            System::Nixos(arguments) => ("nixos", (*arguments).to_owned()),
            System::Home(None) => ("home", "homeManager = null;".to_owned()),
            System::Home(Some(path)) => ("home", format!("homeManager = {};", path.display())),
        };
        format!(
            "let lib = import {}; evaluated = import {} {{ inherit lib; {arguments} package = {}; }} [ {} ]; in with \
             evaluated; {wanted}",
            nixpkgs_lib().display(),
            root().join("tests/nix").join(system).display(),
            nix.directory().join("hocker").display(),
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

/// hocker's module, and one with this between its braces.
fn modules(own: &str, body: &str) -> String {
    format!(
        "{} ({{ config, lib, pkgs, ... }}: let fetch = image: config.services.hocker.functions.fetchdocker {{ \
         inherit image; imageManifest = {}; }}; in {{ {body} }})",
        root().join(own).display(),
        root().join(MANIFEST).display()
    )
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
