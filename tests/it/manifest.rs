//! `hocker manifest`: the registry's exact bytes, of an index's entry for one platform or of the index itself.

use serde_json::json;

use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing, index, index_answer, small};
use crate::support::scripted_registry::{Answer, Registry, get};

#[test]
fn prints_the_exact_bytes() {
    let registry = Registry::start();
    let image = small();
    image.serve_manifest(&registry, "team/app", "1");
    let outcome = hocker(["manifest", &format!("{}/team/app:1", registry.name())])
        .run()
        .done();
    assert_eq!(outcome.stdout, image.manifest);
    assert_eq!(registry.requests().len(), 1, "one request is enough");
}

#[test]
fn the_tag_may_stand_apart_and_the_registry_be_a_url() {
    let registry = Registry::start();
    let image = small();
    image.serve_manifest(&registry, "a/b/c", "v1.0_x");
    let outcome = hocker(["manifest", "a/b/c", "v1.0_x", "--registry", &registry.url()])
        .run()
        .done();
    assert_eq!(outcome.stdout, image.manifest);
}

#[test]
fn a_missing_tag_means_latest() {
    let registry = Registry::start();
    let image = small();
    image.serve_manifest(&registry, "app", "latest");
    let outcome = hocker(["manifest", &format!("{}/app", registry.name())])
        .run()
        .done();
    assert_eq!(outcome.stdout, image.manifest);
}

#[test]
fn a_digest_is_asked_for_and_held() {
    let registry = Registry::start();
    let image = small();
    image.serve_manifest(&registry, "app", &image.digest());
    let reference = format!("{}/app:ignored@{}", registry.name(), image.digest());
    let outcome = hocker(["manifest", &reference]).run().done();
    assert_eq!(outcome.stdout, image.manifest);
}

#[test]
fn refuses_another_manifest_than_the_digest_names() {
    let registry = Registry::start();
    let (image, other) = (small(), Image::new(Family::Oci, &["/x"], Vec::new()));
    registry.on(
        get(format!("/v2/app/manifests/{}", image.digest())).repeatedly(),
        other.manifest_answer(),
    );
    hocker([
        "manifest",
        &format!("{}/app@{}", registry.name(), image.digest()),
    ])
    .run()
    .failed(5)
    .says(&image.digest());
}

#[test]
fn writes_to_a_file() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let image = small();
    image.serve_manifest(&registry, "app", "1");
    let reference = format!("{}/app:1", registry.name());
    hocker(["manifest", "--out", "manifest.json", &reference])
        .in_directory(directory.path())
        .run()
        .done();
    let written = std::fs::read(directory.path().join("manifest.json")).unwrap();
    assert_eq!(written, image.manifest);
}

/// Images for several platforms; each has another command, so that each has another digest.
fn platforms() -> Vec<(&'static str, Image)> {
    [
        (
            "linux/amd64",
            json!({"os": "linux", "architecture": "amd64"}),
        ),
        (
            "linux/arm64",
            json!({"os": "linux", "architecture": "arm64", "variant": "v8"}),
        ),
        (
            "linux/arm/v6",
            json!({"os": "linux", "architecture": "arm", "variant": "v6"}),
        ),
        (
            "linux/arm/v5",
            json!({"os": "linux", "architecture": "arm", "variant": "v5"}),
        ),
        (
            "windows/amd64",
            json!({"os": "windows", "architecture": "amd64"}),
        ),
    ]
    .into_iter()
    .map(|(name, platform)| {
        let layers = vec![Layer::of_files(Packing::Gzip, &[("name", name.as_bytes())])];
        let image = Image::for_platform(Family::Oci, &platform, &[name], layers);
        (name, image)
    })
    .collect()
}

fn index_of(platforms: &[(&str, Image)]) -> Vec<u8> {
    let mut entries: Vec<_> = platforms
        .iter()
        .map(|(_, image)| image.descriptor())
        .collect();
    // Attestations, as buildx adds them, are nobody's platform.
    let mut attestation = small().descriptor();
    attestation["platform"] = json!({"os": "unknown", "architecture": "unknown"});
    attestation["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    entries.insert(0, attestation);
    index(&entries)
}

#[test]
fn of_an_index_the_entry_for_the_platform_is_taken() {
    for (asked, taken) in [
        ("linux/amd64", "linux/amd64"),
        ("linux/arm64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm/v7", "linux/arm/v6"),
        ("linux/arm/v5", "linux/arm/v5"),
        ("windows/amd64", "windows/amd64"),
    ] {
        let registry = Registry::start();
        let platforms = platforms();
        let (_, image) = platforms.iter().find(|(name, _)| *name == taken).unwrap();
        registry.on(
            get("/v2/app/manifests/1"),
            index_answer(&index_of(&platforms)),
        );
        image.serve_manifest(&registry, "app", &image.digest());
        let reference = format!("{}/app:1", registry.name());
        let outcome = hocker(["manifest", "--platform", asked, &reference])
            .run()
            .done();
        assert_eq!(outcome.stdout, image.manifest, "{asked}");
    }
}

#[test]
fn the_machines_own_platform_is_the_default() {
    let registry = Registry::start();
    let own = json!({"os": "linux", "architecture": match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }});
    let image = Image::for_platform(Family::Oci, &own, &["/own"], Vec::new());
    let strange = json!({"os": "linux", "architecture": "m68k"});
    let other = Image::for_platform(Family::Oci, &strange, &["/other"], Vec::new());
    registry.on(
        get("/v2/app/manifests/1"),
        index_answer(&index(&[other.descriptor(), image.descriptor()])),
    );
    image.serve_manifest(&registry, "app", &image.digest());
    let outcome = hocker(["manifest", &format!("{}/app:1", registry.name())])
        .run()
        .done();
    assert_eq!(outcome.stdout, image.manifest);
}

#[test]
fn a_platform_that_an_index_lacks_is_not_found_and_the_others_are_named() {
    let registry = Registry::start();
    registry.on(
        get("/v2/app/manifests/1"),
        index_answer(&index_of(&platforms())),
    );
    let reference = format!("{}/app:1", registry.name());
    hocker(["manifest", "--platform", "linux/s390x", &reference])
        .run()
        .failed(3)
        .says("linux/s390x")
        .says("linux/arm64");
}

#[test]
fn refuses_an_entry_whose_bytes_are_not_those_that_the_index_names() {
    let registry = Registry::start();
    let platforms = platforms();
    let image = &platforms[0].1;
    registry.on(
        get("/v2/app/manifests/1"),
        index_answer(&index_of(&platforms)),
    );
    registry.on(
        get(format!("/v2/app/manifests/{}", image.digest())).repeatedly(),
        platforms[1].1.manifest_answer(),
    );
    let reference = format!("{}/app:1", registry.name());
    let outcome = hocker(["manifest", "--platform", "linux/amd64", &reference])
        .run()
        .failed(5);
    assert!(outcome.stdout.is_empty(), "{outcome}");
}

#[test]
fn prints_the_index_itself_on_request() {
    let registry = Registry::start();
    let bytes = index_of(&platforms());
    registry.on(get("/v2/app/manifests/1"), index_answer(&bytes));
    let reference = format!("{}/app:1", registry.name());
    let outcome = hocker(["manifest", "--index", &reference]).run().done();
    assert_eq!(outcome.stdout, bytes);
}

#[test]
fn asks_for_both_families_of_manifests_and_indexes() {
    let registry = Registry::start();
    let image = small();
    image.serve_manifest(&registry, "app", "1");
    hocker(["manifest", &format!("{}/app:1", registry.name())])
        .run()
        .done();
    let accept = registry.requests()[0].header("accept").unwrap().to_owned();
    for media_type in [
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
    ] {
        assert!(accept.contains(media_type), "{accept}");
    }
}

#[test]
fn a_body_in_chunks_or_until_the_end_of_the_connection_is_a_body() {
    for answer in [
        |answer: Answer| answer.chunked(),
        |answer: Answer| answer.until_close(),
    ] {
        let registry = Registry::start();
        let image = small();
        registry.on(get("/v2/app/manifests/1"), answer(image.manifest_answer()));
        let outcome = hocker(["manifest", &format!("{}/app:1", registry.name())])
            .run()
            .done();
        assert_eq!(outcome.stdout, image.manifest);
    }
}
