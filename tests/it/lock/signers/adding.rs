//! Which signatures prove an image that is added, and which signer is kept.

use super::*;

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
