//! Images that move, with and without the signature of their signer.

use super::*;

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
