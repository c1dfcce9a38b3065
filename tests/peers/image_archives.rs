//! An image as one file of the Nix store, for readers that want neither a script nor a layout.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::machine::dockerd::Dockerd;
use crate::machine::nix::{Nix, built, store_name};
use crate::machine::program;
use crate::machine::real_image::{GREETING, real_image};
use crate::pipeline::registry_with;
use crate::support::archive::{Archive, manifest_json};
use crate::support::hocker::hocker;
use crate::support::image::{Layer, Packing, digest, hex_of};

/// The members of an archive, by name.
fn members(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(File::open(path).unwrap());
    let members = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (name, content)
    });
    members.collect()
}

#[test]
fn an_image_is_one_file_of_the_store_that_docker_loads_and_runs() {
    let image = real_image();
    let registry = registry_with(&image);
    let nix = Nix::new();
    let name = format!("{}/team/app:1", registry.name());
    let manifest = nix.directory().join("manifest.json");
    std::fs::write(&manifest, hocker(["manifest", &name]).run().done().stdout).unwrap();
    let fetched = format!(
        "hocker.fetchdocker {{ image = {name:?}; imageManifest = {}; }}",
        manifest.display()
    );
    let dockerd = Dockerd::start();
    for attribute in ["archive", "plainArchive"] {
        let path = built(&nix.build(&format!("({fetched}).{attribute}")));
        assert_eq!(store_name(&path), "app.tar");
        assert_eq!(nix.requisites(&path).len(), 1, "it needs no other path");
        let loaded = dockerd.load(&path);
        assert!(loaded.status.success(), "{}", program::told(&loaded));
        assert_eq!(dockerd.image_id(&name), image.config_digest());
        assert_eq!(dockerd.run_image(&name), GREETING);
        program::run(dockerd.docker().args(["image", "rm", "--force", &name]));
    }
}

/// `buildImage` of nixpkgs' dockerTools hashes the file of each layer of `fromImage` and takes that for its diff ID. It
/// finds the store paths that the image contains in files with the name `layer.tar` in a directory.
#[test]
fn the_plain_archive_has_the_layers_as_build_image_of_nixpkgs_reads_them() {
    let image = real_image();
    let registry = registry_with(&image);
    let nix = Nix::new();
    let expression = hocker(["docker2nix", &format!("{}/team/app:1", registry.name())])
        .run()
        .done()
        .text();
    let file = nix.directory().join("image.nix");
    std::fs::write(&file, expression).unwrap();
    let body = format!("(hocker.callImage {}).plainArchive", file.display());
    let members = members(&built(&nix.build(&body)));
    let member = |name: &str| -> &[u8] {
        let found = members.iter().find(|(member, _)| member == name);
        &found.unwrap_or_else(|| panic!("there is no {name}")).1
    };
    let list: Value = serde_json::from_slice(member("manifest.json")).unwrap();
    let config: Value =
        serde_json::from_slice(member(list[0]["Config"].as_str().unwrap())).unwrap();
    let layers = list[0]["Layers"].as_array().unwrap();
    let names = layers.iter().map(|layer| layer.as_str().unwrap());
    for name in names.clone() {
        assert_eq!(name.split('/').nth(1), Some("layer.tar"), "{name}");
    }
    let hashes: Vec<_> = names
        .map(member)
        .map(|layer| format!("sha256:{}", hex_of(&Sha256::digest(layer))))
        .collect();
    assert!(!hashes.is_empty());
    assert_eq!(config["rootfs"]["diff_ids"], serde_json::json!(hashes));
}

/// An image on `base` with another layer, as `dockerTools` makes it: it copies the files of the layers.
fn built_on(base: &Path, name: &str, diff_ids: DiffIds) -> Vec<u8> {
    let members = members(base);
    let member = |name: &str| -> Vec<u8> {
        let found = members.iter().find(|(member, _)| member == name);
        found.unwrap().1.clone()
    };
    let list: Value = serde_json::from_slice(&member("manifest.json")).unwrap();
    let config: Value =
        serde_json::from_slice(&member(list[0]["Config"].as_str().unwrap())).unwrap();
    let added = Layer::of_files(Packing::Plain, &[("added", b"added")]).tar;
    let mut archive = Archive::default();
    let mut layers = Vec::new();
    let mut ids = Vec::new();
    for (number, layer) in list[0]["Layers"].as_array().unwrap().iter().enumerate() {
        let layer = layer.as_str().unwrap();
        let content = member(layer);
        ids.push(match diff_ids {
            DiffIds::OfConfig => config["rootfs"]["diff_ids"][number].clone(),
            DiffIds::OfFiles => json!(digest(&content)),
        });
        archive = archive.file(layer, content);
        layers.push(layer.to_owned());
    }
    ids.push(json!(digest(&added)));
    layers.push("added/layer.tar".to_owned());
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/hello"]},
        "rootfs": {"type": "layers", "diff_ids": ids},
    });
    archive
        .file("added/layer.tar", added)
        .json("config.json", &config)
        .json(
            "manifest.json",
            &manifest_json("config.json", &[name], &layers),
        )
        .bytes()
}

/// What a function of `dockerTools` takes for the diff IDs of the layers of `fromImage`.
#[derive(Clone, Copy)]
enum DiffIds {
    /// `streamLayeredImage` and `buildLayeredImage`
    OfConfig,
    /// `buildImage`
    OfFiles,
}

#[test]
fn an_image_that_docker_tools_makes_of_an_archive_is_loaded_and_runs() {
    let image = real_image();
    let registry = registry_with(&image);
    let nix = Nix::new();
    let name = format!("{}/team/app:1", registry.name());
    let expression = nix.directory().join("image.nix");
    std::fs::write(
        &expression,
        hocker(["docker2nix", &name]).run().done().stdout,
    )
    .unwrap();
    let dockerd = Dockerd::start();
    for (attribute, diff_ids) in [
        ("archive", DiffIds::OfConfig),
        ("plainArchive", DiffIds::OfConfig),
        ("plainArchive", DiffIds::OfFiles),
    ] {
        let expression = format!("(hocker.callImage {}).{attribute}", expression.display());
        let archive = built_on(&built(&nix.build(&expression)), "built:1", diff_ids);
        let path = nix.directory().join("built.tar");
        std::fs::write(&path, &archive).unwrap();
        for by_hocker in [false, true] {
            if by_hocker {
                hocker(["load", "--host", &dockerd.host()])
                    .arguments([&path])
                    .run()
                    .done();
            } else {
                let loaded = dockerd.load(&path);
                assert!(loaded.status.success(), "{}", program::told(&loaded));
            }
            assert_eq!(dockerd.run_image("built:1"), GREETING);
            program::run(dockerd.docker().args(["image", "rm", "--force", "built:1"]));
        }
    }
}
