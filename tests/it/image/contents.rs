//! The images of the world: whatever their digests, layers and indexes are like.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use super::{check_docker_archive, entries, run};
use crate::support::files::listing;
use crate::support::hocker::hocker;
use crate::support::image::{
    Family, Image, Layer, Packing, blob_answer, blob_path, digest, gzip, hex, hex_of, index,
    index_answer, index_entry, small,
};
use crate::support::scripted_registry::{Registry, get};

/// The image with a change in its manifest.
fn with_manifest(mut image: Image, change: impl FnOnce(&mut Value)) -> Image {
    let mut manifest: Value = serde_json::from_slice(&image.manifest).unwrap();
    change(&mut manifest);
    image.manifest = manifest.to_string().into_bytes();
    image
}

/// The archive of an image in a registry that holds these blobs.
fn archive(image: &Image, format: &str, blobs: &[(String, Vec<u8>)]) -> Vec<u8> {
    let registry = Registry::start();
    image.serve_manifest(&registry, "team/app", "1");
    for (digest, blob) in blobs {
        registry.on(get(blob_path("team/app", digest)), blob_answer(blob));
    }
    let reference = format!("{}/team/app:1", registry.name());
    hocker(["image", "--format", format, "--out", "-", &reference])
        .run()
        .done()
        .stdout
}

#[test]
fn blobs_may_be_named_by_sha512() {
    let sha512 = |bytes: &[u8]| format!("sha512:{}", hex_of(&Sha512::digest(bytes)));
    let image = small();
    let blobs: Vec<_> = std::iter::once(&image.config)
        .chain(image.layers.iter().map(|layer| &layer.blob))
        .map(|blob| (sha512(blob), blob.clone()))
        .collect();
    let image = with_manifest(image, |manifest| {
        manifest["config"]["digest"] = json!(blobs[0].0);
        manifest["layers"][0]["digest"] = json!(blobs[1].0);
        manifest["layers"][1]["digest"] = json!(blobs[2].0);
    });
    for format in ["docker-save", "oci-archive"] {
        let files: BTreeMap<_, _> = entries(&archive(&image, format, &blobs))
            .into_iter()
            .collect();
        for (digest, blob) in &blobs {
            let name = format!("blobs/{}", digest.replace(':', "/"));
            assert!(files[&name] == *blob, "{name}");
        }
    }
    let files: BTreeMap<_, _> = entries(&archive(&image, "docker-archive", &blobs))
        .into_iter()
        .collect();
    // The image id is a SHA-256, whatever the manifest says.
    assert!(files[&format!("{}.json", hex(&image.config))] == image.config);
    assert!(files[&format!("{}.tar", hex(&image.layers[0].tar))] == image.layers[0].tar);
}

#[test]
fn the_empty_layer_that_old_builders_repeat_is_a_layer() {
    // As Docker wrote it for every instruction that changed no file.
    let blob = [
        0x1f, 0x8b, 8, 0, 0, 9, 0x6e, 0x88, 0, 0xff, 0x62, 0x18, 5, 0xa3, 0x60, 0x14, 0x8c, 0x58,
        0, 8, 0, 0, 0xff, 0xff, 0x2e, 0xaf, 0xb5, 0xef, 0, 4, 0, 0,
    ];
    assert_eq!(
        digest(&blob),
        "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4"
    );
    let mut empty = Layer::of_tar(Packing::Gzip, vec![0; 1024]);
    empty.blob = blob.to_vec();
    let file = Layer::of_files(Packing::Gzip, &[("x", b"x")]);
    let layers = vec![empty.clone(), file, empty.clone(), empty];
    check_docker_archive(&Image::new(Family::Docker, &["/x"], layers));
}

#[test]
fn an_image_may_have_as_many_layers_as_docker_takes() {
    let layers = (0..127)
        .map(|number| Layer::of_files(Packing::Gzip, &[(&format!("{number}"), b"x")]))
        .collect();
    let image = Image::new(Family::Docker, &["/x"], layers);
    check_docker_archive(&image);
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    image.serve(&registry, "team/app", "1");
    let arguments = ["--format", "docker-save", "--out", "image.tar"];
    run(&registry, directory.path(), &arguments);
    let files = entries(&fs::read(directory.path().join("image.tar")).unwrap());
    assert_eq!(files.len(), 3 + 2 + 127);
}

#[test]
fn the_first_bytes_of_a_layer_count_and_not_its_media_type() {
    let layer = |packing| Layer::of_files(packing, &[("x", b"x")]);
    for packing in [
        Packing::Gzip,
        Packing::GzipMembers,
        Packing::Zstd,
        Packing::Plain,
    ] {
        for media_type in [
            "application/vnd.oci.image.layer.v1.tar",
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ] {
            let image = Image::new(Family::Oci, &["/x"], vec![layer(packing)]);
            check_docker_archive(&with_manifest(image, |manifest| {
                manifest["layers"][0]["mediaType"] = json!(media_type);
            }));
        }
    }
}

#[test]
fn a_zstd_layer_may_have_frames_to_skip_and_more_than_one_of_others() {
    let plain = Layer::of_files(Packing::Zstd, &[("x", &crate::support::image::noise(9000))]);
    let skippable = [0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
    let (start, end) = plain.tar.split_at(4000);
    let frame = |bytes: &[u8]| zstd::encode_all(bytes, 3).unwrap();
    let (start, end) = (frame(start), frame(end));
    for blob in [
        [&start[..], &end].concat(),
        [&skippable[..], &start, &skippable, &end, &skippable].concat(),
    ] {
        let mut layer = plain.clone();
        layer.blob = blob;
        check_docker_archive(&Image::new(Family::Oci, &["/x"], vec![layer]));
    }
}

#[test]
fn an_image_is_found_through_nested_indexes_past_attestations_and_by_the_nearest_variant() {
    let variant = |variant: &str| {
        let platform = json!({"os": "linux", "architecture": "arm", "variant": variant});
        let layer = Layer::of_files(Packing::Gzip, &[(variant, b"x")]);
        Image::for_platform(Family::Oci, &platform, &["/x"], vec![layer])
    };
    let (v5, v6) = (variant("v5"), variant("v6"));
    let mut attestation = small().descriptor();
    attestation["platform"] = json!({"os": "unknown", "architecture": "unknown"});
    attestation["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    let inner = index(&[attestation, v5.descriptor(), v6.descriptor()]);
    let outer = index(&[index_entry(&inner)]);
    let registry = Registry::start();
    registry.on(get("/v2/team/app/manifests/1"), index_answer(&outer));
    registry.on(
        get(format!("/v2/team/app/manifests/{}", digest(&inner))),
        index_answer(&inner),
    );
    v6.serve(&registry, "team/app", &v6.digest());
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--platform", "linux/arm/v7", "--out", "image.tar"];
    run(&registry, directory.path(), &arguments);
    let files = entries(&fs::read(directory.path().join("image.tar")).unwrap());
    let name = format!("{}.tar", hex(&v6.layers[0].tar));
    assert!(files.iter().any(|(file, _)| *file == name));
}

/// Demands that no format that decompresses takes an image of this blob, neither to a file nor to a pipe.
fn refused(blob: Vec<u8>, promised: &[u8], arguments: &[&str], reason: &str) {
    let mut layer = Layer::of_tar(Packing::Gzip, promised.to_vec());
    layer.blob = blob;
    let image = Image::new(Family::Docker, &["/x"], vec![layer]);
    for out in ["image.tar", "-"] {
        let registry = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        image.serve(&registry, "team/app", "1");
        let reference = format!("{}/team/app:1", registry.name());
        let outcome = hocker(["image", "--out", out, &reference])
            .arguments(arguments)
            .in_directory(directory.path())
            .env("TMPDIR", directory.path())
            .run()
            .failed(5)
            .says(reason);
        assert!(listing(directory.path()).is_empty());
        assert!(outcome.stdout.is_empty());
    }
}

#[test]
fn a_layer_that_expands_beyond_the_limit_is_refused() {
    let plain = vec![0; 4 << 20];
    let limit = ["--max-layer-size", "1M"];
    let reason = "the layer expands to more than 1048576 bytes";
    for blob in [
        gzip(&plain),
        zstd::encode_all(&plain[..], 3).unwrap(),
        plain.clone(),
    ] {
        refused(blob, &plain, &limit, reason);
    }
    // Exactly at the limit is not beyond it.
    let layer = Layer::of_tar(Packing::Gzip, plain.clone());
    let image = Image::new(Family::Docker, &["/x"], vec![layer]);
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    image.serve(&registry, "team/app", "1");
    let arguments = ["--max-layer-size", "4M", "--out", "image.tar"];
    run(&registry, directory.path(), &arguments);
}

#[test]
fn a_layer_that_ends_early_or_goes_on_is_refused() {
    let plain = small().layers[0].tar.clone();
    let whole = gzip(&plain);
    let zstd = zstd::encode_all(&plain[..], 3).unwrap();
    for early in [
        &whole[..whole.len() - 9],
        &whole[..20],
        &zstd[..zstd.len() - 3],
    ] {
        refused(early.to_vec(), &plain, &[], "cannot decompress the layer");
    }
    refused(plain[..1024].to_vec(), &plain, &[], "digest mismatch");
    refused(
        [&whole[..], &gzip(b"more")].concat(),
        &plain,
        &[],
        "digest mismatch",
    );
    refused(
        [&whole[..], b"rubbish"].concat(),
        &plain,
        &[],
        "cannot decompress the layer",
    );
}
