//! `erofs` and `podmanStore` of `fetchdocker`: built in the sandbox, mounted, and run by podman.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::machine::docker_registry::DockerRegistry;
use crate::machine::nix::{Nix, built, store_name};
use crate::machine::podman_storage::{Mounts, Storage};
use crate::machine::program;
use crate::machine::real_image::{GREETING, real_image};
use crate::pipeline::{registry_with, two_versions};
use crate::support::image::{Family, Image, digest, index};

/// An expression of an image with its index, which only the expression knows.
fn fetched(nix: &Nix, registry: &DockerRegistry, image: &Image, tag: &str) -> String {
    let at = |name: &str, bytes: &[u8]| {
        let path = nix.directory().join(format!("{tag}-{name}.json"));
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    format!(
        "hocker.fetchdocker {{ image = \"{}/team/app:{tag}\"; imageManifest = {}; imageIndex = {}; }}",
        registry.name(),
        at("manifest", &image.manifest),
        at("index", &index(&[image.descriptor()])),
    )
}

/// What podman needs of the layers, as a unit mounts it.
fn mounted(nix: &Nix, store: &str) -> (Mounts, Vec<PathBuf>) {
    let listed = nix.evaluate(&nix.with_functions(&format!("({store}).mounts")));
    let mut mounts = Mounts::default();
    let mut files = Vec::new();
    for mount in listed.as_array().unwrap() {
        let path = |key: &str| PathBuf::from(mount[key].as_str().unwrap());
        mounts.add(&path("what"), &path("where"));
        files.push(path("what"));
    }
    (mounts, files)
}

/// The names of a closure, without hashes.
fn closure(nix: &Nix, path: &Path) -> Vec<String> {
    let mut names: Vec<_> = nix
        .requisites(path)
        .iter()
        .map(|path| store_name(path))
        .collect();
    names.sort();
    names
}

#[test]
fn an_image_of_the_store_runs_without_being_loaded() {
    let image = real_image();
    let registry = registry_with(&image);
    let nix = Nix::new();
    let fetched = fetched(&nix, &registry, &image, "1");
    let expression = format!("({fetched}).podmanStoreWith {{ tags = [ \"web:stable\" ]; }}");
    let store = built(&nix.build(&expression));

    // The runtime closure has the plain layers alone.
    let mut expected: Vec<_> = image
        .layers
        .iter()
        .map(|layer| format!("docker-layer-{}.erofs", layer.hex()))
        .collect();
    expected.push("podman-store".to_owned());
    expected.sort();
    assert_eq!(closure(&nix, &store), expected);

    let storage = Storage::with_stores(&[&store]);
    let name = format!("{}/team/app", registry.name());
    let unmounted = storage.try_run(&format!("{name}:1"), &[]);
    assert!(!unmounted.status.success(), "no layer is mounted yet");
    let (_mounts, files) = mounted(&nix, &expression);
    assert_eq!(files.len(), image.layers.len());
    let of_index = digest(&index(&[image.descriptor()]));
    for reference in [
        &format!("{name}:1"),
        "web:stable",
        &format!("{name}@{}", image.digest()),
        &format!("{name}@{of_index}"),
        &format!("docker.io/library/web@{}", image.digest()),
    ] {
        assert_eq!(storage.run(reference, &[]), GREETING, "{reference}");
    }
    assert_eq!(storage.images()[0]["Digest"], of_index);
    let bytes = storage.bytes();
    assert!(bytes <= 200_000, "podman wrote {bytes} bytes");

    // Both results are the same to the byte when they are made again.
    for path in [&store, &files[0]] {
        program::run(
            nix.command("nix-store")
                .args(["--realise", "--check"])
                .arg(path),
        );
    }
}

#[test]
fn images_share_the_file_system_images_of_layers_and_need_no_layer_to_be_renamed() {
    let (first, second, registry) = two_versions();
    let nix = Nix::new();
    let [one, two] =
        [(&first, "1"), (&second, "2")].map(|(image, tag)| fetched(&nix, &registry, image, tag));
    let paths = |image: &str| -> Value {
        let paths = nix.with_functions(&format!("map (layer: layer.outPath) ({image}).erofs"));
        nix.evaluate(&paths)
    };
    let [of_one, of_two] = [&one, &two].map(|image| paths(image));
    assert_eq!((&of_one[0], &of_one[1]), (&of_two[0], &of_two[1]));
    assert_ne!(of_one[2], of_two[2]);

    built(&nix.build(&format!("({one}).podmanStore")));
    let before = registry.accesses().len();
    built(&nix.build(&format!("({two}).podmanStore")));
    let blobs = registry.accesses()[before..]
        .iter()
        .filter(|access| access.is_blob())
        .count();
    assert_eq!(blobs, 2, "the new layer and the new config");
    // Another name is another store, of the same layers.
    let before = registry.accesses().len();
    built(&nix.build(&format!(
        "({two}).podmanStoreWith {{ tags = [ \"other:1\" ]; }}"
    )));
    assert_eq!(registry.accesses().len(), before);
}

#[test]
fn a_layer_that_is_not_what_the_config_names_is_refused_by_the_build() {
    let image = real_image();
    let mut config: Value = serde_json::from_slice(&image.config).unwrap();
    config["rootfs"]["diff_ids"][1] = json!(digest(b"another layer"));
    let wrong = Image::with_config(
        Family::Oci,
        &json!({"os": "linux", "architecture": "amd64"}),
        config.to_string().into_bytes(),
        image.layers.clone(),
    );
    let registry = registry_with(&wrong);
    let nix = Nix::new();
    let fetched = fetched(&nix, &registry, &wrong, "1");
    let output = nix.build(&format!("({fetched}).podmanStore"));
    assert!(!output.status.success());
    let told = program::told(&output);
    assert!(told.contains("cannot build the store for podman"), "{told}");
    assert!(
        told.contains("not the image of the layer with the diff ID sha256:"),
        "{told}"
    );
}
