//! Bodies of the wrong length or content, and connections that end in the middle.

use super::{FROM_BLOB, FROM_MANIFEST, blobs, command, each_command_fails};
use crate::support::files::listing;
use crate::support::image::{Family, Image, Layer, Packing, blob_answer};
use crate::support::scripted_registry::{Answer, Registry, get};

#[test]
fn a_truncated_body_is_unavailable() {
    each_command_fails(&FROM_BLOB, 6, "sha256:", |registry, image| {
        blobs(registry, image, |blob| {
            blob_answer(blob).close_after(blob.len() / 2)
        });
    });
    each_command_fails(&FROM_MANIFEST, 6, "team/app", |registry, image| {
        registry.on(
            get("/v2/team/app/manifests/1").repeatedly(),
            image.manifest_answer().close_after(10),
        );
    });
}

#[test]
fn a_connection_that_is_reset_or_closed_is_unavailable() {
    each_command_fails(&FROM_BLOB, 6, "sha256:", |registry, image| {
        blobs(registry, image, |blob| {
            blob_answer(blob).reset_after(blob.len() / 2)
        });
    });
    each_command_fails(&FROM_BLOB, 6, "sha256:", |registry, image| {
        blobs(registry, image, |_| Answer::close_before_head());
    });
}

#[test]
fn one_wrong_byte_breaks_integrity() {
    each_command_fails(&FROM_BLOB, 5, "sha256:", |registry, image| {
        blobs(registry, image, |blob| {
            let mut wrong = blob.to_vec();
            let middle = wrong.len() / 2;
            wrong[middle] ^= 0x20;
            blob_answer(&wrong)
        });
    });
}

#[test]
fn too_long_a_body_breaks_integrity() {
    for framing in [
        |answer: Answer| answer,
        |answer: Answer| answer.chunked(),
        |answer: Answer| answer.until_close(),
    ] {
        each_command_fails(&["config", "image"], 5, "sha256:", |registry, image| {
            blobs(registry, image, |blob| {
                let mut longer = blob.to_vec();
                longer.extend([0; 100]);
                framing(blob_answer(&longer))
            });
        });
    }
}

#[test]
fn a_body_that_never_ends_is_cut_off_at_the_size_that_is_known() {
    // 64 GiB would take longer than the test may: it ends only if the program stops to listen.
    each_command_fails(&["config", "image"], 5, "sha256:", |registry, image| {
        blobs(registry, image, |_| {
            Answer::repeated(vec![0; 1 << 20], 64 << 10).chunked()
        });
    });
}

#[test]
fn a_shorter_body_in_good_order_breaks_integrity() {
    each_command_fails(&["config", "image"], 5, "sha256:", |registry, image| {
        blobs(registry, image, |blob| blob_answer(&blob[..blob.len() - 1]));
    });
}

#[test]
fn a_layer_that_does_not_decompress_breaks_integrity() {
    let mut layer = Layer::of_files(Packing::Gzip, &[("x", &[1; 1000])]);
    for blob in [
        b"no gzip at all".to_vec(),
        layer.blob[..layer.blob.len() - 5].to_vec(),
    ] {
        layer.blob = blob;
        let image = Image::new(Family::Docker, &["/x"], vec![layer.clone()]);
        let registry = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        blobs(&registry, &image, blob_answer);
        command("image", &registry, &image, directory.path(), "out")
            .run()
            .failed(5);
        assert!(listing(directory.path()).is_empty());
    }
}
