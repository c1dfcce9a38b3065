//! Memory does not grow with what passes through.

use std::fs;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::machine::nix::static_hocker;
use crate::machine::program;
use crate::support::image::{blob_path, hex_of};
use crate::support::scripted_registry::{Answer, Registry, get};

const CHUNK: usize = 1 << 20;
const CHUNKS: u64 = 1 << 10;
const LIMIT_KIB: u64 = 32 << 10;

#[test]
fn a_layer_of_1_gib_takes_less_than_32_mib() {
    let chunk: Vec<u8> = (0..CHUNK)
        .map(|n| u8::try_from((n * 31 + n / 251) % 256).unwrap())
        .collect();
    let mut hash = Sha256::new();
    for _ in 0..CHUNKS {
        hash.update(&chunk);
    }
    let digest = format!("sha256:{}", hex_of(&hash.finalize()));
    let size = CHUNK as u64 * CHUNKS;
    let config = format!("sha256:{}", "0".repeat(64));
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{digest}","size":{size}}}]}}"#
    );
    let registry = Registry::start();
    registry.on(
        get("/v2/app/manifests/1").perhaps(),
        Answer::ok(manifest).header("Content-Type", "application/vnd.oci.image.manifest.v1+json"),
    );
    // Repeatedly: on a slow machine further connections may ask for parts, and learn that there are none.
    registry.on(
        get(blob_path("app", &digest)).repeatedly(),
        Answer::repeated(chunk, CHUNKS),
    );
    let directory = tempfile::tempdir().unwrap();
    let (layer, report) = (
        directory.path().join("layer"),
        directory.path().join("report"),
    );
    program::run(
        Command::new("time")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", directory.path())
            .args(["--format", "%M", "--output"])
            .arg(&report)
            .arg(static_hocker())
            .args(["layer", "--layer", &digest, "--out"])
            .arg(&layer)
            .arg(format!("{}/app:1", registry.name())),
    );
    assert_eq!(fs::metadata(&layer).unwrap().len(), size);
    let peak: u64 = fs::read_to_string(report).unwrap().trim().parse().unwrap();
    assert!(peak < LIMIT_KIB, "the peak was {peak} KiB");
}
