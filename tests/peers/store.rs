//! What the store gains: layers that images share, closures without a system in them, and builds that tags do
//! not matter to.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::machine::nix::{Nix, built, root, store_name};
use crate::machine::real_image::{next_version, program_layer, real_image};
use crate::pipeline::{classic_expression, expression, push, registry_with};
use crate::support::image::{Family, Image, hex};

#[test]
fn images_share_the_store_paths_of_the_layers_that_they_share() {
    let first = real_image();
    let second = next_version(&first);
    let registry = registry_with(&first);
    let nix = Nix::new();
    let one = nix.built_image(&expression(&registry));
    push(&registry, &second, "1");
    let before = registry.accesses().len();
    let two = nix.built_image(&expression(&registry));
    let fetched: Vec<_> = registry.accesses()[before..]
        .iter()
        .filter(|access| access.is_blob())
        .cloned()
        .collect();
    assert_eq!(
        fetched.len(),
        2,
        "the new layer and configuration: {fetched:#?}"
    );
    let layers_of = |result: &Path| {
        let mut paths = nix.requisites(result);
        paths.retain(|path| store_name(path).starts_with("docker-layer-"));
        paths
    };
    let (one, two) = (layers_of(&one), layers_of(&two));
    assert_eq!((one.len(), two.len()), (3, 3));
    let shared = one.iter().filter(|path| two.contains(path)).count();
    assert_eq!(shared, 2, "{one:?} {two:?}");
}

#[test]
fn the_closure_holds_the_image_and_hocker_and_nothing_else() {
    let image = real_image();
    let registry = registry_with(&image);
    for expression in [classic_expression(&registry), expression(&registry)] {
        let nix = Nix::new();
        let result = nix.built_image(&expression);
        let mut names: Vec<String> = nix
            .requisites(&result)
            .iter()
            .filter(|path| **path != result)
            .map(|path| store_name(path))
            .collect();
        let mut expected: Vec<String> = image
            .layers
            .iter()
            .map(|layer| format!("docker-layer-{}.tar.gz", layer.hex()))
            .collect();
        let config = &image.config_digest()["sha256:".len()..];
        expected.push(format!("docker-config-{config}.json"));
        expected.push("hocker".to_owned());
        names.sort();
        expected.sort();
        assert_eq!(names, expected);
    }
}

#[test]
fn builds_from_an_empty_store_while_the_tag_moves_and_goes() {
    let image = real_image();
    let registry = registry_with(&image);
    let expressions = [classic_expression(&registry), expression(&registry)];
    let first: Vec<_> = expressions
        .iter()
        .map(|expression| Nix::new().built_image(expression))
        .map(|path| store_name(&path))
        .collect();
    let other = Image::new(Family::Oci, &["/hello"], vec![program_layer("Moved.")]);
    push(&registry, &other, "1");
    for (expression, name) in expressions.iter().zip(&first) {
        assert_eq!(store_name(&Nix::new().built_image(expression)), *name);
    }
    registry.delete("team/app", &other.digest());
    registry.delete("team/app", &image.digest());
    crate::support::hocker::hocker(["manifest", &format!("{}/team/app:1", registry.name())])
        .run()
        .failed(3);
    for (expression, name) in expressions.iter().zip(&first) {
        assert_eq!(store_name(&Nix::new().built_image(expression)), *name);
    }
}

#[test]
fn a_layer_that_the_registry_lost_fails_the_build_with_a_clear_error() {
    let image = real_image();
    let registry = registry_with(&image);
    let missing = "0".repeat(64);
    let nix = Nix::new();
    let url = registry.url();
    let output = nix.build(&format!(
        "hocker.fetchDockerLayer {{ registry = {url:?}; repository = \"team\"; imageName = \"app\"; \
         layerDigest = \"{missing}\"; sha256 = \"{missing}\"; }}"
    ));
    assert!(!output.status.success());
    let told = crate::machine::program::told(&output);
    assert!(
        told.contains(&missing) && told.contains("hocker: "),
        "the build log does not say what is missing: {told}"
    );
}

/// Older versions know no `unsafeDiscardReferences`, and stop at a flat output that mentions a store path.
const DISCARDS_REFERENCES: &str = "builtins.compareVersions builtins.nixVersion \"2.18\" >= 0";

#[test]
fn a_configuration_that_mentions_a_store_path_of_the_closure_builds_where_nix_lets_it() {
    let nix = Nix::new();
    let package = nix.evaluate(&format!(
        "import {}/nix/package-path.nix {}/hocker",
        root().display(),
        nix.directory().display()
    ));
    let config = json!({
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": [format!("HOCKER={}/bin/hocker", package.as_str().unwrap())]},
        "rootfs": {"type": "layers", "diff_ids": []},
    });
    let platform = json!({"os": "linux", "architecture": "amd64"});
    let config = serde_json::to_vec(&config).unwrap();
    let image = Image::with_config(Family::Oci, &platform, config, Vec::new());
    let registry = registry_with(&image);
    let output = nix.build_image(&expression(&registry));
    if nix.evaluate(DISCARDS_REFERENCES) == true {
        let result = built(&output);
        let blob = result.join("oci/blobs/sha256").join(hex(&image.config));
        assert_eq!(fs::read(blob).unwrap(), image.config);
    } else {
        assert!(
            !output.status.success(),
            "this Nix can do it, and should be tested for it"
        );
        let told = crate::machine::program::told(&output);
        assert!(
            told.contains("references"),
            "it failed for another reason: {told}"
        );
    }
}
