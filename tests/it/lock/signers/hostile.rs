//! Entries that lie about their signer, and registries that send rubbish for signatures.

use super::*;

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
