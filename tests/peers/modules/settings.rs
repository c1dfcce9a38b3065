//! What the module sets beside the units that load and prune.

use serde_json::json;

use super::services::{SEEN, command};
use crate::machine::configuration::Configuration;
use crate::machine::nix::Nix;

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn credentials_are_shown_to_builds_and_are_nowhere_else() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        services.hocker = {
          enable = true;
          credentials = {
            authFile = /run/secrets/registries.json;
            classicFile = "/run/secrets/registry.txt";
          };
        };
        "#,
    )
    .values(
        &nix,
        "paths = config.nix.settings.extra-sandbox-paths; daemon = config.systemd.services.nix-daemon.environment;",
    );
    assert_eq!(
        values["paths"],
        json!([
            "/run/containers/1000/auth.json=/run/secrets/registries.json?",
            "/run/secrets/registries.json=/run/secrets/registries.json?",
            "/etc/nix-docker-credentials.txt=/run/secrets/registry.txt?",
        ])
    );
    assert_eq!(
        values["daemon"],
        json!({"REGISTRY_AUTH_FILE": "/run/secrets/registries.json"})
    );
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn images_are_served_without_any_right() {
    let nix = Nix::new();
    let serving = |options: &str| {
        Configuration::new(&format!(
            r#"
            virtualisation.podman.enable = true;
            services.hocker = {{
              enable = true;
              images.web.image = fetch "nginx:1.27";
              serve = {{ enable = true; {options} }};
            }};
            "#
        ))
        .values(
            &nix,
            &format!(
                "{SEEN} ports = config.networking.firewall.allowedTCPPorts; \
                 path = config.services.hocker.images.web.path;"
            ),
        )
    };
    let values = serving("");
    let service = &values["seen"]["hocker-serve"];
    assert_eq!(values["ports"], json!([]));
    assert!(command(service).ends_with(&format!(
        "\"serve\" \"--listen\" \"127.0.0.1:5000\" {}",
        values["path"]
    )));
    let config = &service["serviceConfig"];
    assert_eq!(config["DynamicUser"], true);
    assert_eq!(config["CapabilityBoundingSet"], "");
    assert_eq!(config.get("AmbientCapabilities"), None);

    let values = serving(
        "address = \"2001:db8::1\"; port = 80; openFirewall = true; images = [ (fetch \"a:1\") (fetch \"b:1\") ]; \
         fullNames = true; accessLog = false;",
    );
    let service = &values["seen"]["hocker-serve"];
    assert_eq!(values["ports"], json!([80]));
    assert!(
        command(service).contains(
            "\"serve\" \"--listen\" \"[2001:db8::1]:80\" \"--full-names\" \"--quiet\" \"/"
        )
    );
    assert_eq!(command(service).matches("/store/").count(), 3);
    let config = &service["serviceConfig"];
    assert_eq!(config["AmbientCapabilities"], "CAP_NET_BIND_SERVICE");
    assert_eq!(config["PrivateUsers"], false);
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn nothing_happens_where_it_is_not_enabled() {
    let nix = Nix::new();
    let configuration = Configuration::new(
        r#"
        virtualisation.oci-containers = {
          backend = "docker";
          containers.web.image = "nginx:1.27";
        };
        services.hocker = {
          images.web.image = fetch "nginx:1.27";
          images.bad.image = "/not/in/the/store";
          prune.enable = true;
          serve.enable = true;
          credentials.authFile = "/run/secrets/registries.json";
        };
        "#,
    );
    let wanted = "units = lib.attrNames config.systemd.services; web = config.systemd.services.docker-web.requires; \
                  pull = config.virtualisation.oci-containers.containers.web.pull; \
                  paths = config.nix.settings.extra-sandbox-paths;";
    assert_eq!(
        configuration.values(&nix, wanted),
        json!({
            "failures": null,
            "units": ["docker", "docker-web"],
            "web": [],
            "pull": "missing",
            "paths": [],
        })
    );
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn the_module_of_a_package_has_that_package() {
    let nix = Nix::new();
    let functions = nix.with_functions("hocker.nixosModules.default");
    let body = format!("imports = [ ({functions}) ]; services.hocker.enable = true;");
    let values = Configuration::new(&body).values(
        &nix,
        &format!(
            "same = config.services.hocker.program == \"${{import {}/nix/package-path.nix {}/hocker}}/bin/hocker\";",
            crate::machine::nix::root().display(),
            nix.directory().display()
        ),
    );
    assert_eq!(values["same"], true);
}
