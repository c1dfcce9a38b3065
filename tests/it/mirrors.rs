//! Mirrors: asked first, for digests only, and never believed.

use std::fs;

use crate::layer::to_file;
use crate::support::hocker::{Run, hocker};
use crate::support::image::{blob_answer, blob_path, small};
use crate::support::scripted_registry::{Answer, Registry, get};

/// What a mirror answers, given the right bytes and wrong ones.
type Script = fn(&[u8], &[u8]) -> Answer;

/// Fetches the layer of the small image, with a mirror for its registry.
fn fetch(registry: &Registry, mirror: &str, directory: &std::path::Path) -> Run {
    let mirror = format!("{}={mirror}", registry.name());
    to_file(registry, &small().layers[0], directory).arguments(["--mirror", &mirror])
}

#[test]
fn what_a_mirror_has_is_not_asked_of_the_registry() {
    let layer = small().layers[0].clone();
    let directory = tempfile::tempdir().unwrap();
    // The registry expects nothing; a request would fail the test.
    let registry = Registry::start();
    let mirror = Registry::start();
    mirror.on(
        get(blob_path("app", &layer.digest())).without("Authorization"),
        blob_answer(&layer.blob),
    );
    fetch(&registry, &mirror.at(""), directory.path())
        .arguments(["--username", "ann", "--password", "s3cret"])
        .run()
        .done();
    assert_eq!(
        fs::read(directory.path().join("layer")).unwrap(),
        layer.blob
    );
}

#[test]
fn what_a_mirror_lacks_breaks_or_falsifies_comes_from_the_registry() {
    let layer = small().layers[0].clone();
    let mut wrong = layer.blob.clone();
    wrong[10] ^= 1;
    let answers: [Script; 6] = [
        |_, _| Answer::status(404),
        |_, _| Answer::status(503),
        |_, wrong| blob_answer(wrong),
        |right, _| blob_answer(&right[..20]),
        |_, _| blob_answer(b"<html>Welcome</html>"),
        |_, _| Answer::challenge("Basic realm=\"mirror\""),
    ];
    for answer in answers {
        let directory = tempfile::tempdir().unwrap();
        let registry = Registry::start();
        let mirror = Registry::start();
        let path = blob_path("app", &layer.digest());
        mirror.on(get(path.clone()).repeatedly(), answer(&layer.blob, &wrong));
        registry.on(get(path), blob_answer(&layer.blob));
        fetch(&registry, &mirror.at(""), directory.path())
            .run()
            .done();
        assert_eq!(
            fs::read(directory.path().join("layer")).unwrap(),
            layer.blob
        );
    }
}

#[test]
fn tags_are_asked_of_the_registry_and_digests_of_the_mirror() {
    let image = small();
    let registry = Registry::start();
    let mirror = Registry::start();
    registry.on(get("/v2/app/manifests/1"), image.manifest_answer());
    let digest = image.digest();
    mirror.on(
        get(format!("/v2/app/manifests/{digest}")),
        image.manifest_answer(),
    );
    for reference in ["app:1".to_owned(), format!("app@{digest}")] {
        hocker(["manifest", &format!("{}/{reference}", registry.name())])
            .env(
                "HOCKER_MIRRORS",
                format!("{}={}", registry.name(), mirror.at("")),
            )
            .run()
            .done();
    }
}

#[test]
fn the_mirror_of_another_registry_is_not_asked() {
    let layer = small().layers[0].clone();
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::start();
    let mirror = Registry::start();
    registry.on(
        get(blob_path("app", &layer.digest())),
        blob_answer(&layer.blob),
    );
    to_file(&registry, &layer, directory.path())
        .arguments(["--mirror", &format!("docker.io={}", mirror.at(""))])
        .run()
        .done();
}
