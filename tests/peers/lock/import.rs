//! `importLock` by Nix itself: fifty images evaluated, three built, and what a tag that moved builds anew.

use std::fs;
use std::time::Instant;

use serde_json::Value;

use super::fleet::{Fleet, IMAGES, images, lock, name};
use crate::machine::nix::{Nix, built, root};
use crate::machine::program;

#[test]
fn fifty_images_are_evaluated_without_a_registry() {
    let nix = Nix::new();
    {
        let fleet = Fleet::start();
        fleet.lock(nix.directory(), IMAGES);
    }
    let body = "hocker.importLock { lockFile = ./docker-images.lock.json; }";
    let file = nix.directory().join("all.nix");
    fs::write(&file, nix.with_functions(body)).unwrap();
    let began = Instant::now();
    let derivations = program::text(nix.command("nix-instantiate").arg(&file));
    eprintln!("nix-instantiate of {IMAGES} images: {:?}", began.elapsed());
    assert_eq!(derivations.lines().count(), IMAGES);
    let names = nix.evaluate(&format!(
        "builtins.mapAttrs (_: one: one.image) (import {})",
        file.display()
    ));
    assert_eq!(names.as_object().unwrap().len(), IMAGES);
    assert!(
        names["app07"].as_str().unwrap().ends_with("/team/app07:1"),
        "{names}"
    );
}

#[test]
fn evaluation_is_pure() {
    let nix = Nix::new();
    let flake = nix.directory().join("flake");
    fs::create_dir(&flake).unwrap();
    {
        let fleet = Fleet::of(3);
        fleet.lock(&flake, 3);
    }
    program::run(
        nix.command("cp")
            .arg("-r")
            .arg(root().join("nix"))
            .arg(&flake),
    );
    program::run(
        nix.command("cp")
            .arg("-r")
            .arg(nix.directory().join("hocker"))
            .arg(&flake),
    );
    fs::write(
        flake.join("flake.nix"),
        r#"{
          outputs = { self }: {
            images = builtins.mapAttrs (_: image: image.drvPath) (
              (import ./nix { hocker = ./hocker; system = "x86_64-linux"; }).importLock {
                lockFile = ./docker-images.lock.json;
              }
            );
          };
        }"#,
    )
    .unwrap();
    let output = program::run(
        nix.command("nix")
            .args([
                "--experimental-features",
                "nix-command flakes",
                "eval",
                "--json",
            ])
            .arg(format!("path:{}#images", flake.display())),
    );
    let images: Value = serde_json::from_slice(&output).unwrap();
    assert_eq!(images.as_object().unwrap().len(), 3);
}

#[test]
fn a_tag_that_moved_builds_its_new_layers_and_nothing_else() {
    let mut fleet = Fleet::of(3);
    let nix = Nix::new();
    fleet.lock(nix.directory(), 3);
    // The builder's own machine need not be of a usual platform.
    let platform = "linux/arm64";
    let lock_file = nix.directory().join("docker-images.lock.json");
    let build = || {
        let body = format!(
            "builtins.attrValues (hocker.importLock {{ lockFile = {}; platform = {platform:?}; }})",
            lock_file.display()
        );
        let output = nix.build(&body);
        built(&output);
        output
    };
    let before = fleet.registry.accesses().len();
    build();
    let fetched = fleet.registry.accesses()[before..].to_vec();
    assert!(
        fetched
            .iter()
            .all(|access| access.method == "GET" && access.is_blob()),
        "{fetched:#?}"
    );
    let mut wanted: Vec<String> = (0..3)
        .flat_map(|number| {
            let image = images(number, "first").remove(1);
            let layers = image
                .layers
                .iter()
                .map(crate::support::image::Layer::digest);
            layers.chain([image.config_digest()]).collect::<Vec<_>>()
        })
        .collect();
    wanted.sort();
    wanted.dedup();
    assert_eq!(fetched.len(), wanted.len(), "each blob once");

    fleet.push(1, "second");
    lock(nix.directory(), &["update", &name(1)]).run().done();
    let before = fleet.registry.accesses().len();
    build();
    let fetched = fleet.registry.accesses()[before..].to_vec();
    let new = images(1, "second").remove(1);
    let mut digests = [new.config_digest(), new.layers.last().unwrap().digest()];
    digests.sort();
    let mut asked: Vec<_> = fetched
        .iter()
        .map(|access| access.path.rsplit('/').next().unwrap())
        .collect();
    asked.sort_unstable();
    assert_eq!(asked, digests);
    let before = fleet.registry.accesses().len();
    build();
    assert_eq!(fleet.registry.accesses().len(), before);
}

/// How many calls of functions Nix counts while it evaluates the derivations of all images of a lock file.
fn calls(nix: &Nix, images: usize) -> u64 {
    let expression = format!(
        "(import {}).lock {{ images = {images}; layers = 20; shared = 5; }}",
        root().join("benches/evaluation.nix").display()
    );
    let file = nix.directory().join("large.lock.json");
    fs::write(&file, nix.evaluate(&expression).to_string()).unwrap();
    let statistics = nix.directory().join("statistics.json");
    let body = format!(
        "map (image: image.drvPath) (builtins.attrValues (hocker.importLock {{ lockFile = {}; }}))",
        file.display()
    );
    program::run(
        nix.command("nix-instantiate")
            .env("NIX_SHOW_STATS", "1")
            .env("NIX_SHOW_STATS_PATH", &statistics)
            .args(["--eval", "--strict", "--readonly-mode", "--expr"])
            .arg(nix.with_functions(&body)),
    );
    let statistics: Value = serde_json::from_slice(&fs::read(statistics).unwrap()).unwrap();
    statistics["nrFunctionCalls"].as_u64().unwrap()
}

#[test]
fn evaluation_calls_few_functions_for_each_blob() {
    let nix = Nix::new();
    let few = calls(&nix, 10);
    let blobs = 10 * (20 + 1);
    let many = calls(&nix, 20);
    let each = (many - few) / blobs;
    eprintln!("{each} calls of functions for each further blob, with those of its image");
    assert!(each <= 40, "{each} calls for each blob");
    let twice = calls(&nix, 40) - many;
    assert!(
        twice <= (many - few) * 2 * 11 / 10,
        "the number of calls grows faster than the number of images: {few}, {many}, {twice} more"
    );
}
