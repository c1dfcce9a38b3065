//! What users read: the list of options, and the configurations in README and docs.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use crate::machine::nix::{Nix, root};
use crate::machine::nixos::{Configuration, MANIFEST, nixpkgs_lib};
use crate::support::pages::Page;

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
fn the_configurations_in_the_pages_hold() {
    for (page, title) in [("README.md", "On NixOS"), ("docs/nixos.md", "NixOS")] {
        holds(&Page::at(page).section(title).block("nix"));
    }
}

/// Asserts that a configuration runs nginx from the image that it declares.
#[track_caller]
fn holds(example: &str) {
    let nix = Nix::new();
    let values = in_checkout(&nix, example).values(
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

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn the_configuration_of_an_image_in_the_store_holds() {
    let nix = Nix::new();
    let page = Page::at("docs/running-from-the-store.md");
    let values = in_checkout(&nix, &page.section("NixOS").block("nix")).values(
        &nix,
        "web = config.systemd.services.podman-web; units = lib.attrNames units; \
         mounts = lib.length config.systemd.mounts;",
    );
    assert_eq!(
        values["web"]["requires"],
        json!(["hocker-store-web.target"])
    );
    assert_eq!(values["units"], json!([]));
    assert_eq!(values["mounts"], 1);
}

/// A configuration in a directory with what the text around it requires.
fn in_checkout(nix: &Nix, example: &str) -> Configuration {
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

    Configuration::of_file(&directory.join("web.nix"))
}
