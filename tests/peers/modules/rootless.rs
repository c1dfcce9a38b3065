//! The commands of units, run by hand or by the user's systemd, against the real podman of that user.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use super::command_line::words;
use crate::machine::configuration::Configuration;
use crate::machine::nix::{Nix, built};
use crate::machine::program;
use crate::machine::real_image::{GREETING, NEXT_GREETING};
use crate::machine::rootless::{Rootless, USER_ID};
use crate::machine::server::Server;
use crate::pipeline::two_versions;
use crate::support::image::Image;

/// A user, and a Nix whose store the user can read.
struct Machine {
    nix: Nix,
    user: Rootless,
}

impl Machine {
    fn new() -> Self {
        let nix = Nix::new();
        fs::set_permissions(nix.directory(), fs::Permissions::from_mode(0o755)).unwrap();
        Self {
            nix,
            user: Rootless::new(),
        }
    }

    /// The expression of an image of a registry.
    fn fetched(&self, reference: &str, image: &Image) -> String {
        let manifest = self
            .nix
            .directory()
            .join(format!("{}.json", image.config_digest().replace(':', "-")));
        fs::write(&manifest, &image.manifest).unwrap();
        format!(
            "config.services.hocker.functions.fetchdocker {{ image = \"{reference}\"; imageManifest = {}; }}",
            manifest.display()
        )
    }
}

/// A home of that user, of one generation.
struct Generation {
    services: Value,
    activation: String,
    /// The units of hocker, and what it adds to those of containers, by their paths below `~/.config`.
    files: BTreeMap<String, String>,
}

impl Machine {
    /// Builds the generation of a home with these images, each of which a container runs.
    fn home(&self, images: &[(&str, &str, &Image)]) -> Generation {
        let mut body = format!(
            "xdg.stateHome = \"{}/.local/state\"; services.hocker = {{ enable = true; prune.enable = true; \
             podman.package = \"/usr\"; }};",
            self.user.home().display()
        );
        for (name, reference, image) in images {
            write!(
                body,
                "services.hocker.images.{name}.image = {}; services.podman.containers.{name}.hockerImage = \"{name}\";",
                self.fetched(reference, image)
            )
            .unwrap();
        }
        let home = Configuration::home(&body);
        // The closure of the generation.
        built(&home.build(
            &self.nix,
            "map (image: image.image) (lib.attrValues config.services.hocker.images)",
        ));
        let mut values = home.values(
            &self.nix,
            "services = config.systemd.user.services; activation = activation.data; \
             files = lib.mapAttrs (_: file: file.text) config.xdg.configFile \
             // lib.mapAttrs' (name: lib.nameValuePair \"systemd/user/${name}\") texts;",
        );
        Generation {
            files: serde_json::from_value(values["files"].take()).unwrap(),
            services: values["services"].take(),
            activation: values["activation"].as_str().unwrap().to_owned(),
        }
    }

    /// Starts podman as the units do: its socket starts it at the first connection.
    fn podman(&self, generation: &Generation) -> Server {
        let unit = &generation.services["hocker-podman"]["Service"];
        let started = words(unit["ExecStart"].as_str().unwrap(), &[]);
        let socket = format!("{}/hocker/podman.sock", Rootless::runtime());
        let mut line = vec!["systemd-socket-activate", "-l", &socket];
        // It passes no other variables on.
        line.extend([
            "-E",
            "HOME",
            "-E",
            "PATH",
            "-E",
            "USER",
            "-E",
            "XDG_RUNTIME_DIR",
        ]);
        line.extend(started.iter().map(String::as_str));
        self.user.serve("hocker/podman.sock", &line)
    }

    /// Runs a unit of a generation as the user, and gives what it prints.
    fn start(&self, generation: &Generation, unit: &str) -> String {
        let service = &generation.services[unit]["Service"];
        let runtime = Rootless::runtime();
        let words = words(
            service["ExecStart"].as_str().unwrap(),
            &[("%t", runtime.as_str())],
        );
        let _podman = self.podman(generation);
        program::text(self.user.command(&words[0]).args(&words[1..]))
    }

    /// Writes the units of a generation, in place of home-manager.
    fn write_units(&self, generation: &Generation) {
        let directory = self.user.home().join(".config");
        for (name, text) in &generation.files {
            let file = directory.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
    }

    /// Runs the commands of a switch, in place of home-manager, and gives what they print.
    fn switch(&self, generation: &Generation) -> String {
        let script = format!(
            "set -eu; run() {{ [[ $1 == --quiet ]]; shift; \"$@\" >/dev/null; }}; warnEcho() {{ echo \"$@\"; }}\n{}",
            generation.activation
        );
        program::text(self.user.command("bash").args(["-c", &script]))
    }
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn images_of_a_home_are_loaded_into_the_users_podman_and_pruned() {
    let (old, new, registry) = two_versions();
    let reference = |tag: &str| format!("{}/team/app:{tag}", registry.name());
    let machine = Machine::new();
    let user = &machine.user;

    let first = machine.home(&[("app", &reference("1"), &old)]);
    assert_eq!(machine.switch(&first), "", "nothing runs yet");
    assert!(!user.has(&reference("1")));
    for _ in 0..2 {
        assert_eq!(
            machine.start(&first, "hocker-load-app"),
            old.config_digest()
        );
    }
    assert_eq!(user.run_image(&reference("1")), GREETING);
    machine.start(&first, "hocker-prune-podman");
    assert!(user.has(&reference("1")), "it is declared");

    // The next generation is loaded before its units start.
    let second = machine.home(&[("app", &reference("2"), &new)]);
    {
        let _podman = machine.podman(&second);
        assert_eq!(machine.switch(&second), "");
    }
    assert!(user.has(&reference("2")));
    assert!(user.has(&reference("1")), "nothing was pruned yet");
    assert_eq!(
        machine.start(&second, "hocker-load-app"),
        new.config_digest()
    );
    assert_eq!(user.run_image(&reference("2")), NEXT_GREETING);
    machine.start(&second, "hocker-prune-podman");
    assert!(!user.has(&reference("1")), "no generation declares it");
    assert!(user.has(&reference("2")));
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn the_systemd_of_a_user_loads_an_image_before_its_container_starts() {
    let (old, new, registry) = two_versions();
    let reference = |tag: &str| format!("{}/team/app:{tag}", registry.name());
    let machine = Machine::new();
    let user = &machine.user;
    let said = user.home().join("said");
    // In place of the unit that podman makes of home-manager's quadlet.
    let container = |tag: &str| {
        format!(
            "[Service]\nType=oneshot\nStandardOutput=truncate:{}\nExecStart=/usr/bin/podman run --rm --pull=never \
             --network=none --ulimit=nofile=1024:1024 --ulimit=nproc=1024:1024 {}\n",
            said.display(),
            reference(tag)
        )
    };
    let switch = |tag: &str, image: &Image| {
        let generation = machine.home(&[("app", &reference(tag), image)]);
        machine.write_units(&generation);
        let unit = user.home().join(".config/systemd/user/podman-app.service");
        fs::write(unit, container(tag)).unwrap();
        generation
    };
    let printed = || fs::read_to_string(&said).unwrap().trim().to_owned();

    switch("1", &old);
    let manager = user.manager();
    manager.systemctl(&["start", "podman-app.service"]);
    assert_eq!(printed(), GREETING);
    // Somebody removes it.
    program::run(
        user.podman()
            .args(["image", "rm", "--force", &reference("1")]),
    );
    manager.systemctl(&["start", "podman-app.service"]);
    assert_eq!(printed(), GREETING);

    let second = switch("2", &new);
    assert_eq!(machine.switch(&second), "");
    assert!(user.has(&reference("2")), "it is loaded before the restart");
    manager.systemctl(&["daemon-reload"]);
    manager.systemctl(&["start", "podman-app.service"]);
    assert_eq!(printed(), NEXT_GREETING);
    assert!(user.has(&reference("1")), "nothing was pruned yet");
    manager.systemctl(&["start", "hocker-prune-podman.service"]);
    assert!(!user.has(&reference("1")), "no generation declares it");
    assert!(user.has(&reference("2")));
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn a_unit_of_the_system_loads_into_the_podman_of_a_user_and_prunes_there() {
    let (old, new, registry) = two_versions();
    let reference = |tag: &str| format!("{}/team/app:{tag}", registry.name());
    let machine = Machine::new();
    let user = &machine.user;
    let socket = format!("unix://{}/podman/podman.sock", Rootless::runtime());
    let state = machine.user.home().join("state");
    let _podman = user.serve(
        "podman/podman.sock",
        &["podman", "system", "service", "--time=0", &socket],
    );

    let switch = |reference: &str, image: &Image| {
        let configuration = Configuration::new(&format!(
            "services.hocker = {{ enable = true; prune.enable = true; podman.host = \"{socket}\"; \
             images.app = {{ backend = \"podman\"; image = {}; }}; }};",
            machine.fetched(reference, image)
        ));
        built(&configuration.build(&machine.nix, "config.services.hocker.images.app.image"));
        configuration
    };
    // As systemd starts it: as the user, with the directories that the unit names, and without the homes.
    let start = |configuration: &Configuration, unit: &str| {
        let values = configuration.values(
            &machine.nix,
            &format!("service = config.systemd.services.{unit}.serviceConfig;"),
        );
        let service = &values["service"];
        assert_eq!(service["User"], USER_ID.to_string());
        assert_eq!(service["ProtectHome"], "tmpfs");
        assert_eq!(service["BindPaths"], Rootless::runtime());
        Rootless::make_directory(&state.join(service["StateDirectory"].as_str().unwrap()));
        let words = words(
            service["ExecStart"].as_str().unwrap(),
            &[("%S", state.to_str().unwrap())],
        );
        program::text(
            user.without_homes("env")
                .args(["-i", &words[0]])
                .args(&words[1..]),
        )
    };

    let first = switch(&reference("1"), &old);
    for _ in 0..2 {
        assert_eq!(start(&first, "hocker-load-app"), old.config_digest());
    }
    assert_eq!(user.run_image(&reference("1")), GREETING);
    let of_root =
        program::output(Command::new("podman").args(["image", "exists", &reference("1")]));
    assert!(!of_root.status.success(), "it is in the user's store alone");

    let second = switch(&reference("2"), &new);
    assert_eq!(start(&second, "hocker-load-app"), new.config_digest());
    start(&second, "hocker-prune-podman");
    assert!(!user.has(&reference("1")), "no generation declares it");
    assert!(user.has(&reference("2")));
}
