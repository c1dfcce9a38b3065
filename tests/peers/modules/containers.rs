//! Containers of `virtualisation.oci-containers`: those that run a declared image wait for it, and the others are
//! what they would be without hocker.

use serde_json::json;

use crate::machine::nix::Nix;
use crate::machine::nixos::Configuration;

/// What comes of a container and its unit.
const SEEN: &str = "seen = lib.mapAttrs (_: container: let service = config.systemd.services.${container.serviceName}; \
                    in { inherit (container) image; inherit (service) after requires restartTriggers script; }) \
                    config.virtualisation.oci-containers.containers; \
                    paths = lib.mapAttrs (_: image: image.path) config.services.hocker.images;";

const LOADED: [&str; 1] = ["hocker-load-web.service"];

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_container_that_runs_a_declared_image_waits_for_it_and_asks_no_registry() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.oci-containers = {
          backend = "docker";
          containers.short.image = "nginx";
          containers.long.image = "docker.io/library/nginx:latest";
          containers.digest.image = "nginx@${config.services.hocker.images.web.image.manifestDigest}";
          containers.both.image = "nginx:1@${config.services.hocker.images.web.image.manifestDigest}";
          containers.tagged.image = "quay.io/team/web:2";
          containers.named.hockerImage = "web";
          containers.renamed = { hockerImage = "web"; image = "alias:1"; serviceName = "alias"; };
        };
        services.hocker = {
          enable = true;
          images.web = { image = fetch "nginx"; tags = [ "quay.io/team/web:2" ]; };
        };
        "#,
    )
    .values(&nix, SEEN);
    let containers = values["seen"].as_object().unwrap();
    assert_eq!(containers.len(), 7);
    for (name, container) in containers {
        assert_eq!(container["requires"], json!(LOADED), "{name}");
        assert!(
            container["after"]
                .as_array()
                .unwrap()
                .contains(&json!(LOADED[0])),
            "{name}: {container}"
        );
        assert_eq!(
            container["restartTriggers"],
            json!([values["paths"]["web"]]),
            "{name}"
        );
        let script = container["script"].as_str().unwrap();
        assert!(
            script.starts_with("exec docker run --pull never "),
            "{name}: {script}"
        );
    }
    assert_eq!(containers["named"]["image"], "nginx:latest");
    assert_eq!(containers["renamed"]["image"], "alias:1");
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_container_that_names_the_digest_of_an_index_waits_for_its_image() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.podman.enable = true;
        virtualisation.oci-containers = {
          backend = "podman";
          containers.index.image = "nginx:1.27@${config.services.hocker.images.web.image.indexDigest}";
          containers.manifest.image = "nginx@${config.services.hocker.images.web.image.manifestDigest}";
        };
        services.hocker = {
          enable = true;
          images.web.image =
            let
              manifest = (fetch "nginx").imageSpec.manifest;
            in
            config.services.hocker.functions.fetchdocker {
              image = "nginx:1.27";
              imageManifest = manifest;
              imageIndex = builtins.toJSON {
                schemaVersion = 2;
                manifests = [ { digest = "sha256:${builtins.hashString "sha256" manifest}"; } ];
              };
            };
        };
        "#,
    )
    .values(&nix, SEEN);
    let containers = values["seen"].as_object().unwrap();
    assert_eq!(containers.len(), 2);
    for (name, container) in containers {
        assert_eq!(container["requires"], json!(LOADED), "{name}");
    }
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_container_of_podman_waits_for_an_image_of_podman() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.docker.enable = true;
        virtualisation.oci-containers = {
          backend = "podman";
          containers.web.image = "nginx:1.27";
          containers.elsewhere.image = "other:1";
        };
        services.hocker = {
          enable = true;
          images.web.image = fetch "nginx:1.27";
          images.other = { image = fetch "other:1"; backend = "docker"; };
        };
        "#,
    )
    .values(&nix, SEEN);
    assert_eq!(values["seen"]["web"]["requires"], json!(LOADED));
    assert_eq!(values["seen"]["elsewhere"]["requires"], json!([]));
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_container_of_an_older_release_asks_no_registry_either() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.oci-containers = {
          backend = "docker";
          containers.web = { image = "nginx:1.27"; extraOptions = [ "--memory=1g" ]; };
          containers.other.image = "other:1";
        };
        services.hocker = {
          enable = true;
          images.web.image = fetch "nginx:1.27";
        };
        "#,
    )
    .before_pull()
    .values(&nix, SEEN);
    let web = values["seen"]["web"]["script"].as_str().unwrap();
    assert!(
        web.contains(" --pull=never") && web.contains(" --memory=1g"),
        "{web}"
    );
    assert_eq!(values["seen"]["other"]["script"], "exec docker run other:1");
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_container_with_an_image_stream_loads_it_by_itself() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.oci-containers.containers.web = {
          image = "nginx:1.27";
          imageStream = (fetch "nginx:1.27").stream;
        };
        services.hocker.enable = true;
        "#,
    )
    .values(
        &nix,
        &format!("{SEEN} stream = config.virtualisation.oci-containers.containers.web.imageStream.outPath;"),
    );
    let web = &values["seen"]["web"];
    assert_eq!(web["requires"], json!([]));
    assert_eq!(web["after"], json!([]));
    assert_eq!(
        web["script"],
        format!(
            "{} | podman load\nexec podman run --pull missing nginx:1.27",
            values["stream"].as_str().unwrap()
        )
    );
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn containers_with_other_images_are_what_they_were() {
    let nix = Nix::new();
    let containers = r#"
        virtualisation.oci-containers = {
          backend = "docker";
          containers.version.image = "nginx:1.28";
          containers.elsewhere.image = "quay.io/library/nginx:1.27";
          containers.digest.image = "nginx@sha256:0000000000000000000000000000000000000000000000000000000000000000";
          containers.nonsense.image = "Not A Name";
        };
    "#;
    let without = Configuration::new(containers).values(&nix, SEEN);
    let with = Configuration::new(&format!(
        "{containers} services.hocker = {{ enable = true; images.web.image = fetch \"nginx:1.27\"; }};"
    ))
    .values(&nix, SEEN);
    assert_eq!(with["seen"], without["seen"]);
}
