//! The flake: every output evaluates, over the real `lib` of nixpkgs, for every system.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::machine::flake::{Flake, reference};
use crate::machine::internet::Internet;
use crate::machine::nix::root;
use crate::machine::program;
use crate::manual::PROGRAMS;
use crate::support::image::{Family, Image, Layer, Packing};

const SYSTEMS: [&str; 4] = [
    "aarch64-darwin",
    "aarch64-linux",
    "x86_64-darwin",
    "x86_64-linux",
];

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn all_outputs_are_what_nix_expects_of_them() {
    let flake = Flake::new();
    let own = reference(&flake.own());
    flake.run(["flake", "check", "--no-build", &own]);

    let shown: Value = serde_json::from_str(&flake.run(["flake", "show", "--json", &own])).unwrap();
    for output in ["packages", "apps", "checks", "devShells", "formatter"] {
        assert_eq!(keys(&shown[output]), SYSTEMS, "{output}");
    }
    for output in ["overlays", "nixosModules", "templates"] {
        assert_eq!(keys(&shown[output]), ["default"], "{output}");
    }
    // Nix knows the name, and nothing of what is in it.
    assert!(shown["homeModules"].is_object(), "{shown}");
    for system in SYSTEMS {
        let mut apps = PROGRAMS.to_vec();
        apps.push("default");
        apps.sort_unstable();
        assert_eq!(keys(&shown["apps"][system]), apps);

        let packages = keys(&shown["packages"][system]);
        let is_linux = system.ends_with("-linux");
        assert_eq!(packages.contains(&"hocker-static"), is_linux);
        let checks = keys(&shown["checks"][system]);
        for package in packages {
            assert!(
                checks.contains(&format!("package-{package}").as_str()),
                "{checks:?}"
            );
        }
        assert_eq!(
            checks.iter().any(|check| check.starts_with("vm-")),
            is_linux
        );
    }
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn what_needs_no_package_needs_only_the_lib_of_nixpkgs() {
    let flake = Flake::new();
    let lib = flake.nix().directory().join("lib");
    fs::create_dir(&lib).unwrap();
    program::run(
        Command::new("cp")
            .arg("--recursive")
            .arg(flake.nixpkgs().join("lib"))
            .arg(&lib),
    );
    fs::write(
        lib.join("flake.nix"),
        "{ outputs = _: { lib = import ./lib; }; }",
    )
    .unwrap();
    let own = reference(&flake.own());
    let inputs = [("nixpkgs", lib.as_path())];
    flake.run_of(&inputs, ["flake", "show", &own]);
    flake.run_of(&inputs, ["flake", "check", "--no-build", &own]);
    let described = flake.run_of(
        &inputs,
        [
            "eval",
            "--raw",
            &format!("{own}#templates.default.description"),
        ],
    );
    assert!(!described.is_empty());
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn the_lock_file_names_every_input() {
    let flake = Flake::new();
    // Without a network, an input that is not locked would be an error.
    program::run(
        flake
            .command()
            .args(["flake", "metadata", "--json", "--no-update-lock-file"])
            .arg(reference(&flake.own())),
    );
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn for_another_platform_the_build_machines_hocker_builds_and_the_others_is_started() {
    let flake = Flake::new();
    let found = flake.evaluate(
        &r#"
          flake: let
            nixpkgs = import NIXPKGS/packages.nix { lib = import NIXPKGS/lib.nix; buildSystem = "x86_64-linux"; };
            pkgs = nixpkgs.extend flake.overlays.default;
            native = flake.lib.functionsFor nixpkgs;
            cross = pkgs.pkgsCross.aarch64-linux.hockerFunctions;
            plain = builtins.unsafeDiscardStringContext;
            config = fetchDockerConfig: fetchDockerConfig {
              imageName = "debian";
              sha256 = "1rwinmvfc8jxn54y7qnj82acrc97y7xcnn22zaz67y76n4wbwjh5";
            };
            image = { fetchdocker, fetchDockerConfig, ... }: fetchdocker {
              imageName = "debian";
              imageConfig = config fetchDockerConfig;
              imageLayers = [ ];
            };
            described = functions: let it = image functions; in {
              inherit (it) system;
              builder = plain it.builder;
              interpreter = plain it.imageSpec.interpreter;
            };
          in {
            hocker = plain "${pkgs.hocker-builder}";
            foreign = plain "${pkgs.pkgsCross.aarch64-linux.hocker-builder}";
            hockerOfModule = plain "${pkgs.hocker}";
            foreignOfModule = plain "${pkgs.pkgsCross.aarch64-linux.hocker}";
            native = described native;
            cross = described cross;
            # The NixOS module of a system for the other platform, with the flake's packages.
            module = described (import NIXPKGS/nixos {
              inherit (nixpkgs) lib;
              pkgs = nixpkgs.pkgsCross.aarch64-linux;
            } [
              flake.nixosModules.default
              { _module.check = false; }
            ]).config.services.hocker.functions;
            moduleOfPackages = described (import NIXPKGS/nixos {
              inherit (nixpkgs) lib;
              pkgs = pkgs.pkgsCross.aarch64-linux;
            } [ FLAKE/nix/modules { _module.check = false; } ]).config.services.hocker.functions;
            home = described (nixpkgs.lib.evalModules {
              specialArgs.pkgs = pkgs;
              modules = [
                flake.homeModules.default
                { _module.check = false; }
              ];
            }).config.services.hocker.functions;
            inPackages = (pkgs.callPackage image { }).outPath == (image native).outPath;
            ofPackage = (image (flake.lib.functions {
              hocker = pkgs.hocker-builder;
              system = "x86_64-linux";
            })).outPath == (image native).outPath;
          }
        "#
        .replace("NIXPKGS", &flake.nixpkgs().display().to_string())
        .replace("FLAKE", &flake.own().display().to_string()),
    );
    let program = |name: &str| format!("{}/bin/hocker", found[name].as_str().unwrap());
    let (own, foreign) = (program("hocker"), program("foreign"));
    assert_ne!(own, foreign);
    // Scripts of images start the package that loads images, so that a system has one hocker.
    let of_module = [program("hockerOfModule"), program("foreignOfModule")];
    for (functions, interpreter) in [
        ("native", &own),
        ("cross", &foreign),
        ("module", &of_module[1]),
        ("home", &of_module[0]),
        ("moduleOfPackages", &of_module[1]),
    ] {
        assert_eq!(
            found[functions],
            json!({"system": "x86_64-linux", "builder": own, "interpreter": interpreter}),
            "{functions}"
        );
    }
    assert_eq!(found["inPackages"], true);
    assert_eq!(found["ofPackage"], true);
}

/// Where somebody has given the commands that the template tells of.
fn locked(containers: &Path) -> Internet {
    let layer = Layer::of_files(Packing::Gzip, &[("hello", b"hello")]);
    // What the template's host runs on.
    let image = Image::new(Family::Oci, &["/hello"], vec![layer]);
    let internet = Internet::with(&[("library/nginx:1.27", &image), ("library/redis:7", &image)]);
    let text = fs::read_to_string(containers).unwrap();
    let commands: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("#     "))
        .filter(|command| command.starts_with("hocker "))
        .collect();
    let output = internet.desk().shell(&commands.join("\n"), &[]);
    assert!(output.status.success(), "{}", program::told(&output));
    internet
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn the_template_is_a_host_with_two_images() {
    let flake = Flake::new();
    let template = flake.nix().directory().join("template");
    fs::create_dir(&template).unwrap();
    for entry in fs::read_dir(root().join("nix/templates/nixos")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, template.join(path.file_name().unwrap())).unwrap();
    }
    let lock = "docker-images.lock.json";
    fs::copy(
        locked(&template.join("containers.nix")).desk().path(lock),
        template.join(lock),
    )
    .unwrap();
    let (own, nixpkgs) = (flake.own(), flake.nixpkgs());
    let text = flake.run_of(
        &[("hocker", &own), ("nixpkgs", &nixpkgs)],
        [
            "eval",
            "--json",
            &format!("{}#nixosConfigurations.host", reference(&template)),
            "--apply",
            "host: { inherit (host) failures; units = builtins.attrNames host.units; \
             needs = host.config.systemd.services.podman-web.requires; }",
        ],
    );
    let host: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(host["failures"], json!([]));
    assert_eq!(host["needs"], json!(["hocker-load-web.service"]));
    assert_eq!(
        host["units"],
        json!([
            "hocker-load-cache",
            "hocker-load-web",
            "hocker-prune-podman"
        ])
    );
}
