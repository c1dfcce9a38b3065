//! Images that a signer must have signed: `lock add`, `update` and `verify`, against a registry whose content changes.

mod github; // attestations that are only in the API of GitHub

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

#[test]
fn a_signature_by_a_key_is_kept_beside_the_lock_file_and_verified_without_the_registry() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    store.sign(&digest, &[unlogged(&desk.key, &digest)]);
    desk.add_by_key(&store).done();
    let app = desk.app();
    assert_eq!(app["signedBy"], json!({"key": desk.key.public_key()}));
    let proof = app["proofs"][0].as_str().unwrap();
    assert_eq!(desk.files(), [format!("{}.json", proof.replace(':', "-"))]);
    assert_eq!(desk.place.valid()["version"], 3);
    // The index, a manifest and a config for each platform; the list of referrers and the tag for it; the signature.
    assert_eq!(store.registry.requests().len(), 5 + 2 + 2);

    let count = store.registry.requests().len();
    let outcome = desk.run(&["verify"]).done();
    let table = outcome.text();
    assert!(table.contains("the key "), "{table}");
    let outcome = desk.run(&["verify", "--json", "app"]).done();
    let outcome: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(outcome["verified"][0]["digest"], digest);
    assert_eq!(outcome["failed"], json!([]));
    assert_eq!(store.registry.requests().len(), count);

    // What has not moved costs no more than before.
    desk.run(&["update"]).done().says("0 changed");
    assert_eq!(store.registry.requests().len(), count + 1);
    assert_eq!(desk.app(), app);
}

#[test]
fn a_bundle_of_a_workflow_is_found_by_the_list_of_referrers_or_by_its_tag() {
    for by_tag in [false, true] {
        let (store, desk) = (Store::new(), Desk::new());
        let digest = store.push(&usual("app"));
        let workflow = desk.sigstore.workflow();
        let other = desk.sigstore.signer("https://github.com/other/x@y", GITHUB);
        let sbom = statement("https://spdx.dev/Document", &digest);
        let bundles = [
            desk.sigstore.bundle(&other, &statement(SIGN, &digest)),
            desk.sigstore.bundle(&workflow, &sbom),
            desk.sigstore.bundle(&workflow, &statement(SIGN, &digest)),
        ];
        if by_tag {
            let index = store.attest(&digest, &bundles);
            let tag = format!("manifests/{}", digest.replace(':', "-"));
            store.put(&tag, index_answer(&index));
        } else {
            store.refer(&digest, &bundles);
        }
        desk.add_by_workflow(&store, "https://github.com/team/*@refs/tags/*")
            .done();
        let app = desk.app();
        assert_eq!(app["signedBy"]["issuer"], GITHUB);
        // The proof and the trusted root, so that `verify` needs no argument.
        assert_eq!(desk.files().len(), 2);
        fs::remove_file(desk.place.path().with_file_name("root.json")).unwrap();
        let table = desk.run(&["verify"]).done().text();
        assert!(
            table.contains(WORKFLOW) && table.contains("2026-01-15"),
            "{table}"
        );
    }
}

#[test]
fn an_image_without_the_wanted_signature_is_not_locked() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    desk.add_by_key(&store)
        .failed(5)
        .says("the image is not signed: the repository has no signature of");
    let other = Signer::with_key();
    store.sign(
        &digest,
        &[unlogged(&other, &digest), unlogged(&other, &digest)],
    );
    desk.add_by_key(&store)
        .failed(5)
        .says("the image is not signed by the required signer: 2 other signatures of");
    let person = desk
        .sigstore
        .signer("dev@example.com", "https://accounts.example.com");
    store.refer(
        &digest,
        &[desk.sigstore.bundle(&person, &statement(SIGN, &digest))],
    );
    desk.add_by_workflow(&store, WORKFLOW)
        .failed(5)
        .says("the signer is dev@example.com (issuer https://accounts.example.com), not https://github.com/team");
    store.remove(&format!("referrers/{digest}"));
    // A signature of another image, under the tag of this one.
    store.sign(&digest, &[unlogged(&desk.key, &other_digest())]);
    desk.add_by_key(&store)
        .failed(5)
        .says("the signature is for other content");
    desk.leaves_nothing();
    // A file is where the signatures belong.
    store.sign(&digest, &[unlogged(&desk.key, &digest)]);
    let directory = desk.place.path().with_extension("d");
    fs::write(&directory, "").unwrap();
    desk.add_by_key(&store).failed(1).says("cannot create");
    fs::remove_file(directory).unwrap();
    desk.leaves_nothing();
}

fn other_digest() -> String {
    digest(b"other")
}

#[test]
fn an_image_that_loses_its_signature_is_not_followed_unless_the_user_insists() {
    let (store, desk) = (Store::new(), Desk::new());
    let first = store.push(&usual("first"));
    store.sign(&first, &[unlogged(&desk.key, &first)]);
    desk.add_by_key(&store).done();
    let before = desk.place.text();
    let files = desk.files();

    let second = store.push(&usual("second"));
    for signatures in [&[][..], &[unlogged(&Signer::with_key(), &second)]] {
        if !signatures.is_empty() {
            store.sign(&second, signatures);
        }
        desk.run(&["update"])
            .failed(5)
            .says("cannot update app")
            .says("the image is not signed")
            .says("--now NAME");
        assert_eq!(desk.place.text(), before);
        assert_eq!(desk.files(), files);
    }
    desk.run(&["update", "--now", "other"]).failed(3);
    desk.run(&["update", "--now", "app"])
        .done()
        .says("is followed although its signer did not sign it")
        .says("1 changed");
    let app = desk.app();
    assert_eq!(app["index"]["digest"], second);
    assert_eq!(app["proofs"], json!([]));
    assert_eq!(desk.files(), Vec::<String>::new());
    desk.run(&["verify"])
        .failed(5)
        .says("the image was locked without a signature");

    // The lock says it until a signature appears.
    desk.run(&["update"])
        .done()
        .says("still has no signature that counts");
    assert_eq!(desk.app(), app);
    store.sign(&second, &[unlogged(&desk.key, &second)]);
    desk.run(&["update"]).done();
    assert_eq!(desk.app()["proofs"].as_array().unwrap().len(), 1);
    desk.run(&["verify"]).done();
}

#[test]
fn a_signed_successor_is_followed_and_old_proofs_are_removed() {
    let (store, desk) = (Store::new(), Desk::new());
    let first = store.push(&usual("first"));
    store.sign(&first, &[unlogged(&desk.key, &first)]);
    desk.add_by_key(&store).done();
    let files = desk.files();
    let foreign = desk.place.path().with_extension("d").join("README");
    fs::write(&foreign, "mine").unwrap();

    let second = store.push(&usual("second"));
    store.refer(&second, &[desk.bundle(&second)]);
    desk.run(&["update"]).done().says("1 changed");
    desk.run(&["verify"]).done();
    let later = desk.files();
    assert!(later.len() == 2 && !later.contains(&files[0]), "{later:?}");
    desk.run(&["remove", "app"]).done();
    assert_eq!(desk.files(), ["README"]);
    fs::remove_file(foreign).unwrap();
}

#[test]
fn the_time_in_a_log_ends_a_wait_and_another_signers_does_not() {
    let (store, desk) = (Store::new(), Desk::new());
    let workflow = desk.sigstore.workflow();
    let other = desk.sigstore.signer("dev@example.com", GITHUB);
    let first = store.push(&usual("first"));
    store.sign(&first, &[desk.sigstore.simple(&workflow, &first)]);
    desk.add_by_workflow(&store, WORKFLOW).done();
    desk.run(&["set", "--min-age", "3d"]).done();

    // The log saw it long ago, but not from the signer.
    let second = store.push(&usual("second"));
    store.sign(&second, &[desk.sigstore.simple(&other, &second)]);
    desk.run(&["update"]).done().says("waits until");
    assert_eq!(desk.app()["index"]["digest"], first);
    store.refer(
        &second,
        &[desk.sigstore.bundle(&workflow, &statement(SIGN, &second))],
    );
    desk.run(&["check"])
        .failed(1)
        .says("1 of 1 images have moved");
    desk.run(&["update"]).done().says("1 changed");
    assert_eq!(desk.app()["index"]["digest"], second);
    desk.run(&["verify"]).done();
}

#[test]
fn the_signer_is_kept_until_the_user_names_another_or_none() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    let workflow = desk.sigstore.workflow();
    store.sign(
        &digest,
        &[
            unlogged(&desk.key, &digest),
            desk.sigstore.simple(&workflow, &digest),
        ],
    );
    desk.add_by_key(&store).done();
    let by_key = desk.app();
    // Once more, for another platform or by another command, it is still required, and still proven.
    let reference = store.reference();
    desk.run(&["add", "--platform", "linux/amd64", &reference])
        .done();
    assert_eq!(desk.app()["signedBy"], by_key["signedBy"]);
    assert_eq!(desk.app()["proofs"], by_key["proofs"]);
    desk.add_by_workflow(&store, WORKFLOW).done();
    assert_eq!(desk.app()["signedBy"]["identity"], WORKFLOW);
    assert_eq!(desk.files().len(), 2);
    let unchanged = desk.place.text();
    desk.write("cosign.pub", &Signer::with_key().public_key());
    desk.add_by_key(&store).failed(5);
    assert_eq!(desk.place.text(), unchanged);
    desk.run(&["add", "--unsigned", &reference]).done();
    assert_eq!(desk.app().get("signedBy"), None);
    assert_eq!(desk.files(), Vec::<String>::new());
    desk.run(&["verify", "app"]).done();
}

#[test]
fn signatures_of_all_platforms_stand_for_one_of_the_index() {
    let (store, desk) = (Store::new(), Desk::new());
    let images = usual("app");
    store.push(&images);
    let [first, second] = [&images[0], &images[1]].map(Image::digest);
    store.sign(&first, &[unlogged(&desk.key, &first)]);
    desk.add_by_key(&store)
        .failed(5)
        .says("the image is not signed");
    store.refer(&second, &[desk.bundle(&second)]);
    desk.add_by_key(&store).done();
    assert_eq!(desk.files().len(), 2);
    desk.run(&["verify"]).done();
    // One of the two is not enough.
    let mut lock: Value = serde_json::from_str(&desk.place.text()).unwrap();
    lock["images"]["app"]["proofs"]
        .as_array_mut()
        .unwrap()
        .pop();
    desk.place.write(&lock.to_string());
    desk.run(&["verify"]).failed(5);
}

#[test]
fn files_beside_the_lock_file_that_are_changed_missing_or_swapped_are_refused() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    let workflow = desk.sigstore.workflow();
    store.sign(&digest, &[desk.sigstore.simple(&workflow, &digest)]);
    desk.add_by_workflow(&store, WORKFLOW).done();
    let directory = desk.place.path().with_extension("d");
    let files: Vec<_> = desk
        .files()
        .iter()
        .map(|name| directory.join(name))
        .collect();
    let contents: Vec<_> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    for (path, content) in files.iter().zip(&contents) {
        for index in (0..content.len()).step_by(content.len() / 10) {
            let mut changed = content.clone();
            changed[index] ^= 1;
            fs::write(path, changed).unwrap();
            desk.run(&["verify"])
                .failed(5)
                .says("is not what the lock file names: its digest is sha256:");
        }
        for other in [
            b"".to_vec(),
            [&content[..], b" "].concat(),
            vec![b' '; 3 << 20],
        ] {
            fs::write(path, other).unwrap();
            desk.run(&["verify"]).failed(5);
        }
        fs::remove_file(path).unwrap();
        desk.run(&["verify"])
            .failed(5)
            .says("which the lock file names");
        fs::create_dir(path).unwrap();
        desk.run(&["verify"]).failed(5).says("not a regular file");
        fs::remove_dir(path).unwrap();
        fs::write(path, content).unwrap();
        desk.run(&["verify"]).done();
    }
    fs::write(&files[0], &contents[1]).unwrap();
    fs::write(&files[1], &contents[0]).unwrap();
    desk.run(&["verify"]).failed(5);
    // The same lock without the files, as after an incomplete checkout; the image is added once more.
    fs::remove_dir_all(&directory).unwrap();
    desk.run(&["verify"]).failed(5);
    desk.add_by_workflow(&store, WORKFLOW).done();
    desk.run(&["verify"]).done();
}

#[test]
fn an_update_finds_the_signatures_again_that_a_moved_lock_file_left_behind() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    store.sign(&digest, &[unlogged(&desk.key, &digest)]);
    desk.add_by_key(&store).done();
    let moved = ["--lock-file", "moved.json"];
    let run = |command: &str| desk.run(&[&[command][..], &moved].concat());
    fs::rename(
        desk.place.path(),
        desk.place.path().with_file_name("moved.json"),
    )
    .unwrap();
    run("verify")
        .failed(5)
        .says("move the directory beside it, too");
    // The registry has lost the signature: nothing changes.
    let tag = format!("manifests/{}.sig", digest.replace(':', "-"));
    store.remove(&tag);
    run("update")
        .done()
        .says("still has no signature that counts");
    run("verify").failed(5);
    store.sign(&digest, &[unlogged(&desk.key, &digest)]);
    run("update").done().says("0 changed");
    run("verify").done();
    let beside = desk.place.path().with_file_name("moved.d");
    assert_eq!(fs::read_dir(beside).unwrap().count(), 1);
    // The directory that belongs to no lock file any more is not touched.
    assert_eq!(desk.files().len(), 1);
}

#[test]
fn two_lock_files_with_one_directory_do_not_remove_each_others_signatures() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    store.sign(&digest, &[unlogged(&desk.key, &digest)]);
    let key = ["add", "--key", "cosign.pub"];
    let other = ["--lock-file", "docker-images.lock"];
    let reference = store.reference();
    desk.add_by_key(&store).done();
    desk.run(&[&key[..], &other, &[&reference]].concat()).done();
    assert_eq!(desk.files().len(), 1);
    desk.run(&[&["remove", "app"][..], &other].concat()).done();
    desk.run(&["verify"]).done();
    desk.run(&[&key[..], &other, &[&reference]].concat()).done();
    desk.run(&["remove", "app"]).done();
    desk.run(&[&["verify"][..], &other].concat()).done();
}

#[test]
fn an_entry_that_lies_about_its_signer_is_refused() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    store.sign(&digest, &[unlogged(&desk.key, &digest)]);
    desk.add_by_key(&store).done();
    let lock = desk.place.valid();
    // Another image with the proof of this one.
    let single = image("linux/amd64", &["single"]);
    store.put("manifests/2", single.manifest_answer());
    store.push_parts(&single);
    let other = format!("other={}/app:2", store.registry.name());
    desk.run(&["add", &other]).done();
    let mut changed = desk.place.valid();
    for key in ["signedBy", "proofs"] {
        changed["images"]["other"][key] = lock["images"]["app"][key].clone();
    }
    desk.place.write(&changed.to_string());
    desk.run(&["verify", "other"])
        .failed(5)
        .says("the signature is for other content");
    desk.run(&["verify", "app"]).done();

    let key = Signer::with_key().public_key();
    let identity = json!({"identity": WORKFLOW, "issuer": GITHUB});
    for (field, value, code) in [
        ("signedBy", json!({"key": key}), 5),
        ("signedBy", identity, 5),
        ("signedBy", json!({"key": "key"}), 7),
        ("signedBy", json!({"identity": WORKFLOW}), 7),
        ("signedBy", json!({"issuer": GITHUB}), 7),
        ("signedBy", json!({"identity": "*", "issuer": GITHUB}), 7),
        (
            "signedBy",
            json!({"identity": WORKFLOW, "issuer": "github"}),
            7,
        ),
        ("signedBy", json!({"key": key, "issuer": GITHUB}), 7),
        ("signedBy", json!({"key": key, "other": 1}), 7),
        (
            "signedBy",
            json!({"key": key, "trustedRoot": other_digest()}),
            5,
        ),
        ("signedBy", json!({"key": key, "trustedRoot": "../x"}), 7),
        ("signedBy", json!({}), 7),
        ("signedBy", json!("key"), 7),
        ("signedBy", Value::Null, 5),
        ("proofs", json!([]), 5),
        ("proofs", Value::Null, 5),
        ("proofs", json!([other_digest()]), 5),
        ("proofs", json!(["../../etc/passwd"]), 7),
        ("proofs", json!([other_digest(), other_digest()]), 7),
        ("proofs", json!(vec![other_digest(); 100]), 7),
    ] {
        let mut changed = lock.clone();
        changed["images"]["app"][field] = value.clone();
        desk.place.write(&changed.to_string());
        let outcome = desk.run(&["verify"]);
        assert_eq!(outcome.code, Some(code), "{field}: {value}\n{outcome}");
    }
}

#[test]
fn a_registry_that_sends_rubbish_for_signatures_is_told_apart_from_one_without_them() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    let referrers = format!("referrers/{digest}");
    let signatures = format!("manifests/{}.sig", digest.replace(':', "-"));
    for status in [400, 403, 405, 501] {
        store.put(&referrers, Answer::error(status, "UNSUPPORTED"));
        desk.add_by_key(&store)
            .failed(5)
            .says("the image is not signed");
    }
    store.put(&referrers, Answer::ok(b"<html>".to_vec()));
    desk.add_by_key(&store)
        .failed(7)
        .says("cannot fetch the referrers of app@sha256:");
    store.remove(&referrers);

    // More signatures than are looked at, and payloads that are too large: the right one is not among them.
    let mut many = vec![unlogged(&desk.key, &digest)];
    many.extend((0..80).map(|_| unlogged(&Signer::with_key(), &digest)));
    store.sign(&digest, &many);
    desk.add_by_key(&store)
        .failed(5)
        .says("64 other signatures");
    many.reverse();
    store.sign(&digest, &many);
    desk.add_by_key(&store).done();
    desk.run(&["remove", "app"]).done();
    let huge = Simple {
        payload: vec![b' '; 200 << 10],
        ..unlogged(&desk.key, &digest)
    };
    store.sign(&digest, &[huge]);
    let count = store.registry.body_bytes();
    desk.add_by_key(&store)
        .failed(5)
        .says("the signature is larger than");
    assert!(store.registry.body_bytes() - count < 100 << 10);

    // An index in place of the signatures, and a signature without an annotation.
    store.put(&signatures, index_answer(&index_of(&usual("app"))));
    desk.add_by_key(&store)
        .failed(5)
        .says("the image is not signed");
    let mut bare = unlogged(&desk.key, &digest);
    bare.annotations.clear();
    store.sign(&digest, &[bare]);
    desk.add_by_key(&store)
        .failed(5)
        .says("the image is not signed");

    // A list whose entry does not exist, and one whose bundle is not one.
    store.refer(&digest, &[json!({"mediaType": "text/plain"})]);
    desk.add_by_key(&store)
        .failed(5)
        .says("unknown media type text/plain");
    let bundle = desk.bundle(&digest);
    let index = store.attest(&digest, &[bundle]);
    let listed: Value = serde_json::from_slice(&index).unwrap();
    let manifest = listed["manifests"][0]["digest"].as_str().unwrap();
    store.remove(&format!("manifests/{manifest}"));
    store.put(&referrers, index_answer(&index));
    desk.add_by_key(&store)
        .failed(5)
        .says("the image is not signed");
    assert_eq!(desk.place.valid()["images"], json!({}));
}

#[test]
fn arguments_that_name_no_signer_are_refused_before_any_request() {
    let (store, desk) = (Store::new(), Desk::new());
    desk.write("text", "no key");
    let reference = store.reference();
    for arguments in [
        &["--signed-by", WORKFLOW][..],
        &["--issuer", GITHUB],
        &["--signed-by", "*", "--issuer", GITHUB],
        &["--signed-by", "", "--issuer", GITHUB],
        &["--signed-by", WORKFLOW, "--issuer", "github"],
        &[
            "--signed-by",
            WORKFLOW,
            "--issuer",
            GITHUB,
            "--key",
            "cosign.pub",
        ],
        &["--key", "text"],
        &["--trusted-root", "root.json"],
        &["--key", "cosign.pub", "--trusted-root", "text"],
        &["--key", "cosign.pub", "--unsigned"],
    ] {
        let arguments: Vec<_> = ["add"].iter().chain(arguments).copied().collect();
        let arguments = [&arguments[..], &[&reference]].concat();
        desk.run(&arguments).failed(2);
    }
    desk.run(&["add", "--key", "missing", &reference])
        .failed(1)
        .says("cannot read missing");
    assert_eq!(store.registry.requests().len(), 0);
}
