//! Images that a signer must have signed: `lock add`, `update` and `verify`, against a registry whose content changes.

mod adding; // which signatures prove an image, and which signer is kept
mod files; // the proofs beside the lock file
mod github; // attestations that are only in the API of GitHub
mod hostile; // entries that lie, and registries that send rubbish
mod updates; // an image that moves

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{Place, image, index_of, usual};
use crate::support::hocker::Outcome;
use crate::support::image::{Image, digest, index_answer};
use crate::support::scripted_registry::{Answer, Registry, get, head};
use crate::support::sigstore::{
    GITHUB, SIGN, Signer, Sigstore, Simple, WORKFLOW, bundle_manifest, referrers, simple_manifest,
    statement, unlogged, unlogged_bundle,
};

/// A registry with the repository `app`, whose content the test changes.
struct Store {
    registry: Registry,
    content: Arc<Mutex<BTreeMap<String, Answer>>>,
}

impl Store {
    fn new() -> Self {
        let registry = Registry::start();
        let content: Arc<Mutex<BTreeMap<String, Answer>>> = Arc::default();
        for expect in [get("/v2/"), head("/v2/")] {
            let content = Arc::clone(&content);
            registry.on_each(expect.and_below().perhaps(), move |request| {
                let found = content.lock().unwrap().get(request.path()).cloned();
                found.unwrap_or_else(|| Answer::error(404, "MANIFEST_UNKNOWN"))
            });
        }
        Self { registry, content }
    }

    fn put(&self, path: &str, answer: Answer) {
        let path = format!("/v2/app/{path}");
        self.content.lock().unwrap().insert(path, answer);
    }

    fn remove(&self, path: &str) {
        let path = format!("/v2/app/{path}");
        self.content.lock().unwrap().remove(&path).unwrap();
    }

    fn reference(&self) -> String {
        format!("{}/app:1", self.registry.name())
    }

    /// Moves the tag to an index of images, and returns its digest.
    fn push(&self, images: &[Image]) -> String {
        let index = index_of(images);
        let digest = digest(&index);
        let answer = index_answer(&index).header("Docker-Content-Digest", &digest);
        self.put(&format!("manifests/{digest}"), answer.clone());
        self.put("manifests/1", answer);
        for image in images {
            self.push_parts(image);
        }
        digest
    }

    fn push_parts(&self, image: &Image) {
        self.put(
            &format!("manifests/{}", image.digest()),
            image.manifest_answer(),
        );
        let config = Answer::ok(image.config.clone());
        self.put(&format!("blobs/{}", image.config_digest()), config);
    }

    /// Puts a manifest under a tag or digest, with its blobs.
    fn artifact(&self, reference: &str, (manifest, blobs): &(Vec<u8>, Vec<Vec<u8>>)) {
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let answer = Answer::ok(manifest.clone()).header("Content-Type", kind);
        self.put(&format!("manifests/{reference}"), answer);
        for blob in blobs {
            self.put(&format!("blobs/{}", digest(blob)), Answer::ok(blob.clone()));
        }
    }

    /// Puts signatures under cosign's old tag.
    fn sign(&self, subject: &str, signatures: &[Simple]) {
        let tag = format!("{}.sig", subject.replace(':', "-"));
        self.artifact(&tag, &simple_manifest(signatures));
    }

    /// Puts bundles about a subject, and returns the index of them.
    fn attest(&self, subject: &str, bundles: &[Value]) -> Vec<u8> {
        let descriptor = json!({
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "digest": subject,
            "size": 1,
        });
        let manifests: Vec<_> = bundles
            .iter()
            .map(|bundle| bundle_manifest(bundle, &descriptor))
            .collect();
        for manifest in &manifests {
            self.artifact(&digest(&manifest.0), manifest);
        }
        let manifests: Vec<_> = manifests.iter().map(|one| one.0.as_slice()).collect();
        referrers(&manifests)
    }

    /// Puts bundles into the list of referrers.
    fn refer(&self, subject: &str, bundles: &[Value]) {
        let index = self.attest(subject, bundles);
        self.put(&format!("referrers/{subject}"), index_answer(&index));
    }
}

/// A directory with a key, a trusted root, and maybe a lock file.
struct Desk {
    place: Place,
    sigstore: Sigstore,
    key: Signer,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            place: Place::new(),
            sigstore: Sigstore::new(),
            key: Signer::with_key(),
        };
        desk.write("cosign.pub", &desk.key.public_key());
        desk.write("root.json", &desk.sigstore.trusted_root().to_string());
        desk
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.place.path().with_file_name(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        self.place.run(arguments)
    }

    fn add_by_key(&self, store: &Store) -> Outcome {
        self.run(&["add", "--key", "cosign.pub", &store.reference()])
    }

    fn add_by_workflow(&self, store: &Store, identity: &str) -> Outcome {
        let reference = store.reference();
        self.run(&[
            "add",
            "--signed-by",
            identity,
            "--issuer",
            GITHUB,
            "--trusted-root",
            "root.json",
            &reference,
        ])
    }

    /// The names of the files beside the lock file.
    fn files(&self) -> Vec<String> {
        let directory = self.place.path().with_extension("d");
        let Ok(entries) = fs::read_dir(directory) else {
            return Vec::new();
        };
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Demands that there is neither a lock file nor a directory beside it.
    #[track_caller]
    fn leaves_nothing(&self) {
        assert!(!self.place.path().exists());
        assert!(!self.place.path().with_extension("d").exists());
    }

    fn app(&self) -> Value {
        self.place.valid()["images"]["app"].clone()
    }

    /// A statement of the usual kind by the key.
    fn bundle(&self, subject: &str) -> Value {
        unlogged_bundle(&self.key, &statement(SIGN, subject))
    }
}

fn other_digest() -> String {
    digest(b"other")
}
