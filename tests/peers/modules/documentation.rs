//! What users read: the list of options, and the configurations in README and docs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::json;

use crate::machine::configuration::{Configuration, MANIFEST, nixpkgs_lib};
use crate::machine::nix::{Nix, root};
use crate::support::pages::Page;

/// The modules, with the titles of their lists of options.
const MODULES: [(&str, &str); 2] = [
    ("nix/modules", "Options of the NixOS modules"),
    ("nix/modules/home", "Options of the home-manager module"),
];

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn every_option_is_described_in_the_list_of_options() {
    let nix = Nix::new();
    for (module, title) in MODULES {
        let rendered = nix.evaluate(&format!(
            "import {root}/nix/option-docs.nix {{ lib = import {}; module = {root}/{module}; title = {title:?}; }}",
            nixpkgs_lib().display(),
            root = root().display(),
        ));
        let rendered = rendered.as_str().unwrap();
        let options = format!("{module}/options.md");
        let written = fs::read_to_string(root().join(&options)).unwrap_or_default();
        assert!(
            written == rendered,
            "{options} is not what nix/option-docs.nix makes of the module; it should be\n{rendered}"
        );
    }
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
    let values = Configuration::of_file(&in_checkout(&nix, example)).values(
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
    let file = in_checkout(&nix, &page.section("NixOS").block("nix"));
    let values = Configuration::of_file(&file).values(
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

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn the_configuration_of_a_home_holds() {
    let nix = Nix::new();
    let page = Page::at("docs/home-manager.md");
    let file = in_checkout(&nix, &page.section("Home-manager").block("nix"));
    let values = Configuration::of_home_file(&file).values(
        &nix,
        "units = lib.attrNames config.systemd.user.services; files = config.xdg.configFile; \
         web = config.services.podman.containers.web.extraConfig.Container;",
    );
    let file = &values["files"]["systemd/user/podman-web.service.d/hocker.conf"];
    assert_eq!(
        file["text"],
        "[Unit]\nRequires=hocker-load-web.service\nAfter=hocker-load-web.service\n"
    );
    assert_eq!(
        values["units"],
        json!(["hocker-load-web", "hocker-podman", "hocker-prune-podman"])
    );
    assert_eq!(values["web"]["Pull"], "never");
}

/// The file of a configuration, in a directory with what the text around it requires.
fn in_checkout(nix: &Nix, example: &str) -> PathBuf {
    let directory = nix.directory().join("configuration");
    fs::create_dir(&directory).unwrap();
    let file = directory.join("web.nix");
    fs::write(&file, example).unwrap();
    symlink(root(), directory.join("hocker")).unwrap();
    symlink(
        nix.directory().join("hocker"),
        directory.join("hocker-package"),
    )
    .unwrap();
    fs::copy(root().join(MANIFEST), directory.join("nginx.json")).unwrap();
    file
}
