//! The module for home-manager, over the few options of home-manager that it touches: units, containers, refusals.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::hardening::NEWER_KEYS;
use crate::machine::configuration::{Configuration, MANIFEST};
use crate::machine::nix::{Nix, root};
use crate::machine::program;

/// Two images, and containers: one runs the first by its name, one the second by `hockerImage`, one another image.
pub(super) const CONTAINERS: &str = r#"
services.hocker = {
  enable = true;
  prune.enable = true;
  images.web = { image = fetch "nginx:1.27"; tags = [ "web:stable" ]; };
  images.other.image = fetch "other:1";
};
services.podman = {
  enable = true;
  containers.web.image = "docker.io/library/nginx:1.27";
  # A text, where hocker's module defines dependencies too.
  containers.named = { hockerImage = "other"; extraConfig.Unit.After = "foo.target"; };
  containers.foreign.image = "debian:12";
};
"#;

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn an_image_is_loaded_by_a_unit_of_the_user_and_from_the_store() {
    let nix = Nix::new();
    let values = Configuration::home(CONTAINERS).values(
        &nix,
        "seen = config.systemd.user; program = config.services.hocker.program; \
         paths = lib.mapAttrs (_: image: image.path) config.services.hocker.images; \
         names = config.services.hocker.images.web.names;",
    );
    let seen = &values["seen"];
    let service = &seen["services"]["hocker-load-web"];
    assert_eq!(
        service["Service"]["ExecStart"],
        format!(
            "\"{}\" load --host=unix://%t/hocker/podman.sock \
             \"--state=/home/ann/.local/state/hocker/podman\" \"--tag\" \"web:stable\" \"{}\"",
            values["program"].as_str().unwrap(),
            values["paths"]["web"].as_str().unwrap()
        )
    );
    assert_eq!(values["names"], json!(["nginx:1.27", "web:stable"]));
    // Containers require the unit. So it does not require the socket, whose stop would stop them, and a switch does
    // not stop it.
    let unit = &service["Unit"];
    assert_eq!(unit.get("Requires"), None);
    assert_eq!(unit["Wants"], json!(["hocker-podman.socket"]));
    assert_eq!(unit["After"], json!(["hocker-podman.socket"]));
    assert_eq!(unit["X-SwitchMethod"], "keep-old");
    assert_eq!(service["Service"].get("RemainAfterExit"), None);
    assert_eq!(service["Service"]["Restart"], "on-failure");
    assert_eq!(service["Install"]["WantedBy"], json!(["default.target"]));

    let prune = &seen["services"]["hocker-prune-podman"];
    let loads = json!(["hocker-load-other.service", "hocker-load-web.service"]);
    assert_eq!(prune["Unit"]["Requires"], loads);
    let containers = [
        "podman-foreign.service",
        "podman-named.service",
        "podman-web.service",
    ];
    let after = prune["Unit"]["After"].as_array().unwrap();
    assert!(
        containers.iter().all(|unit| after.contains(&json!(unit))),
        "{after:?}"
    );
    let command = prune["Service"]["ExecStart"].as_str().unwrap();
    for path in values["paths"].as_object().unwrap().values() {
        assert!(command.contains(&format!("\"--keep\" {path}")), "{command}");
    }
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_container_that_runs_a_declared_image_waits_for_it_and_asks_no_registry() {
    let nix = Nix::new();
    let home = Configuration::home(CONTAINERS);
    let values = home.values(
        &nix,
        "containers = config.services.podman.containers; \
         files = lib.mapAttrs (_: file: file.text) config.xdg.configFile; \
         content = config.services.hocker.images.web.content;",
    );
    let containers = &values["containers"];
    for name in ["web", "named"] {
        let extra = &containers[name]["extraConfig"];
        assert_eq!(extra["Container"]["Pull"], "never", "{name}");
        assert_eq!(extra["Quadlet"]["DefaultDependencies"], false, "{name}");
        assert_eq!(extra["Unit"]["X-HockerImage"], values["content"], "{name}");
    }
    assert_eq!(containers["named"]["image"], "other:1");
    assert_eq!(containers["foreign"]["extraConfig"], json!({}));
    assert_eq!(
        values["files"],
        json!({
            "systemd/user/podman-web.service.d/hocker.conf":
                "[Unit]\nRequires=hocker-load-web.service\nAfter=hocker-load-web.service\n",
            "systemd/user/podman-named.service.d/hocker.conf":
                "[Unit]\nRequires=hocker-load-other.service\nAfter=hocker-load-other.service\n",
        })
    );
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_container_of_a_home_changes_with_the_content_of_its_image_and_only_then() {
    let nix = Nix::new();
    let root = root();
    let changed = format!(
        "services.hocker.images.web.image = lib.mkForce (config.services.hocker.functions.fetchdocker {{ \
         image = \"nginx:1.27\"; imageManifest = builtins.replaceStrings [ \"054abe38\" ] [ \"154abe38\" ] \
         (builtins.readFile {}); }});",
        root.join(MANIFEST).display()
    );
    let package = format!("services.hocker.package = {};", root.join("nix").display());
    let [first, other_hocker, other_image] = ["", &package, &changed].map(|change| {
        Configuration::home(&format!("{CONTAINERS} imports = [ {{ {change} }} ];")).values(
            &nix,
            "web = config.services.podman.containers.web.extraConfig; \
             path = config.services.hocker.images.web.path;",
        )
    });
    assert_ne!(first["path"], other_hocker["path"]);
    assert_eq!(first["web"], other_hocker["web"]);
    assert_ne!(first["web"], other_image["web"]);
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_user_can_override_what_a_container_gets() {
    let nix = Nix::new();
    let values = Configuration::home(
        r#"
        services.hocker = { enable = true; images.web.image = fetch "nginx:1.27"; };
        services.podman.containers.web = {
          image = "nginx:1.27";
          extraConfig = {
            Container.Pull = lib.mkDefault "missing";
            Quadlet.DefaultDependencies = true;
          };
        };
        "#,
    )
    .values(
        &nix,
        "extra = config.services.podman.containers.web.extraConfig;",
    );
    assert_eq!(values["extra"]["Container"]["Pull"], "missing");
    assert_eq!(values["extra"]["Quadlet"]["DefaultDependencies"], true);
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn another_socket_has_no_unit_here() {
    let nix = Nix::new();
    for (host, wanted) in [
        ("unix://%t/podman/podman.sock", json!(["podman.socket"])),
        ("unix:///srv/ann/podman.sock", json!([])),
    ] {
        let values = Configuration::home(&format!(
            "services.hocker = {{ enable = true; podman.host = {host:?}; images.web.image = fetch \"nginx:1.27\"; }};"
        ))
        .values(&nix, "seen = config.systemd.user;");
        let seen = &values["seen"];
        assert_eq!(seen["sockets"], json!({}), "{host}");
        let names: Vec<_> = seen["services"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["hocker-load-web"], "{host}");
        let service = &seen["services"]["hocker-load-web"];
        assert_eq!(service["Unit"]["Wants"], wanted, "{host}");
        let command = service["Service"]["ExecStart"].as_str().unwrap();
        assert!(command.contains(&format!(" --host={host} ")), "{command}");
    }
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn all_images_of_a_lock_file_are_declared_in_a_home_too() {
    let nix = Nix::new();
    let values = Configuration::home(
        "services.hocker = { enable = true; lockFile = ROOT/tests/nix/docker-images.lock.json; };"
            .replace("ROOT", &root().display().to_string())
            .as_str(),
    )
    .values(
        &nix,
        "units = lib.attrNames config.systemd.user.services; activation = activation;",
    );
    let units = values["units"].as_array().unwrap();
    assert!(units.contains(&json!("hocker-load-nested")), "{units:?}");
    assert_eq!(values["activation"], Value::Null, "no container runs them");
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn nothing_happens_in_a_home_where_it_is_not_enabled() {
    let nix = Nix::new();
    let values = Configuration::home(
        r#"
        services.hocker.images.web.image = fetch "nginx:1.27";
        services.podman.containers.web.image = "nginx:1.27";
        "#,
    )
    .values(
        &nix,
        "units = config.systemd.user; files = config.xdg.configFile; \
         extra = config.services.podman.containers.web.extraConfig;",
    );
    assert_eq!(values["units"], json!({ "services": {}, "sockets": {} }));
    assert_eq!(values["files"], json!({}));
    assert_eq!(values["extra"], json!({}));
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn mistakes_in_a_home_are_refused_with_a_remedy() {
    let nix = Nix::new();
    for (body, expected) in [
        (
            r#"services.podman.containers.web.hockerImage = "wbe"; services.podman.containers.web.image = "x";"#,
            "services.podman.containers.web.hockerImage: `services.hocker.images.wbe` is not declared; these are: web. \
             Declare it, or correct the name.",
        ),
        (
            r#"services.podman.containers.web = { image = "nginx:1.27"; extraPodmanArgs = [ "--pull=always" ]; };"#,
            "services.podman.containers.web: `--pull=always` asks a registry, which may send another image than the one \
             that hocker-load-web.service loads. Remove it.",
        ),
        (
            r#"services.podman.containers.web = { image = "nginx:1.27"; extraConfig.Container.Pull = "newer"; autoUpdate = "registry"; };"#,
            "services.podman.containers.web: `Pull=newer`, `autoUpdate = \"registry\"` asks a registry, which may send \
             another image than the one that hocker-load-web.service loads. Remove it.",
        ),
        (
            r#"services.hocker.images.web2.image = fetch "nginx:1.27";"#,
            "services.hocker.images: `web`, `web2` all have the tag docker.io/library/nginx:1.27 in podman, where only \
             the image that is loaded last would keep it. Declare the image once, or give the images different tags.",
        ),
        (
            r#"services.hocker.images.web.tags = [ "Web" ];"#,
            "services.hocker.images.web.tags: `Web` cannot be the name of an image. Write names like debian:12 or \
             ghcr.io/a/b:1.",
        ),
    ] {
        let home = Configuration::home(&format!(
            "services.hocker = {{ enable = true; images.web.image = fetch \"nginx:1.27\"; }}; {body}"
        ));
        assert_eq!(home.failures(&nix), [expected]);
    }
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn systemd_understands_the_units_of_a_user() {
    let nix = Nix::new();
    let values = Configuration::home(CONTAINERS).values(&nix, "texts = texts;");
    let directory = nix.directory().join("units");
    fs::create_dir(&directory).unwrap();
    let mut command = Command::new("systemd-analyze");
    command
        .env("XDG_RUNTIME_DIR", nix.directory())
        .env("SYSTEMD_UNIT_PATH", format!("{}:", directory.display()))
        .args(["verify", "--user", "--man=no", "--recursive-errors=no"]);
    for (name, text) in values["texts"].as_object().unwrap() {
        // systemd looks for the programs, and this machine has only the evaluation of them.
        let lines = text.as_str().unwrap().lines().map(|line| {
            if line.starts_with("ExecStart=") {
                "ExecStart=/bin/true\n".to_owned()
            } else {
                format!("{line}\n")
            }
        });
        let text: String = lines.filter(|line| !line.starts_with(NEWER_KEYS)).collect();
        let file = directory.join(name);
        fs::write(&file, text).unwrap();
        command.arg(file);
    }
    let output = program::output(&mut command);
    let told = program::told(&output);
    assert!(output.status.success(), "{told}");
    assert_eq!(told.trim(), "");
}
