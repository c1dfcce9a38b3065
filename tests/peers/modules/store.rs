//! Images with the mode `store`: the units, the assertions, and the mounts of one generation after another.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::machine::configuration::Configuration;
use crate::machine::nix::{Nix, built, store_name};
use crate::machine::podman_storage::{Mounts, Storage};
use crate::machine::program;
use crate::machine::real_image::{GREETING, NEXT_GREETING};
use crate::pipeline::two_versions;
use crate::support::image::Image;

/// What one wants to see of a configuration.
const SEEN: &str = "inherit (config.systemd) mounts targets tmpfiles; modules = config.boot.kernelModules; \
                    stores = config.virtualisation.containers.storage.settings.storage.options.additionalimagestores \
                      or null; services = config.systemd.services; \
                    store = lib.mapAttrs (_: image: if image.store == null then null else image.store.outPath) \
                      config.services.hocker.images;";

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn an_image_of_the_store_has_mounts_and_a_target_and_is_not_loaded() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.podman.enable = true;
        virtualisation.oci-containers.containers.web.image = "nginx:1.27";
        services.hocker = {
          enable = true;
          images.web = { image = fetch "nginx:1.27"; mode = "store"; };
        };
        "#,
    )
    .values(&nix, SEEN);
    let mounts = values["mounts"].as_array().unwrap();
    assert_eq!(mounts.len(), 1, "{mounts:?}");
    let mount = &mounts[0];
    let (what, mounted) = (
        mount["what"].as_str().unwrap(),
        mount["where"].as_str().unwrap(),
    );
    let hash = mounted.strip_prefix("/run/hocker/layers/").unwrap();
    assert!(
        what.contains(&format!("/{hash}-docker-layer-"))
            && what.split('.').next_back() == Some("erofs"),
        "{what}"
    );
    assert_eq!(
        (&mount["type"], &mount["options"]),
        (&json!("erofs"), &json!("ro"))
    );
    assert_eq!(
        mount["mountConfig"],
        json!({"DirectoryMode": "0700", "LazyUnmount": true})
    );
    assert_eq!(
        values["tmpfiles"]["rules"][1],
        "d /run/hocker/layers 0700 root root -"
    );
    assert_eq!(values["modules"], json!(["erofs", "loop"]));

    let unit = format!("run-hocker-layers-{hash}.mount");
    let target = &values["targets"]["hocker-store-web"];
    assert_eq!(target["wants"], json!([unit]));
    assert_eq!(target["after"], json!([unit]));
    assert_eq!(
        target["requires"],
        json!([]),
        "an old layer that is unmounted must stop no container"
    );
    assert_eq!(
        target["unitConfig"],
        json!({"AssertPathIsMountPoint": [mounted]})
    );
    assert_eq!(target["wantedBy"], json!(["multi-user.target"]));

    let services = values["services"].as_object().unwrap();
    assert_eq!(
        services.keys().collect::<Vec<_>>(),
        ["hocker", "podman-web"]
    );
    let container = &services["podman-web"];
    assert_eq!(container["requires"], json!(["hocker-store-web.target"]));
    assert!(
        container["after"]
            .as_array()
            .unwrap()
            .contains(&json!("hocker-store-web.target"))
    );
    assert!(
        container["script"]
            .as_str()
            .unwrap()
            .contains("--pull never")
    );
    // The digest of the config: another hocker changes the path of the store, and restarts nothing.
    assert_eq!(
        container["restartTriggers"],
        json!(["054abe38b1e6f863befa4258cbfaf127b1cc9440d2e2e349b15d22e676b591e7"])
    );
    assert_eq!(values["stores"], json!([values["store"]["web"]]));
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn images_share_the_mounts_of_shared_layers_and_other_images_are_loaded() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.podman.enable = true;
        services.hocker = {
          enable = true;
          prune.enable = true;
          images.web = { image = fetch "nginx:1.27"; mode = "store"; };
          images.other = { image = fetch "other:1"; mode = "store"; tags = [ "other:stable" ]; };
          images.loaded.image = fetch "loaded:1";
        };
        "#,
    )
    .values(&nix, SEEN);
    assert_eq!(values["mounts"].as_array().unwrap().len(), 1);
    let targets = values["targets"].as_object().unwrap();
    assert_eq!(
        targets.keys().collect::<Vec<_>>(),
        ["hocker-store-other", "hocker-store-web"]
    );
    assert_eq!(values["stores"].as_array().unwrap().len(), 2);
    assert_eq!(values["store"]["loaded"], Value::Null);
    let services = values["services"].as_object().unwrap();
    assert_eq!(
        services.keys().collect::<Vec<_>>(),
        ["hocker-load-loaded", "hocker-prune-podman"]
    );
    let prune = &services["hocker-prune-podman"];
    let command = prune["serviceConfig"]["ExecStart"].as_str().unwrap();
    assert_eq!(command.matches("--keep").count(), 1, "{command}");
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_configuration_without_such_images_is_unchanged() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.podman.enable = true;
        services.hocker = { enable = true; images.web.image = fetch "nginx:1.27"; };
        "#,
    )
    .values(&nix, SEEN);
    for nothing in ["mounts", "modules"] {
        assert_eq!(values[nothing], json!([]));
    }
    assert_eq!(values["tmpfiles"]["rules"], json!([]));
    assert_eq!(values["targets"], json!({}));
    assert_eq!(values["stores"], Value::Null);
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn images_that_podman_cannot_run_from_the_store_are_refused_with_a_remedy() {
    let nix = Nix::new();
    for (options, expected) in [
        (
            r#"virtualisation.docker.enable = true; services.hocker.images.web = { image = fetch "a:1"; backend = "docker"; };"#,
            "only podman runs images from the store",
        ),
        (
            r#"services.hocker.images.web = { image = "${fetch "a:1"}"; tags = [ "a:1" ]; };"#,
            "only a result of this hocker's fetchdocker",
        ),
        (
            r#"services.hocker.podman.host = "tcp://192.0.2.1:2375"; services.hocker.images.web.image = fetch "a:1";"#,
            "the layers are mounted on this machine",
        ),
        (
            r#"virtualisation.containers.storage.settings.storage.driver = "btrfs"; services.hocker.images.web.image = fetch "a:1";"#,
            "podman's storage driver is btrfs",
        ),
    ] {
        let failures = Configuration::new(&format!(
            "virtualisation.podman.enable = true; services.hocker = {{ enable = true; images.web.mode = \"store\"; }}; {options}"
        ))
        .failures(&nix);
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(failures[0].contains(expected), "{failures:?}");
        assert!(
            failures[0].starts_with("services.hocker.images.web."),
            "{failures:?}"
        );
    }
}

/// A generation: the store of its image, and its mounts as a unit name and what mount(8) gets.
struct Generation {
    store: std::path::PathBuf,
    mounts: Vec<Value>,
}

impl Generation {
    fn of(nix: &Nix, reference: &str, image: &Image) -> Self {
        let manifest = nix
            .directory()
            .join(format!("{}.json", &image.digest()[7..]));
        fs::write(&manifest, &image.manifest).unwrap();
        let configuration = Configuration::new(&format!(
            r#"
            virtualisation.podman.enable = true;
            services.hocker = {{
              enable = true;
              images.app = {{
                mode = "store";
                image = config.services.hocker.functions.fetchdocker {{
                  image = "{reference}";
                  imageManifest = {};
                }};
              }};
            }};
            "#,
            manifest.display(),
        ));
        let store = built(&configuration.build(nix, "config.services.hocker.images.app.store"));
        let values = configuration.values(nix, "mounts = config.systemd.mounts;");
        let mounts = values["mounts"].as_array().unwrap().clone();
        Self { store, mounts }
    }

    /// Starts the units that the other generation has not.
    fn start(&self, mounts: &mut Mounts, before: &[Value]) {
        for mount in self.mounts.iter().filter(|mount| !before.contains(mount)) {
            let text = |key: &str| mount[key].as_str().unwrap();
            assert_eq!((text("type"), text("options")), ("erofs", "ro"));
            mounts.add(Path::new(text("what")), Path::new(text("where")));
        }
    }

    /// Stops the units that the other generation has not.
    fn stop(&self, after: &[Value]) {
        for mount in self.mounts.iter().filter(|mount| !after.contains(mount)) {
            assert_eq!(mount["mountConfig"]["LazyUnmount"], true);
            let path = mount["where"].as_str().unwrap();
            program::run(Command::new("umount").args(["--lazy", path]));
        }
    }
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_container_outlives_the_mounts_of_its_generation_and_a_rollback_mounts_them_again() {
    let (old, new, registry) = two_versions();
    let reference = |tag: &str| format!("{}/team/app:{tag}", registry.name());
    let nix = Nix::new();
    let first = Generation::of(&nix, &reference("1"), &old);
    let second = Generation::of(&nix, &reference("2"), &new);
    for generation in [&first, &second] {
        let names: Vec<_> = nix
            .requisites(&generation.store)
            .iter()
            .map(|path| store_name(path))
            .collect();
        assert!(
            names.iter().all(|name| !name.ends_with(".tar.gz")),
            "{names:?}"
        );
    }

    let mut mounts = Mounts::default();
    first.start(&mut mounts, &[]);
    let before = Storage::with_stores(&[&first.store]);
    assert_eq!(before.run(&reference("1"), &[]), GREETING);
    let running = before.mounted(&reference("1"));

    first.stop(&second.mounts);
    second.start(&mut mounts, &first.mounts);
    let after = Storage::with_stores(&[&second.store]);
    assert_eq!(after.run(&reference("2"), &[]), NEXT_GREETING);
    let printed = program::text(Command::new("chroot").arg(&running).arg("/hello"));
    assert_eq!(printed, GREETING, "the overlay has its layers");
    assert!(!before.try_run(&reference("1"), &[]).status.success());

    second.stop(&first.mounts);
    first.start(&mut mounts, &second.mounts);
    assert_eq!(before.run(&reference("1"), &[]), GREETING);
}
