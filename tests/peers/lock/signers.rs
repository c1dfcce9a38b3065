//! Signatures in real registries: docker-registry, which lists no referrers, and `hocker serve`, which does.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::fleet::lock;
use crate::machine::docker_registry::DockerRegistry;
use crate::machine::pusher::Pusher;
use crate::support::image::{
    Family, Image, Layer, OCI_INDEX, Packing, digest, hex, index as index_of,
};
use crate::support::serving::Serving;
use crate::support::sigstore::{
    GITHUB, SIGN, Signer, Sigstore, bundle_manifest, referrers, simple_manifest, statement,
    unlogged, unlogged_bundle,
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image for two platforms.
fn images() -> Vec<Image> {
    let platforms = ["amd64", "arm64"];
    let image = |architecture: &&str| {
        let platform = json!({"os": "linux", "architecture": architecture});
        let layer = Layer::of_files(Packing::Gzip, &[("file", architecture.as_bytes())]);
        Image::for_platform(Family::Oci, &platform, &["/file"], vec![layer])
    };
    platforms.iter().map(image).collect()
}

/// Writes what the arguments of commands name.
fn prepare(directory: &Path, sigstore: &Sigstore, key: &Signer) {
    let write = |name: &str, text: String| fs::write(directory.join(name), text).unwrap();
    write("cosign.pub", key.public_key());
    write("root.json", sigstore.trusted_root().to_string());
}

#[test]
fn docker_registry_has_signatures_under_tags_which_are_verified_when_it_is_gone() {
    let (sigstore, key) = (Sigstore::new(), Signer::with_key());
    let workflow = sigstore.workflow();
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    prepare(place, &sigstore, &key);
    let registry = DockerRegistry::start();
    let mut pusher = Pusher::to(registry.port());
    let images = images();
    let mut put =
        |repository: &str, reference: &str, (manifest, blobs): &(Vec<u8>, Vec<Vec<u8>>)| {
            for blob in blobs {
                pusher.blob(repository, blob, None);
            }
            pusher.manifest(repository, reference, MANIFEST, manifest);
        };

    // The forms of cosign before and since version 3.
    let subject = digest(&index_of(
        &images.iter().map(Image::descriptor).collect::<Vec<_>>(),
    ));
    let tag = subject.replace(':', "-");
    let simple = [
        sigstore.simple(&workflow, &subject),
        unlogged(&key, &subject),
    ];
    put("team/old", &format!("{tag}.sig"), &simple_manifest(&simple));
    let about = json!({"mediaType": OCI_INDEX, "digest": subject, "size": 1});
    let bundles = [
        sigstore.bundle(&workflow, &statement(SIGN, &subject)),
        unlogged_bundle(&key, &statement(SIGN, &subject)),
    ]
    .map(|bundle| bundle_manifest(&bundle, &about));
    for bundle in &bundles {
        put("team/new", &digest(&bundle.0), bundle);
    }
    let listed = referrers(&bundles.each_ref().map(|bundle| bundle.0.as_slice()));
    pusher.manifest("team/new", &tag, OCI_INDEX, &listed);
    for repository in ["team/old", "team/new"] {
        let indexed = pusher.push_index(repository, "1", &images, repository);
        assert_eq!(indexed, subject);
    }
    for repository in ["team/old", "team/new"] {
        let reference = format!("{}/{repository}:1", registry.name());
        let name = repository.replace('/', "-");
        let by_key = format!("{name}-by-key={reference}");
        lock(place, &["add", "--key", "cosign.pub", &by_key])
            .run()
            .done();
        let by_workflow = format!("{name}-by-workflow={reference}");
        let identity = "https://github.com/team/app/*";
        let signer = ["add", "--signed-by", identity, "--issuer", GITHUB];
        let root = ["--trusted-root", "root.json", &by_workflow];
        lock(place, &[&signer[..], &root[..]].concat()).run().done();
    }
    // Nothing that has not moved costs more than before.
    let asked = registry.accesses().len();
    lock(place, &["update"])
        .run()
        .done()
        .says("0 changed, 4 unchanged");
    assert_eq!(registry.accesses().len(), asked + 4);
    drop(registry);

    let outcome = lock(place, &["verify", "--json"]).run().done();
    let outcome: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    let verified = outcome["verified"].as_array().unwrap();
    assert_eq!(verified.len(), 4);
    assert!(verified.iter().all(|one| one["digest"] == *subject));
}

#[test]
fn hocker_serve_lists_bundles_as_referrers() {
    let (sigstore, key) = (Sigstore::new(), Signer::with_key());
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    prepare(place, &sigstore, &key);
    let layout = place.join("layout");
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let keep = |bytes: &[u8]| fs::write(blobs.join(hex(bytes)), bytes).unwrap();
    let images = images();
    for image in &images {
        keep(&image.manifest);
        keep(&image.config);
        keep(&image.layers[0].blob);
    }
    let index = index_of(&images.iter().map(Image::descriptor).collect::<Vec<_>>());
    keep(&index);
    let mut about = json!({"mediaType": OCI_INDEX, "digest": digest(&index), "size": index.len()});
    let bundle = unlogged_bundle(&key, &statement(SIGN, &digest(&index)));
    let (manifest, parts) = bundle_manifest(&bundle, &about);
    keep(&manifest);
    for part in &parts {
        keep(part);
    }
    about["annotations"] = json!({
        "io.containerd.image.name": "registry.example.com/team/app:1",
        "org.opencontainers.image.ref.name": "1",
    });
    let referrer =
        json!({"mediaType": MANIFEST, "digest": digest(&manifest), "size": manifest.len()});
    fs::write(
        layout.join("oci-layout"),
        r#"{"imageLayoutVersion": "1.0.0"}"#,
    )
    .unwrap();
    fs::write(layout.join("index.json"), index_of(&[about, referrer])).unwrap();

    let serving = Serving::start([&layout]);
    let reference = format!("{}/team/app:1", serving.name());
    lock(place, &["add", "--key", "cosign.pub", &reference])
        .run()
        .done();
    serving.stop().done();
    lock(place, &["verify"]).run().done();
    fs::write(place.join("cosign.pub"), Signer::with_key().public_key()).unwrap();
    lock(place, &["verify"]).run().done();
}
