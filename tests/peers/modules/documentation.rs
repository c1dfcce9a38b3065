//! What users read: the list of options, and the README's configuration.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use crate::machine::nix::{Nix, root};
use crate::machine::nixos::{Configuration, MANIFEST, nixpkgs_lib};

const OPTIONS: &str = "nix/modules/options.md";

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn every_option_is_described_in_the_list_of_options() {
    let nix = Nix::new();
    let rendered = nix.evaluate(&format!(
        "import {}/nix/option-docs.nix {{ lib = import {}; }}",
        root().display(),
        nixpkgs_lib().display()
    ));
    let rendered = rendered.as_str().unwrap();
    let written = fs::read_to_string(root().join(OPTIONS)).unwrap_or_default();
    assert!(
        written == rendered,
        "{OPTIONS} is not what nix/option-docs.nix makes of the modules; it should be\n{rendered}"
    );
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn the_configuration_in_the_readme_holds() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n## On NixOS\n").unwrap();
    let (_, example) = section.split_once("```nix\n").unwrap();
    let (example, _) = example.split_once("```\n").unwrap();

    // What the text around it says is there.
    let nix = Nix::new();
    let directory = nix.directory().join("configuration");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("web.nix"), example).unwrap();
    symlink(root(), directory.join("hocker")).unwrap();
    symlink(
        nix.directory().join("hocker"),
        directory.join("hocker-package"),
    )
    .unwrap();
    fs::copy(root().join(MANIFEST), directory.join("nginx.json")).unwrap();

    let values = Configuration::of_file(&directory.join("web.nix")).values(
        &nix,
        "web = config.systemd.services.docker-web; units = lib.attrNames units; \
         pull = config.virtualisation.oci-containers.containers.web.pull;",
    );
    assert_eq!(
        values["web"]["requires"],
        json!(["hocker-load-web.service"])
    );
    assert_eq!(values["pull"], "never");
    assert_eq!(
        values["units"],
        json!(["hocker-load-web", "hocker-prune-docker"])
    );
}
