//! `hocker config`: the image configuration, exactly as the registry has it.

use crate::support::hocker::hocker;
use crate::support::image::{blob_answer, blob_path, small};
use crate::support::scripted_registry::{Registry, get};

#[test]
fn prints_the_exact_bytes() {
    let registry = Registry::start();
    let image = small();
    image.serve_manifest(&registry, "team/app", "1");
    image.serve_config(&registry, "team/app");
    let outcome = hocker(["config", &format!("{}/team/app:1", registry.name())])
        .run()
        .done();
    assert_eq!(outcome.stdout, image.config);
}

#[test]
fn writes_to_a_file() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let image = small();
    image.serve_manifest(&registry, "app", "1");
    image.serve_config(&registry, "app");
    let reference = format!("{}/app:1", registry.name());
    hocker(["config", "--out", "config.json", &reference])
        .in_directory(directory.path())
        .run()
        .done();
    let written = std::fs::read(directory.path().join("config.json")).unwrap();
    assert_eq!(written, image.config);
}

#[test]
fn refuses_other_bytes_than_the_manifest_names() {
    let image = small();
    let mut wrong = image.config.clone();
    wrong[10] ^= 1;
    let mut longer = image.config.clone();
    longer.push(b' ');
    for (what, body) in [("one wrong byte", wrong), ("one byte more", longer)] {
        let registry = Registry::start();
        image.serve_manifest(&registry, "app", "1");
        registry.on(
            get(blob_path("app", &image.config_digest())).repeatedly(),
            blob_answer(&body),
        );
        let outcome = hocker(["config", &format!("{}/app:1", registry.name())])
            .run()
            .failed(5);
        assert!(outcome.stdout.is_empty(), "{what}: {outcome}");
    }
}
