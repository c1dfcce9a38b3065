//! The main job from end to end, for expressions of both generations: from a registry to a Nix expression, to a
//! sandboxed build, to a container that runs.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::machine::docker_registry::DockerRegistry;
use crate::machine::dockerd::Dockerd;
use crate::machine::nix::Nix;
use crate::machine::program;
use crate::machine::real_image::{GREETING, next_version, real_image};
use crate::support::hocker::{classic, hocker};
use crate::support::image::Image;

/// A registry with an image as team/app:1.
pub(crate) fn registry_with(image: &Image) -> DockerRegistry {
    let registry = DockerRegistry::start();
    push(&registry, image, "1");
    registry
}

/// Two versions of an image, and a registry with them as team/app:1 and team/app:2.
pub(crate) fn two_versions() -> (Image, Image, DockerRegistry) {
    let old = real_image();
    let new = next_version(&old);
    let registry = registry_with(&old);
    push(&registry, &new, "2");
    (old, new, registry)
}

/// Pushes an image as team/app.
pub(crate) fn push(registry: &DockerRegistry, image: &Image, tag: &str) {
    let directory = image.layout("1");
    registry.push(directory.path(), "team/app", tag, &["--preserve-digests"]);
}

/// `hocker-manifest … | docker2nix …`
pub(crate) fn classic_expression(registry: &DockerRegistry) -> String {
    let url = registry.url();
    let arguments = ["team/app", "1", "--registry", &url];
    let manifest = classic("hocker-manifest", arguments).run().done().stdout;
    classic("docker2nix", ["--registry", &url, "team/app", "1"])
        .input(manifest)
        .run()
        .done()
        .text()
}

/// `hocker docker2nix REFERENCE`
pub(crate) fn expression(registry: &DockerRegistry) -> String {
    hocker(["docker2nix", &format!("{}/team/app:1", registry.name())])
        .run()
        .done()
        .text()
}

/// Writes the archive that an image's own script streams.
pub(crate) fn stream(script: &Path, archive: &Path) {
    let status = Command::new(script)
        .env_clear()
        .stdout(File::create(archive).unwrap())
        .status()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", script.display()));
    assert!(status.success(), "{} failed: {status}", script.display());
}

#[test]
fn an_image_becomes_an_expression_a_build_and_a_container() {
    let image = real_image();
    let registry = registry_with(&image);
    let before = registry.accesses().len();
    let classic_expression = classic_expression(&registry);
    let classic_requests = registry.accesses()[before..].to_vec();
    let before = registry.accesses().len();
    let expression = expression(&registry);
    let requests = registry.accesses()[before..].to_vec();
    for requests in [classic_requests, requests] {
        let manifests = requests
            .iter()
            .filter(|access| access.is_manifest())
            .count();
        let blobs = requests.iter().filter(|access| access.is_blob()).count();
        assert_eq!((manifests, blobs), (1, 0), "{requests:#?}");
    }

    let dockerd = Dockerd::start();
    let plain = format!("{}/team/app:1", registry.name());
    let with_path = format!("{}/v2/team/app:1", registry.name());
    for (expression, tags) in [
        (classic_expression, vec![plain.clone(), with_path]),
        (expression, vec![plain.clone()]),
    ] {
        let nix = Nix::new();
        let before = registry.accesses().len();
        let result = nix.built_image(&expression);
        let requests = registry.accesses()[before..].to_vec();
        assert!(
            !requests
                .iter()
                .any(crate::machine::docker_registry::Access::is_manifest),
            "a build asks for no manifest: {requests:#?}"
        );
        let blobs = requests.iter().filter(|access| access.is_blob()).count();
        assert_eq!(blobs, 1 + image.layers.len(), "{requests:#?}");

        let archive = nix.directory().join("image.tar");
        stream(&result.join("compositeImage.sh"), &archive);
        let loaded = dockerd.load(&archive);
        assert!(loaded.status.success(), "{}", program::told(&loaded));
        for tag in tags {
            assert_eq!(dockerd.image_id(&tag), image.config_digest(), "{tag}");
            assert_eq!(dockerd.run_image(&tag), GREETING);
            program::run(dockerd.docker().args(["image", "rm", "--force", &tag]));
        }
    }
}

#[test]
fn an_image_without_a_tag_is_loaded_and_takes_nobodys_name() {
    let image = real_image();
    let registry = registry_with(&image);
    let reference = format!("{}/team/app@{}", registry.name(), image.digest());
    let expression = hocker(["docker2nix", &reference]).run().done().text();
    let nix = Nix::new();
    let archive = nix.directory().join("image.tar");
    stream(
        &nix.built_image(&expression).join("compositeImage.sh"),
        &archive,
    );
    let dockerd = Dockerd::start();
    let loaded = dockerd.load(&archive);
    let told = program::told(&loaded);
    assert!(loaded.status.success(), "{told}");
    let id = image.config_digest();
    assert!(told.contains(&format!("Loaded image ID: {id}")), "{told}");
    assert_eq!(dockerd.run_image(&id), GREETING);
    let tags = ["image", "inspect", "--format", "{{json .RepoTags}}", &id];
    assert_eq!(program::text(dockerd.docker().args(tags)).trim(), "[]");
}

#[test]
fn the_layout_keeps_the_registrys_digest_and_skopeo_reads_it() {
    let image = real_image();
    let registry = registry_with(&image);
    let nix = Nix::new();
    let result = nix.built_image(&expression(&registry));
    let layout = result.join("oci");
    let index: Value =
        serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"][0]["digest"], image.digest());
    let raw = program::run(
        Command::new("skopeo")
            .args(["--insecure-policy", "inspect", "--raw"])
            .arg(format!("oci:{}", layout.display())),
    );
    assert!(raw == image.manifest, "another manifest");
    let archive = nix.directory().join("image.tar");
    stream(&result.join("compositeImage.sh"), &archive);
    for transport in ["docker-archive", "oci-archive"] {
        program::run(
            Command::new("skopeo")
                .args(["--insecure-policy", "copy"])
                .arg(format!("{transport}:{}", archive.display()))
                .arg(format!("dir:{}", nix.directory().join(transport).display())),
        );
    }
}

#[test]
fn the_shortest_pin_builds_the_same_layers() {
    let image = real_image();
    let registry = registry_with(&image);
    let nix = Nix::new();
    let full = nix.built_image(&expression(&registry));
    let reference = format!("{}/team/app:1", registry.name());
    let manifest = nix.directory().join("manifest.json");
    std::fs::write(&manifest, &image.manifest).unwrap();
    let short = crate::machine::nix::built(&nix.build(&format!(
        "hocker.fetchdocker {{ image = {reference:?}; imageManifest = {}; }}",
        manifest.display()
    )));
    let blobs = |result: &Path| {
        let mut paths: Vec<_> = nix
            .requisites(result)
            .into_iter()
            .filter(|path| {
                let name = crate::machine::nix::store_name(path);
                name.starts_with("docker-layer-") || name.starts_with("docker-config-")
            })
            .collect();
        paths.sort();
        paths
    };
    assert_eq!(blobs(&full).len(), 1 + image.layers.len());
    assert_eq!(blobs(&full), blobs(&short));
}

#[test]
fn a_build_reports_its_downloads_in_nixs_own_way() {
    let image = real_image();
    let registry = registry_with(&image);
    let nix = Nix::new();
    let file = nix.directory().join("image.nix");
    std::fs::write(&file, expression(&registry)).unwrap();
    let output = nix.build_with(
        &format!("hocker.callImage {}", file.display()),
        &["--log-format", "internal-json"],
        &[],
    );
    crate::machine::nix::built(&output);
    let events: Vec<Value> = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("@nix ")?).ok())
        .collect();
    for layer in &image.layers {
        let start = events.iter().find(|event| {
            event["action"] == "start"
                && event["type"] == 101
                && event["fields"][0]
                    .as_str()
                    .is_some_and(|url| url.contains(&layer.hex()))
        });
        let start = start.unwrap_or_else(|| panic!("no transfer of a layer in {events:#?}"));
        let of_it = |event: &&Value| event["id"] == start["id"];
        let size = layer.blob.len();
        assert!(
            events.iter().filter(of_it).any(|event| event["type"] == 105
                && event["fields"][0] == size
                && event["fields"][1] == size),
            "its whole size is not reported"
        );
        assert!(
            events
                .iter()
                .filter(of_it)
                .any(|event| event["action"] == "stop"),
            "it never stops"
        );
    }
}
