//! The commands of the units, run by hand against a real dockerd: an image of the store is in the daemon then, and
//! goes when a later configuration no longer declares it.

use std::fs;
use std::process::Command;

use serde_json::json;

use super::command_line::words;
use crate::machine::configuration::Configuration;
use crate::machine::daemon::{Daemon, Store};
use crate::machine::dockerd::Dockerd;
use crate::machine::nix::{Nix, built};
use crate::machine::program;
use crate::machine::real_image::{GREETING, NEXT_GREETING, real_image};
use crate::pipeline::{registry_with, two_versions};
use crate::support::image::{Family, Image, digest, index};

/// Starts a unit, which must not fail, and gives what it prints.
fn start(nix: &Nix, configuration: &Configuration, unit: &str) -> String {
    let values = configuration.values(
        nix,
        &format!("service = config.systemd.services.{unit}.serviceConfig;"),
    );
    let service = &values["service"];
    let state = nix.directory().join("lib");
    // As StateDirectory says.
    fs::create_dir_all(state.join(service["StateDirectory"].as_str().unwrap())).unwrap();
    let words = words(
        service["ExecStart"].as_str().unwrap(),
        &[("%S", state.to_str().unwrap())],
    );
    program::text(Command::new(&words[0]).env_clear().args(&words[1..]))
}

/// A machine whose configuration declares one image of a registry's, and which switches from one to the next.
struct Machine {
    nix: Nix,
    docker: Dockerd,
}

impl Machine {
    /// Builds a configuration that has the image of `reference`, whose manifest this is, as `name`.
    fn switch(&self, name: &str, reference: &str, image: &Image) -> Configuration {
        let manifest = self.nix.directory().join(format!("{name}.json"));
        fs::write(&manifest, &image.manifest).unwrap();
        let configuration = Configuration::new(&format!(
            r#"
            services.hocker = {{
              enable = true;
              docker.host = "{}";
              prune.enable = true;
              images.{name} = {{
                backend = "docker";
                image = config.services.hocker.functions.fetchdocker {{
                  image = "{reference}";
                  imageManifest = {};
                }};
              }};
            }};
            "#,
            self.docker.host(),
            manifest.display(),
        ));
        // The closure of the system.
        let wanted = format!("config.services.hocker.images.{name}.image");
        built(&configuration.build(&self.nix, &wanted));
        configuration
    }

    fn start(&self, configuration: &Configuration, unit: &str) -> String {
        start(&self.nix, configuration, unit)
    }

    fn has(&self, image: &str) -> bool {
        program::output(self.docker.docker().args(["image", "inspect", image]))
            .status
            .success()
    }
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_declared_image_is_loaded_and_pruned_by_the_commands_of_its_units() {
    let (old, new, registry) = two_versions();
    let reference = |tag: &str| format!("{}/team/app:{tag}", registry.name());
    let machine = Machine {
        nix: Nix::new(),
        docker: Dockerd::start(),
    };

    let first = machine.switch("app", &reference("1"), &old);
    for _ in 0..2 {
        let id = machine.start(&first, "hocker-load-app");
        assert_eq!(id, old.config_digest());
    }
    assert_eq!(
        machine.docker.image_id(&reference("1")),
        old.config_digest()
    );
    assert_eq!(machine.docker.run_image(&reference("1")), GREETING);
    machine.start(&first, "hocker-prune-docker");
    assert!(machine.has(&reference("1")), "it is declared");

    // Somebody else's image, and the next generation.
    program::run(machine.docker.docker().args([
        "image",
        "import",
        "--change",
        "CMD /x",
        "/dev/null",
        "somebody/else:1",
    ]));
    let second = machine.switch("app", &reference("2"), &new);
    machine.start(&second, "hocker-load-app");
    assert_eq!(machine.docker.run_image(&reference("2")), NEXT_GREETING);
    assert!(machine.has(&reference("1")), "nothing was pruned yet");
    machine.start(&second, "hocker-prune-docker");
    assert!(!machine.has(&reference("1")), "nobody declares it");
    assert!(!machine.has(&old.config_digest()), "it lost its tag alone");
    assert!(machine.has(&reference("2")), "it is declared");
    assert!(machine.has("somebody/else:1"), "hocker did not load it");
}

/// Docker's own store keeps no digests, so this is for the others.
#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn an_image_that_its_unit_loads_runs_by_the_digest_of_its_index_without_its_registry() {
    let image = real_image();
    let mut entry = image.descriptor();
    entry["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let absent = json!({"os": "linux", "architecture": "arm64"});
    let other = Image::for_platform(Family::Oci, &absent, &["/hello"], image.layers.clone());
    let index = index(&[entry, other.descriptor()]);
    let registry = registry_with(&image);
    let name = format!("{}/team/app", registry.name());
    let nix = Nix::new();
    let write = |file: &str, text: &[u8]| {
        let path = nix.directory().join(file);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let manifest = write("manifest.json", &image.manifest);
    let list = write("index.json", &index);
    let pinned = format!("{name}:1@{}", digest(&index));
    let daemons = Daemon::all().into_iter();
    let configured: Vec<_> = daemons
        .filter(|daemon| daemon.store() != Store::Docker)
        .map(|daemon| {
            let backend = if daemon.store() == Store::Podman {
                "podman"
            } else {
                "docker"
            };
            let configuration = Configuration::new(&format!(
                r#"
                virtualisation.{backend}.enable = true;
                virtualisation.oci-containers = {{
                  backend = "{backend}";
                  containers.app.image = "{pinned}";
                }};
                services.hocker = {{
                  enable = true;
                  {backend}.host = "{}";
                  images.app = {{
                    backend = "{backend}";
                    image = config.services.hocker.functions.fetchdocker {{
                      image = "{pinned}";
                      imageManifest = {manifest};
                      imageIndex = {list};
                    }};
                  }};
                }};
                {}
                "#,
                daemon.host(),
                if backend == "docker" {
                    "virtualisation.docker.daemon.settings.features.containerd-snapshotter = true;"
                } else {
                    ""
                }
            ));
            let failures = configuration.failures(&nix);
            assert!(failures.is_empty(), "{}: {failures:?}", daemon.name());
            let wanted = "config.services.hocker.images.app.image";
            built(&configuration.build(&nix, wanted));
            (daemon, configuration)
        })
        .collect();
    drop(registry);
    assert!(!configured.is_empty());
    for (daemon, configuration) in &configured {
        start(&nix, configuration, "hocker-load-app");
        for name in [&pinned, &format!("{name}@{}", digest(&index))] {
            let ran = daemon.run(name);
            let told = program::told(&ran);
            assert!(ran.status.success(), "{} {name}: {told}", daemon.name());
            assert_eq!(String::from_utf8_lossy(&ran.stdout).trim(), GREETING);
        }
    }
}
