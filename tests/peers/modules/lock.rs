//! A lock file instead of images that are written down.

use serde_json::json;

use crate::machine::configuration::Configuration;
use crate::machine::nix::{Nix, root};

fn configuration(body: &str) -> Configuration {
    let file = root().join("tests/nix/docker-images.lock.json");
    Configuration::new(&format!(
        "virtualisation.docker.enable = true;
         services.hocker = {{ enable = true; lockFile = {}; }};
         virtualisation.oci-containers.backend = \"docker\";
         {body}",
        file.display()
    ))
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn all_images_of_a_lock_file_are_declared() {
    let nix = Nix::new();
    let values =
        configuration("virtualisation.oci-containers.containers.db.image = \"debian:12\";").values(
            &nix,
            "units = lib.attrNames units;
         names = lib.mapAttrs (_: image: image.names) config.services.hocker.images;
         db = config.systemd.services.docker-db.requires;",
        );
    assert_eq!(
        values["names"],
        json!({
            "app": ["ghcr.io/team/app:1"],
            "debian": ["debian:12"],
            "nested": ["a.example/app:1"],
            "pinned": ["ghcr.io/team/app:2"],
        })
    );
    assert_eq!(values["db"], json!(["hocker-load-debian.service"]));
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn what_is_declared_by_hand_wins() {
    let nix = Nix::new();
    let values = configuration("services.hocker.images.debian.image = fetch \"debian:jessie\";")
        .values(&nix, "names = config.services.hocker.images.debian.names;");
    assert_eq!(values["names"], json!(["debian:jessie"]));
}
