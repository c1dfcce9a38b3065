//! Units that load and prune, as they come of `services.hocker`.

use serde_json::{Value, json};

use crate::machine::configuration::Configuration;
use crate::machine::nix::Nix;

/// What one wants to see of a service.
pub(super) const SEEN: &str = "seen = lib.mapAttrs (_: service: { \
                    inherit (service) after requires wants wantedBy serviceConfig; }) \
                    (lib.filterAttrs (name: _: lib.hasPrefix \"hocker-\" name) config.systemd.services);";

/// An image for docker.
const DOCKER: &str = r#"
virtualisation.docker.enable = true;
services.hocker = {
  enable = true;
  images.web = { image = fetch "nginx:1.27"; backend = "docker"; };
};
"#;

pub(super) fn command(service: &Value) -> &str {
    service["serviceConfig"]["ExecStart"].as_str().unwrap()
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn an_image_for_docker_is_loaded_after_the_daemon_and_from_the_store() {
    let nix = Nix::new();
    let values = Configuration::new(DOCKER)
    .values(
        &nix,
        &format!("{SEEN} path = config.services.hocker.images.web.image.outPath; program = config.services.hocker.program;"),
    );
    assert_eq!(
        values["seen"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["hocker-load-web"]
    );
    let service = &values["seen"]["hocker-load-web"];
    assert_eq!(service["after"], json!(["docker.socket", "docker.service"]));
    assert_eq!(service["requires"], json!(["docker.socket"]));
    assert_eq!(service["wants"], json!([]));
    assert_eq!(service["wantedBy"], json!(["multi-user.target"]));
    assert_eq!(
        command(service),
        format!(
            "{} \"load\" \"--host\" \"unix:///run/docker.sock\" --state=%S/hocker/docker {}",
            values["program"], values["path"]
        )
    );
    let config = &service["serviceConfig"];
    assert_eq!(config["Type"], "oneshot");
    assert_eq!(config.get("RemainAfterExit"), None);
    assert_eq!(config["StateDirectory"], "hocker/docker");
    assert_eq!(config["IPAddressDeny"], "any");
    assert_eq!(config["IPAddressAllow"], "localhost");
    assert_eq!(
        config["RestrictAddressFamilies"],
        json!(["AF_UNIX", "AF_INET"])
    );
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn two_images_for_podman_have_units_of_their_own() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.podman.enable = true;
        services.hocker = {
          enable = true;
          images.web.image = fetch "nginx:1.27";
          images.arm = {
            image = "${fetch "quay.io/team/app:2"}";
            tags = [ "app:stable" "app:2" ];
            platform = "linux/arm64";
          };
        };
        "#,
    )
    .values(
        &nix,
        &format!(
            "{SEEN} names = lib.mapAttrs (_: image: image.names) config.services.hocker.images;"
        ),
    );
    let services = values["seen"].as_object().unwrap();
    assert_eq!(
        services.keys().collect::<Vec<_>>(),
        ["hocker-load-arm", "hocker-load-web"]
    );
    for service in services.values() {
        assert_eq!(service["after"], json!(["podman.socket", "podman.service"]));
        assert_eq!(service["requires"], json!(["podman.socket"]));
        assert!(command(service).contains("\"--host\" \"unix:///run/podman/podman.sock\""));
        assert!(command(service).contains(" --state=%S/hocker/podman \""));
    }
    let arm = command(&services["hocker-load-arm"]);
    assert!(
        arm.contains(r#" "--tag" "app:stable" "--tag" "app:2" "--platform" "linux/arm64" "/"#),
        "{arm}"
    );
    assert_eq!(
        values["names"],
        json!({"arm": ["app:stable", "app:2"], "web": ["nginx:1.27"]})
    );
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn an_image_for_containerd_is_loaded_for_pods_of_kubernetes() {
    let nix = Nix::new();
    let of = |settings: &str| {
        Configuration::new(&format!(
            r#"
            services.hocker = {{
              enable = true;
              prune.enable = true;
              images.web = {{ image = fetch "nginx:1.27"; backend = "containerd"; }};
              {settings}
            }};
            "#
        ))
        .values(&nix, SEEN)
    };
    let k3s = of(r#"containerd.host = "unix:///run/k3s/containerd/containerd.sock";"#);
    let service = &k3s["seen"]["hocker-load-web"];
    let kubernetes = ["k3s.service", "rke2-server.service", "rke2-agent.service"];
    assert_eq!(service["after"], json!(kubernetes));
    assert_eq!(service["requires"], json!([]));
    let host = "\"--host\" \"unix:///run/k3s/containerd/containerd.sock\"";
    let state = "--state=%S/hocker/containerd";
    assert!(command(service).contains(&format!(" \"load\" {host} {state} ")));
    assert_eq!(service["serviceConfig"]["IPAddressDeny"], "any");
    let prune = &k3s["seen"]["hocker-prune-containerd"];
    assert!(command(prune).contains(&format!(" \"prune\" {host} {state} ")));
    let other =
        of(r#"containerd = { host = "unix:///run/x/containerd.sock"; namespace = "k8s.io"; };"#);
    let service = &other["seen"]["hocker-load-web"];
    assert!(command(service).contains(" --namespace=k8s.io "));
    assert_eq!(service["after"], json!([]));
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn one_image_may_be_declared_under_two_tags_and_for_two_daemons() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.docker.enable = true;
        virtualisation.podman.enable = true;
        services.hocker = {
          enable = true;
          images.one = { image = fetch "nginx:1.27"; backend = "docker"; };
          images.two = { image = fetch "nginx:1"; backend = "docker"; };
          images.three = { image = fetch "nginx:1.27"; backend = "podman"; };
        };
        "#,
    )
    .values(&nix, SEEN);
    assert_eq!(values["seen"].as_object().unwrap().len(), 3);
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn an_image_is_loaded_again_where_its_store_path_changes_and_only_then() {
    let nix = Nix::new();
    let unit = |image: &str, others: &str| {
        Configuration::new(&format!(
            r#"
            virtualisation.docker.enable = true;
            virtualisation.oci-containers.backend = "docker";
            services.hocker = {{
              enable = true;
              images.web.image = {image};
            }};
            {others}
            "#
        ))
        .values(&nix, "unit = units.hocker-load-web;")["unit"]
            .clone()
    };
    let one = unit("fetch \"nginx:1.27\"", "");
    let others = r#"
        services.hocker.images.other.image = fetch "other:1";
        services.hocker.prune.enable = true;
        services.hocker.serve.enable = true;
        services.hocker.credentials.authFile = "/run/secrets/registries.json";
        virtualisation.oci-containers.containers.web.image = "nginx:1.27";
    "#;
    assert_eq!(one, unit("fetch \"nginx:1.27\"", others));
    assert_ne!(one, unit("fetch \"nginx:1.28\"", ""));
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_unit_that_loads_runs_at_each_start_of_its_dependents_and_never_stops_them() {
    let nix = Nix::new();
    let values = Configuration::new(DOCKER)
    .values(
        &nix,
        "unit = { inherit (config.systemd.services.hocker-load-web) restartIfChanged unitConfig serviceConfig; };",
    );
    let unit = &values["unit"];
    // An inactive oneshot starts again with the next unit that requires it.
    assert_eq!(unit["serviceConfig"]["Type"], "oneshot");
    assert_eq!(unit["serviceConfig"].get("RemainAfterExit"), None);
    assert_eq!(unit["restartIfChanged"], false);
    // Not five starts in five minutes: containers may start often. But a switch does not wait for ever.
    assert_eq!(unit["unitConfig"]["StartLimitIntervalSec"], 0);
    assert_eq!(unit["unitConfig"]["JobRunningTimeoutSec"], 300);
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_daemon_elsewhere_is_reached_where_it_is() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        services.hocker = {
          enable = true;
          docker.host = "tcp://192.0.2.1:2375";
          podman.host = "unix:///run/other.sock";
          images.far = { image = fetch "nginx:1.27"; backend = "docker"; };
          images.near = { image = fetch "nginx:1.27"; backend = "podman"; };
        };
        "#,
    )
    .values(&nix, SEEN);
    let far = &values["seen"]["hocker-load-far"];
    assert_eq!(far["requires"], json!([]));
    assert_eq!(far["after"], json!(["network-online.target"]));
    assert_eq!(far["wants"], json!(["network-online.target"]));
    assert_eq!(far["serviceConfig"].get("IPAddressDeny"), None);
    assert_eq!(
        far["serviceConfig"]["RestrictAddressFamilies"],
        json!(["AF_UNIX", "AF_INET", "AF_INET6"])
    );
    assert!(command(far).contains("\"tcp://192.0.2.1:2375\""));
    let near = &values["seen"]["hocker-load-near"];
    assert_eq!(near["requires"], json!([]));
    assert_eq!(near["after"], json!([]));
    assert_eq!(near["serviceConfig"]["IPAddressAllow"], "localhost");
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn pruning_comes_last_and_keeps_what_is_declared() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.docker.enable = true;
        virtualisation.podman.enable = true;
        virtualisation.oci-containers = {
          backend = "docker";
          containers.web.image = "nginx:1.27";
        };
        services.hocker = {
          enable = true;
          prune.enable = true;
          images.web.image = fetch "nginx:1.27";
          images.db.image = fetch "postgres:17";
        };
        "#,
    )
    .values(
        &nix,
        &format!(
            "{SEEN} paths = lib.mapAttrs (_: image: image.path) config.services.hocker.images;"
        ),
    );
    let docker = &values["seen"]["hocker-prune-docker"];
    let loads = ["hocker-load-db.service", "hocker-load-web.service"];
    assert_eq!(
        docker["requires"],
        json!(["docker.socket", loads[0], loads[1]])
    );
    assert_eq!(
        docker["after"],
        json!([
            "docker.socket",
            "docker.service",
            loads[0],
            loads[1],
            "docker-web.service"
        ])
    );
    assert_eq!(docker["wantedBy"], json!(["multi-user.target"]));
    assert_eq!(docker["serviceConfig"].get("RemainAfterExit"), None);
    assert!(
        command(docker).ends_with(&format!(
            "\"prune\" \"--host\" \"unix:///run/docker.sock\" --state=%S/hocker/docker \"--keep\" {} \"--keep\" {}",
            values["paths"]["db"], values["paths"]["web"]
        )),
        "{}",
        command(docker)
    );
    // Nothing is declared for podman, so whatever was loaded into it may go.
    let podman = &values["seen"]["hocker-prune-podman"];
    assert_eq!(podman["requires"], json!(["podman.socket"]));
    assert!(
        command(podman).ends_with(" --state=%S/hocker/podman"),
        "{}",
        command(podman)
    );
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn the_units_for_the_daemon_of_a_user_run_as_that_user() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.podman.enable = true;
        services.hocker = {
          enable = true;
          podman.host = "unix:///run/user/1000/podman/podman.sock";
          docker = { host = "unix:///srv/ann/docker.sock"; user = "ann"; };
          images.web = { image = fetch "nginx:1.27"; backend = "podman"; };
          images.app = { image = fetch "app:1"; backend = "docker"; };
          prune.enable = true;
        };
        "#,
    )
    .values(&nix, SEEN);
    for unit in ["hocker-load-web", "hocker-prune-podman"] {
        let service = &values["seen"][unit];
        // Its manager makes the socket. A stop of the manager must not stop the containers.
        assert_eq!(service["wants"], json!(["user@1000.service"]), "{unit}");
        assert_eq!(service["after"][0], "user@1000.service", "{unit}");
        let config = &service["serviceConfig"];
        assert_eq!(config["User"], "1000", "{unit}");
        // The socket alone is visible, and memory that podman shares stays.
        assert_eq!(config["ProtectHome"], "tmpfs", "{unit}");
        assert_eq!(config["BindPaths"], "/run/user/1000", "{unit}");
        assert_eq!(config["RemoveIPC"], false, "{unit}");
        assert_eq!(config["StateDirectory"], "hocker/podman-1000", "{unit}");
        assert!(
            command(service).contains(" --state=%S/hocker/podman-1000"),
            "{service}"
        );
    }
    let app = &values["seen"]["hocker-load-app"];
    assert_eq!(app["serviceConfig"]["User"], "ann");
    assert_eq!(app["serviceConfig"]["ProtectHome"], true);
    assert_eq!(app["wants"], json!([]));
}
