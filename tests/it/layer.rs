//! `hocker layer`: one layer's blob, as the registry has it.

use std::fs;
use std::path::Path;

use crate::support::files::listing;
use crate::support::hocker::{Run, hocker};
use crate::support::image::{Family, Image, Layer, Packing, blob_answer, blob_path, small};
use crate::support::scripted_registry::{Answer, Registry, get};

/// `hocker layer` of the image `app:1`, to the file `layer`.
pub(crate) fn to_file(registry: &Registry, layer: &Layer, directory: &Path) -> Run {
    let reference = format!("{}/app:1", registry.name());
    let digest = layer.digest();
    hocker(["layer", "--layer", &digest, "--out", "layer", &reference]).in_directory(directory)
}

#[test]
fn writes_the_blob_of_either_way_to_name_it() {
    let image = small();
    let layer = &image.layers[1];
    for name in [layer.hex(), layer.digest()] {
        let registry = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        // A layer that is named by its digest needs no manifest, but one may be asked for its size.
        registry.on(
            get("/v2/app/manifests/1").perhaps(),
            image.manifest_answer(),
        );
        registry.on(
            get(blob_path("app", &layer.digest())),
            blob_answer(&layer.blob),
        );
        let reference = format!("{}/app:1", registry.name());
        hocker([
            "layer",
            "--layer",
            &name,
            "--out",
            "layer.tar.gz",
            &reference,
        ])
        .in_directory(directory.path())
        .run()
        .done();
        assert_eq!(
            fs::read(directory.path().join("layer.tar.gz")).unwrap(),
            layer.blob
        );
        assert_eq!(listing(directory.path()).len(), 1, "nothing else is there");
    }
}

#[test]
fn a_layer_of_any_compression_is_kept_as_it_is() {
    for packing in [Packing::GzipMembers, Packing::Zstd, Packing::Plain] {
        let registry = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        let layer = Layer::of_files(packing, &[("x", &[1; 10_000])]);
        let image = Image::new(Family::Oci, &["/x"], vec![layer.clone()]);
        registry.on(
            get("/v2/app/manifests/1").perhaps(),
            image.manifest_answer(),
        );
        image.serve_layers(&registry, "app");
        to_file(&registry, &layer, directory.path()).run().done();
        assert_eq!(
            fs::read(directory.path().join("layer")).unwrap(),
            layer.blob,
            "{packing:?}"
        );
    }
}

#[test]
fn streams_to_standard_output_on_request() {
    let registry = Registry::start();
    let image = small();
    let layer = &image.layers[0];
    registry.on(
        get("/v2/app/manifests/1").perhaps(),
        image.manifest_answer(),
    );
    registry.on(
        get(blob_path("app", &layer.digest())),
        blob_answer(&layer.blob),
    );
    let reference = format!("{}/app:1", registry.name());
    let outcome = hocker(["layer", "--layer", &layer.hex(), "--out", "-", &reference])
        .run()
        .done();
    assert_eq!(outcome.stdout, layer.blob);
}

#[test]
fn more_than_the_size_or_the_limit_is_not_taken() {
    let layer = &small().layers[0];
    let size = layer.blob.len().to_string();
    let beyond = "17179869185";
    for (arguments, answer, code, says) in [
        (
            &["--size", &size][..],
            Answer::repeated(vec![0; 64 << 10], 1 << 20).chunked(),
            5,
            " bytes, got more",
        ),
        (
            &["--size", "5"],
            blob_answer(&layer.blob),
            5,
            "expected 5 bytes, got more",
        ),
        (
            &[],
            Answer::ok(vec![0; 100]).content_length(beyond.parse().unwrap()),
            7,
            "the limit for content of unknown size",
        ),
        (
            &[],
            Answer::ok(vec![0; 100]).content_length(beyond.parse().unwrap()),
            7,
            "hint: give the size from the image's manifest with --size",
        ),
        (
            &["--size", beyond],
            Answer::error(404, "BLOB_UNKNOWN"),
            3,
            "404",
        ),
    ] {
        let registry = Registry::start();
        registry.on(get(blob_path("app", &layer.digest())), answer);
        let reference = format!("{}/app:1", registry.name());
        hocker(["layer", "--layer", &layer.hex(), "--out", "-", &reference])
            .arguments(arguments)
            .run()
            .failed(code)
            .says(says);
        let sent = registry.body_bytes();
        assert!(sent < 32 << 20, "{sent} bytes were sent");
    }
    hocker(["layer", "--layer", &layer.hex(), "--size", "1e3", "app"])
        .run()
        .failed(2);
}

#[test]
fn what_is_no_digest_is_a_usage_error_and_nothing_is_asked() {
    let registry = Registry::start();
    for digest in ["", "abc", "sha256:xyz", "../../etc/passwd", "md5:00"] {
        let reference = format!("{}/app:1", registry.name());
        hocker(["layer", "--layer", digest, "--out", "layer", &reference])
            .run()
            .failed(2);
    }
}
