//! hocker and skopeo agree on every byte of an image in a real registry, and dockerd on what it is.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::machine::docker_registry::DockerRegistry;
use crate::machine::dockerd::Dockerd;
use crate::machine::program;
use crate::machine::real_image::{GREETING, real_image};
use crate::support::hocker::classic;
use crate::support::image::{digest, hex};

#[test]
fn hocker_and_skopeo_agree_on_every_byte_and_dockerd_on_the_id() {
    // docker-registry keeps manifests of either family as they were pushed.
    for format in ["oci", "v2s2"] {
        agree(format);
    }
}

fn agree(format: &str) {
    let image = real_image();
    let registry = DockerRegistry::start();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    image.write_layout(&path.join("pushed"), "1");
    registry.push(&path.join("pushed"), "team/app", "1", &["--format", format]);
    let url = registry.url();
    let by_hocker = |name: &str, arguments: &[&str]| {
        classic(name, arguments)
            .arguments(["team/app", "1", "--registry", &url])
            .in_directory(path)
            .run()
            .done()
            .stdout
    };

    let skopeo = |arguments: &[&str]| {
        program::run(
            Command::new("skopeo")
                .args(["--insecure-policy"])
                .args(arguments),
        )
    };
    let reference = format!("docker://{}/team/app:1", registry.name());
    let raw = |what: &[&str]| {
        let mut arguments = vec!["inspect", "--tls-verify=false", "--raw"];
        arguments.extend(what);
        arguments.push(&reference);
        skopeo(&arguments)
    };
    let manifest = by_hocker("hocker-manifest", &[]);
    assert!(manifest == raw(&[]), "the manifests differ");
    let config = by_hocker("hocker-config", &[]);
    assert!(config == raw(&["--config"]), "the configurations differ");
    assert!(config == image.config, "the configuration is another");

    let copy = path.join("by-skopeo");
    let target = format!("dir:{}", copy.display());
    skopeo(&["copy", "--src-tls-verify=false", &reference, &target]);
    let parsed: Value = serde_json::from_slice(&manifest).unwrap();
    for layer in parsed["layers"].as_array().unwrap() {
        let layer = layer["digest"]
            .as_str()
            .unwrap()
            .trim_start_matches("sha256:");
        by_hocker("hocker-layer", &["--layer", layer, "--out", layer]);
        assert!(
            fs::read(path.join(layer)).unwrap() == fs::read(copy.join(layer)).unwrap(),
            "the layers {layer} differ"
        );
    }

    by_hocker("hocker-image", &["--out", "image.tar"]);
    let archive = path.join("by-skopeo.tar");
    let target = format!("docker-archive:{}:x:1", archive.display());
    skopeo(&["copy", "--src-tls-verify=false", &reference, &target]);
    let ours = contents(&fs::read(path.join("image.tar")).unwrap());
    let theirs = contents(&fs::read(&archive).unwrap());
    for layer in &image.layers {
        assert!(ours.contains_key(&digest(&layer.tar)), "ours lacks a layer");
        assert!(theirs.contains_key(&digest(&layer.tar)), "theirs lacks one");
    }
    assert_eq!(
        ours[&digest(&config)],
        format!("{}.json", hex(&config)),
        "the configuration's name"
    );

    let dockerd = Dockerd::start();
    let loaded = dockerd.load(&path.join("image.tar"));
    assert!(loaded.status.success(), "{}", program::told(&loaded));
    for tag in [
        format!("{}/team/app:1", registry.name()),
        format!("{}/v2/team/app:1", registry.name()),
    ] {
        assert_eq!(dockerd.image_id(&tag), image.config_digest());
        assert_eq!(dockerd.run_image(&tag), GREETING);
    }
}

/// The names of an archive's regular files by the digests of their contents.
fn contents(archive: &[u8]) -> BTreeMap<String, String> {
    tar::Archive::new(archive)
        .entries()
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.header().entry_type().is_file())
        .map(|mut entry| {
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            (digest(&content), name)
        })
        .collect()
}
