//! Images as skopeo puts them into a registry, and as it finds them there.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::machine::docker_registry::DockerRegistry;
use crate::machine::program;
use crate::support::image::{Family, Image, Layer, Packing, digest, hex, index};

/// What is known of an image before hocker sees it.
pub(super) struct Expected {
    pub(super) manifest: Vec<u8>,
    pub(super) config: Vec<u8>,
    media_type: String,
}

/// Lets skopeo fill `repository:single`, and says what is there by skopeo's own account.
pub(super) fn push(
    registry: &DockerRegistry,
    repository: &str,
    family: Family,
    packing: Packing,
    layers: &[Vec<u8>],
) -> Expected {
    let target = format!("docker://{}/{repository}:single", registry.name());
    copy(&target, family, packing, layers);
    let inspect = |what: &[&str]| {
        program::run(
            Command::new("skopeo")
                .args(["inspect", "--tls-verify=false", "--raw"])
                .args(what)
                .arg(&target),
        )
    };
    let mut manifest = inspect(&[]);
    let config = inspect(&["--config"]);
    if (family, packing) == (Family::Docker, Packing::Zstd) {
        manifest = of_buildkit(manifest);
        let media_type = "application/vnd.docker.distribution.manifest.v2+json";
        registry.put_manifest(repository, "single", media_type, &manifest);
        assert!(inspect(&[]) == manifest, "the registry keeps another");
    }
    let parsed: Value = serde_json::from_slice(&manifest).unwrap();
    let layer = parsed["layers"][0]["mediaType"].as_str().unwrap();
    let suffix = match (family, packing) {
        (Family::Docker, Packing::Gzip) => "tar.gzip",
        (Family::Docker, Packing::Zstd) => "tar.zstd",
        (Family::Oci, Packing::Gzip) => "tar+gzip",
        (Family::Oci, Packing::Zstd) => "tar+zstd",
        _ => "tar",
    };
    assert!(layer.ends_with(suffix), "{family:?} {packing:?}: {layer}");
    Expected {
        config,
        media_type: parsed["mediaType"].as_str().unwrap_or_default().to_owned(),
        manifest,
    }
}

/// Lets skopeo copy an image of these layers to `target`.
fn copy(target: &str, family: Family, packing: Packing, layers: &[Vec<u8>]) {
    let directory = tempfile::tempdir().unwrap();
    let skopeo = |arguments: &[&str]| {
        program::run(
            Command::new("skopeo")
                .args(["--insecure-policy", "copy", "--dest-tls-verify=false"])
                .args(arguments)
                .arg(target),
        )
    };
    let image = |family, packing| {
        let layers = layers.iter().map(|tar| Layer::of_tar(packing, tar.clone()));
        Image::new(family, &["/hello"], layers.collect())
    };
    if packing == Packing::Plain {
        // skopeo compresses what it is not told to keep.
        let image = image(family, packing);
        let write = |name: &str, content: &[u8]| {
            fs::write(directory.path().join(name), content).unwrap();
        };
        write("version", b"Directory Transport Version: 1.1\n");
        write("manifest.json", &image.manifest);
        write(&hex(&image.config), &image.config);
        for layer in &image.layers {
            write(&layer.hex(), &layer.blob);
        }
        let source = format!("dir:{}", directory.path().display());
        skopeo(&["--preserve-digests", &source]);
    } else {
        // It compresses what is plain, and writes in Docker's family what comes in the other.
        image(Family::Oci, Packing::Plain).write_layout(directory.path(), "1");
        let source = format!("oci:{}:1", directory.path().display());
        let (format, compression) = match (family, packing) {
            (_, Packing::Zstd) => ("oci", "zstd"),
            (Family::Docker, _) => ("v2s2", "gzip"),
            (Family::Oci, _) => ("oci", "gzip"),
        };
        let compress = ["--dest-compress-format", compression];
        skopeo(&[&["--format", format][..], &compress, &[&source]].concat());
    }
}

/// A manifest of Docker's family about the same blobs. `BuildKit` writes such with zstd, and skopeo does not.
fn of_buildkit(manifest: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(manifest).unwrap();
    text.replace(
        "vnd.oci.image.manifest.v1",
        "vnd.docker.distribution.manifest.v2",
    )
    .replace("vnd.oci.image.config.v1", "vnd.docker.container.image.v1")
    .replace(
        "vnd.oci.image.layer.v1.tar+zstd",
        "vnd.docker.image.rootfs.diff.tar.zstd",
    )
    .into_bytes()
}

/// Makes `index`, with an attestation and the image, and `nested`, with that index.
pub(super) fn push_indexes(
    registry: &DockerRegistry,
    repository: &str,
    index_type: &str,
    image: &Expected,
) {
    let entry = |platform: Value, annotations: Value| {
        let media_type = match image.media_type.as_str() {
            "" => "application/vnd.oci.image.manifest.v1+json",
            own => own,
        };
        json!({
            "mediaType": media_type,
            "digest": digest(&image.manifest),
            "size": image.manifest.len(),
            "platform": platform,
            "annotations": annotations,
        })
    };
    let of_family = |entries: &[Value]| {
        String::from_utf8(index(entries))
            .unwrap()
            .replace(crate::support::image::OCI_INDEX, index_type)
            .into_bytes()
    };
    let inner = of_family(&[
        entry(
            json!({"os": "unknown", "architecture": "unknown"}),
            json!({"vnd.docker.reference.type": "attestation-manifest"}),
        ),
        entry(json!({"os": "linux", "architecture": "amd64"}), json!({})),
    ]);
    let outer = of_family(&[json!({
        "mediaType": index_type,
        "digest": digest(&inner),
        "size": inner.len(),
    })]);
    registry.put_manifest(repository, "index", index_type, &inner);
    registry.put_manifest(repository, "nested", index_type, &outer);
}
