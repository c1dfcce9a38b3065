//! How much a build takes: a server that sends without end is left as soon as more has come than the manifest says, or
//! than the limit is where no manifest is at hand.

use std::fs;

use crate::machine::nix::Nix;
use crate::machine::program;
use crate::support::hocker::hocker;
use crate::support::image::{Layer, blob_answer, blob_path, small};
use crate::support::scripted_registry::{Answer, Registry, get};

/// Far more than any buffer on the way holds, and the limit for configurations with it.
const BEARABLE: u64 = 32 << 20;

/// A body of 64 GiB whose length is not said.
fn endless() -> Answer {
    Answer::repeated(vec![0; 64 << 10], 1 << 20).chunked()
}

/// A registry that sends zeros without end for these blobs.
fn flood(digests: impl IntoIterator<Item = String>) -> Registry {
    let registry = Registry::start();
    for digest in digests {
        registry.on(get(blob_path("app", &digest)).perhaps(), endless());
    }
    registry
}

/// Builds against it, and demands that it ends with little.
#[track_caller]
fn is_cut(nix: &Nix, registry: &Registry, body: &str, says: &str) {
    let output = nix.build_with(body, &[], &[("HOCKER_RETRIES", "0")]);
    let told = program::told(&output);
    assert!(!output.status.success(), "{told}");
    assert!(told.contains(says), "no {says:?} in {told}");
    let sent = registry.body_bytes();
    assert!(sent < BEARABLE, "{sent} bytes were sent\n{told}");
}

#[test]
fn an_endless_answer_is_cut_at_the_size_that_the_manifest_says() {
    let image = small();
    let manifest = String::from_utf8(image.manifest.clone()).unwrap();
    for by_lock in [false, true] {
        let registry = flood(image.layers.iter().map(Layer::digest));
        registry
            .on(
                get("/v2/app/manifests/1").perhaps(),
                image.manifest_answer(),
            )
            .on(
                get(blob_path("app", &image.config_digest())).perhaps(),
                blob_answer(&image.config),
            );
        let nix = Nix::new();
        let reference = format!("{}/app:1", registry.name());
        let body = if by_lock {
            hocker(["lock", "add", "--platform", "linux/amd64", &reference])
                .in_directory(nix.directory())
                .run()
                .done();
            format!(
                "(hocker.importLock {{ lockFile = {}/docker-images.lock.json; platform = \"linux/amd64\"; }}).app",
                nix.directory().display()
            )
        } else {
            let file = nix.directory().join("manifest.json");
            fs::write(&file, &manifest).unwrap();
            format!(
                "hocker.fetchdocker {{ image = {reference:?}; imageManifest = {}; }}",
                file.display()
            )
        };
        is_cut(&nix, &registry, &body, " bytes, got more");
    }
}

#[test]
fn an_endless_answer_is_cut_at_a_limit_where_no_manifest_is_at_hand() {
    let image = small();
    let registry = flood([image.config_digest()]);
    let nix = Nix::new();
    let place = format!(
        "registry = {:?}; repository = \"\"; imageName = \"app\";",
        registry.url()
    );
    let config = image.config_digest();
    let (_, hex) = config.split_once(':').unwrap();
    let body = format!("hocker.fetchDockerConfig {{ {place} tag = \"1\"; sha256 = {hex:?}; }}");
    let limit = "is longer than 4194304 bytes, the limit for content of unknown size";
    is_cut(&nix, &registry, &body, limit);
    // A layer's limit is too far away to wait for it. One that is announced is not even begun.
    let layer = &image.layers[0];
    let registry = Registry::start();
    registry.on(
        get(blob_path("app", &layer.digest())),
        Answer::ok(vec![0; 1 << 20]).content_length((16 << 30) + 1),
    );
    let body = format!(
        "hocker.fetchDockerLayer {{ registry = {:?}; repository = \"\"; imageName = \"app\"; sha256 = {:?}; }}",
        registry.url(),
        layer.hex()
    );
    let limit = "is longer than 17179869184 bytes, the limit for content of unknown size";
    is_cut(&nix, &registry, &body, limit);
}
