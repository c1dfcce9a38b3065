//! Interrupts: they leave nothing behind.

use std::fs;

use super::{FROM_BLOB, blobs, command};
use crate::support::files::listing;
use crate::support::hocker::{Outcome, hocker};
use crate::support::image::{blob_answer, small};
use crate::support::scripted_registry::{Answer, Registry};

fn interrupted(name: &str, answer: impl Fn(&[u8]) -> Answer) -> Outcome {
    let registry = Registry::start();
    let image = small();
    let directory = tempfile::tempdir().unwrap();
    blobs(&registry, &image, answer);
    let running = command(name, &registry, &image, directory.path(), "out").start();
    registry.wait_for_stall();
    running.interrupt();
    let outcome = running.finish();
    assert!(
        listing(directory.path()).is_empty(),
        "{name}: left behind {:?}",
        listing(directory.path()).keys()
    );
    outcome
}

#[test]
fn an_interrupt_in_the_middle_of_a_body_leaves_nothing_behind() {
    for name in FROM_BLOB {
        for count in [0, 10, 50] {
            let outcome = interrupted(name, |blob| blob_answer(blob).stall_after(count));
            assert_eq!(outcome.code, Some(130), "{name} {count}: {outcome}");
        }
    }
}

#[test]
fn an_interrupt_ends_what_waits_for_standard_input() {
    let (reader, writer) = std::io::pipe().unwrap();
    let running = hocker(["docker2nix", "library/debian", "jessie"])
        .stdin_from(reader)
        .start();
    running.wait_until_it_listens();
    running.interrupt();
    let outcome = running.finish();
    drop(writer);
    assert_eq!(outcome.code, Some(130), "{outcome}");
}

#[test]
fn an_interrupt_ends_what_waits_for_a_full_pipe() {
    let directory = tempfile::tempdir().unwrap();
    let image = small();
    let layer = directory.path().join("layer");
    let size = 1 << 20;
    fs::File::create(&layer).unwrap().set_len(size).unwrap();
    let config = directory.path().join("config");
    fs::write(&config, &image.config).unwrap();
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": crate::support::image::digest(&image.config),
            "size": image.config.len(),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": crate::support::image::digest(b""),
            "size": size,
        }],
    });
    let script = directory.path().join("compositeImage.sh");
    let description = serde_json::json!({
        "repoTags": ["app:1"],
        "reference": "docker.io/library/app:1",
        "tag": "1",
        "manifest": manifest.to_string(),
        "config": config,
        "layers": [layer],
    });
    fs::write(&script, description.to_string()).unwrap();
    // Nobody reads, so that the pipe fills up.
    let (reader, writer) = std::io::pipe().unwrap();
    let running = hocker(["composite", script.to_str().unwrap()])
        .stdout_to(writer)
        .start();
    running.wait_until_it_listens();
    running.interrupt();
    let outcome = running.finish();
    drop(reader);
    assert_eq!(outcome.code, Some(130), "{outcome}");
}

#[test]
fn an_interrupt_ends_a_server_that_is_still_hashing() {
    let directory = tempfile::tempdir().unwrap();
    let layout = directory.path().join("layout");
    let mut image = small();
    let mut manifest: serde_json::Value = serde_json::from_slice(&image.manifest).unwrap();
    // Without a block on the disk, and longer than anybody would wait for.
    let size = 1_u64 << 40;
    manifest["layers"][0]["size"] = size.into();
    image.manifest = manifest.to_string().into_bytes();
    image.write_layout(&layout, "1");
    let large = directory.path().join("large");
    fs::File::create(&large).unwrap().set_len(size).unwrap();
    let blob = layout.join("blobs/sha256").join(image.layers[0].hex());
    fs::remove_file(&blob).unwrap();
    std::os::unix::fs::symlink(&large, &blob).unwrap();
    let running = hocker(["serve", "--listen=127.0.0.1:0"])
        .arguments([&layout])
        .start();
    running.wait_until_it_listens();
    running.interrupt();
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    assert!(outcome.stdout.is_empty(), "{outcome}");
}
