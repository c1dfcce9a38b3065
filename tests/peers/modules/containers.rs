//! Containers of `virtualisation.oci-containers`: those that run a declared image wait for it, and the others are
//! what they would be without hocker.

use serde_json::json;

use crate::machine::configuration::Configuration;
use crate::machine::nix::Nix;

/// What comes of a container and its unit.
const SEEN: &str = "seen = lib.mapAttrs (_: container: let service = config.systemd.services.${container.serviceName}; \
                    in { inherit (container) image; inherit (service) after requires wants restartTriggers script; }) \
                    config.virtualisation.oci-containers.containers; \
                    ids = lib.mapAttrs (_: image: image.image.imageSpec.config.digest) config.services.hocker.images;";

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
          containers.other.image = "quay.io/team/web@${config.services.hocker.images.web.image.manifestDigest}";
          containers.named.hockerImage = "web";
          containers.renamed = { hockerImage = "web"; image = "alias:1"; serviceName = "alias"; };
        };
        virtualisation.docker.daemon.settings.features.containerd-snapshotter = true;
        services.hocker = {
          enable = true;
          images.web = { image = fetch "nginx"; tags = [ "quay.io/team/web:2" ]; };
        };
        "#,
    )
    .values(&nix, SEEN);
    let containers = values["seen"].as_object().unwrap();
    assert_eq!(containers.len(), 8);
    for (name, container) in containers {
        assert_eq!(container["requires"], json!(LOADED), "{name}");
        assert_eq!(container["wants"], json!([]), "{name}: it needs no network");
        assert!(
            container["after"]
                .as_array()
                .unwrap()
                .contains(&json!(LOADED[0])),
            "{name}: {container}"
        );
        assert_eq!(
            container["restartTriggers"],
            json!([values["ids"]["web"]]),
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
    // Docker with containerd's store finds an image with an index by the digest of the index alone.
    for (settings, images) in [
        (
            r#"
            virtualisation.podman.enable = true;
            virtualisation.oci-containers.backend = "podman";
            virtualisation.oci-containers.containers.manifest.image =
              "nginx@${config.services.hocker.images.web.image.manifestDigest}";
            "#,
            2,
        ),
        (
            r#"
            virtualisation.oci-containers.backend = "docker";
            services.hocker.docker.keepsDigests = true;
            "#,
            1,
        ),
    ] {
        let values = Configuration::new(&format!(
            r#"
            {settings}
            virtualisation.oci-containers.containers.index.image =
              "nginx:1.27@${{config.services.hocker.images.web.image.indexDigest}}";
            services.hocker = {{
              enable = true;
              images.web.image =
                let
                  manifest = (fetch "nginx").imageSpec.manifest;
                in
                config.services.hocker.functions.fetchdocker {{
                  image = "nginx:1.27";
                  imageManifest = manifest;
                  imageIndex = builtins.toJSON {{
                    schemaVersion = 2;
                    manifests = [ {{
                      digest = "sha256:${{builtins.hashString "sha256" manifest}}";
                      platform = {{ os = "linux"; architecture = "amd64"; }};
                    }} ];
                  }};
                }};
            }};
            "#,
        ))
        .values(&nix, SEEN);
        let containers = values["seen"].as_object().unwrap();
        assert_eq!(containers.len(), images);
        for (name, container) in containers {
            assert_eq!(container["requires"], json!(LOADED), "{name}");
        }
    }
}

/// hocker loads these images into Docker without their index.
#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn docker_finds_an_image_whose_index_it_does_not_keep_by_the_digest_of_the_manifest() {
    let nix = Nix::new();
    let amd64 = r#"platform = { os = "linux"; architecture = "amd64"; };"#;
    for (reference, entry, options) in [
        ("nginx:1.27", "", ""),
        ("nginx:1.27", amd64, r#"platform = "linux/arm64";"#),
        ("nginx@${digest}", amd64, ""),
    ] {
        let configuration = Configuration::new(&format!(
            r#"
            virtualisation.oci-containers.backend = "docker";
            virtualisation.oci-containers.containers.web.image =
              "nginx@${{config.services.hocker.images.web.image.manifestDigest}}";
            services.hocker = {{
              enable = true;
              docker.keepsDigests = true;
              images.web = {{
                {options}
                image =
                  let
                    manifest = (fetch "nginx").imageSpec.manifest;
                    digest = "sha256:${{builtins.hashString "sha256" manifest}}";
                  in
                  config.services.hocker.functions.fetchdocker {{
                    image = "{reference}";
                    imageManifest = manifest;
                    imageIndex = builtins.toJSON {{
                      schemaVersion = 2;
                      manifests = [ {{ inherit digest; {entry} }} ];
                    }};
                  }};
              }};
            }};
            "#
        ));
        let seen = &configuration.values(&nix, SEEN)["seen"]["web"];
        assert_eq!(seen["requires"], json!(LOADED), "{configuration:?}");
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

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_container_restarts_when_the_id_of_its_image_changes_and_only_then() {
    let nix = Nix::new();
    let unit = |program: &str, [from, to]: [&str; 2]| {
        let values = Configuration::new(&format!(
            r#"
            virtualisation.oci-containers = {{
              backend = "docker";
              containers.web.image = "nginx:1";
            }};
            services.hocker = {{
              enable = true;
              package = builtins.toFile "hocker" "{program}";
              images.web.image = config.services.hocker.functions.fetchdocker {{
                image = "nginx:1";
                imageManifest = lib.replaceStrings [ "{from}" ] [ "{to}" ] (fetch "nginx:1").imageSpec.manifest;
              }};
            }};
            "#,
        ))
        .values(
            &nix,
            "web = texts.docker-web; preload = texts.hocker; load = units.hocker-load-web;",
        );
        ["web", "preload", "load"].map(|unit| values[unit].as_str().unwrap().to_owned())
    };
    let [web, preload, load] = unit("one", ["x", "x"]);
    assert!(web.contains("X-StopIfChanged=false\n"), "{web}");
    assert!(preload.contains("X-ReloadIfChanged=true\n"), "{preload}");
    assert!(
        preload.contains(
            "ExecReload=/run/current-system/systemd/bin/systemctl start hocker-load-web.service\n"
        ),
        "{preload}"
    );

    let other_hocker = unit("two", ["x", "x"]);
    assert_eq!([&web, &preload], [&other_hocker[0], &other_hocker[1]]);
    assert_ne!(load, other_hocker[2]);

    // Compressed in another way: the manifest changes, and the config does not.
    let repacked = unit("one", ["cd0a52", "cd0a53"]);
    assert_eq!([&web, &preload], [&repacked[0], &repacked[1]]);
    assert_ne!(load, repacked[2]);

    let other_image = unit("one", ["054abe", "054abf"]);
    for (before, after) in [web, preload, load].iter().zip(&other_image) {
        assert_ne!(before, after);
    }
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn only_the_wait_for_the_network_that_fetches_the_image_is_left_out() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.oci-containers = {
          backend = "docker";
          containers.web.image = "nginx:1.27";
          containers.client.image = "nginx:1.27";
          containers.other.image = "other:1";
        };
        services.hocker = { enable = true; images.web.image = fetch "nginx:1.27"; };
        systemd.services.docker-client = {
          wants = [ "network-online.target" "time-sync.target" ];
          after = [ "network-online.target" ];
        };
        "#,
    )
    .values(&nix, SEEN);
    let waits = |container: &str| {
        ["wants", "after"].map(|key| {
            values["seen"][container][key]
                .as_array()
                .unwrap()
                .contains(&json!("network-online.target"))
        })
    };
    assert_eq!(waits("web"), [false, false]);
    assert_eq!(
        waits("client"),
        [true, true],
        "it asks for the network itself"
    );
    assert_eq!(waits("other"), [true, true], "it fetches its image");
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_configuration_overrides_what_the_module_sets_for_a_container() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.oci-containers = {
          backend = "docker";
          containers.weak = { image = "nginx:1.27"; pull = lib.mkDefault "missing"; };
          containers.strong = { image = "nginx:1.27"; pull = "missing"; };
          containers.named = { hockerImage = "web"; image = lib.mkDefault "alias:1"; };
        };
        systemd.services.docker-strong.stopIfChanged = lib.mkDefault true;
        services.hocker = {
          enable = true;
          images.web = { image = fetch "nginx:1.27"; tags = [ "alias:1" ]; };
        };
        "#,
    )
    .values(
        &nix,
        "pulls = lib.mapAttrs (_: container: container.pull) config.virtualisation.oci-containers.containers; \
         image = config.virtualisation.oci-containers.containers.named.image; \
         stops = config.systemd.services.docker-strong.stopIfChanged;",
    );
    assert_eq!(
        values["pulls"],
        json!({"named": "never", "strong": "missing", "weak": "missing"})
    );
    assert_eq!(values["image"], "alias:1");
    assert_eq!(values["stops"], true);
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_container_of_a_user_waits_for_an_image_in_the_store_of_this_user() {
    let nix = Nix::new();
    for owner in ["", r#"services.hocker.podman.user = "ann";"#] {
        let values = Configuration::new(&format!(
            r#"
            virtualisation.podman.enable = true;
            virtualisation.oci-containers = {{
              backend = "podman";
              containers.web = {{ image = "nginx:1.27"; podman.user = "ann"; }};
            }};
            users.users.ann.uid = 1000;
            services.hocker = {{
              enable = true;
              podman.host = "unix:///run/user/1000/podman/podman.sock";
              images.web.image = fetch "nginx:1.27";
            }};
            {owner}
            "#
        ))
        .values(&nix, SEEN);
        assert_eq!(values["seen"]["web"]["requires"], json!(LOADED), "{owner}");
    }
}
