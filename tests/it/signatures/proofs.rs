//! The forms of proofs that cosign and GitHub write, by signers with certificates and with keys.

use serde_json::json;

use super::{certified, keyed, of_bundle, of_simple, refused, subject, verifier, workflow};
use crate::support::sigstore::{
    GITHUB, SIGN, SIGNED_AT, Signer, Sigstore, WORKFLOW, signed_payload, statement, unlogged,
    unlogged_bundle,
};

/// Provenance, as GitHub attests it.
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

#[test]
fn a_workflow_signs_in_the_old_form_and_in_the_new_one() {
    let sigstore = Sigstore::new();
    let verifier = verifier(&sigstore);
    let signer = sigstore.workflow();
    let digest = subject().to_string();
    for proof in [
        of_simple(&sigstore.simple(&signer, &digest)),
        of_bundle(&sigstore.bundle(&signer, &statement(SIGN, &digest))),
        of_bundle(&sigstore.bundle(&signer, &statement(PROVENANCE, &digest))),
    ] {
        let signature = verifier.verify(&proof, &subject(), &workflow()).unwrap();
        assert_eq!(signature.identity.as_deref(), Some(WORKFLOW));
        assert_eq!(signature.issuer.as_deref(), Some(GITHUB));
        assert_eq!(signature.time, Some(SIGNED_AT));
    }
}

#[test]
fn a_key_signs_with_a_log_and_without_one() {
    let sigstore = Sigstore::new();
    let verifier = verifier(&sigstore);
    let signer = Signer::with_key();
    let digest = subject().to_string();
    let statement = statement(SIGN, &digest);
    for (proof, time) in [
        (of_simple(&unlogged(&signer, &digest)), None),
        (
            of_simple(&sigstore.simple(&signer, &digest)),
            Some(SIGNED_AT),
        ),
        (of_bundle(&unlogged_bundle(&signer, &statement)), None),
        (
            of_bundle(&sigstore.bundle(&signer, &statement)),
            Some(SIGNED_AT),
        ),
    ] {
        let signature = verifier
            .verify(&proof, &subject(), &keyed(&signer))
            .unwrap();
        assert_eq!((signature.identity, signature.issuer), (None, None));
        assert_eq!(signature.time, time);
    }
}

#[test]
fn the_signer_must_be_the_wanted_one() {
    let sigstore = Sigstore::new();
    let verifier = verifier(&sigstore);
    let digest = subject().to_string();
    let person = sigstore.signer("dev@example.com", "https://accounts.example.com");
    let simple = of_simple(&sigstore.simple(&person, &digest));
    let bundle = of_bundle(&sigstore.bundle(&person, &statement(SIGN, &digest)));
    let issuer = "https://accounts.example.com";
    for proof in [&simple, &bundle] {
        for wanted in ["dev@example.com", "*@example.com"] {
            let wanted = certified(wanted, issuer);
            verifier.verify(proof, &subject(), &wanted).unwrap();
        }
        for (identity, issuer) in [
            ("other@example.com", issuer),
            ("dev@example.co", issuer),
            ("dev@example.com", "https://accounts.example.com/"),
            ("dev@example.com", GITHUB),
        ] {
            let wanted = certified(identity, issuer);
            let error = refused(verifier.verify(proof, &subject(), &wanted));
            let found = "the signer is dev@example.com (issuer https://accounts.example.com), not";
            assert!(error.starts_with(found), "{error}");
        }
        refused(verifier.verify(proof, &subject(), &keyed(&Signer::with_key())));
    }
}

#[test]
fn a_certificate_without_a_log_proves_nothing() {
    let sigstore = Sigstore::new();
    let verifier = verifier(&sigstore);
    let signer = sigstore.workflow();
    let digest = subject().to_string();
    for proof in [
        of_simple(&unlogged(&signer, &digest)),
        of_bundle(&unlogged_bundle(&signer, &statement(SIGN, &digest))),
    ] {
        refused(verifier.verify(&proof, &subject(), &workflow()));
    }
}

#[test]
fn another_instance_or_sigstores_own_is_not_believed() {
    let sigstore = Sigstore::new();
    let signer = sigstore.workflow();
    let digest = subject().to_string();
    for proof in [
        of_simple(&sigstore.simple(&signer, &digest)),
        of_bundle(&sigstore.bundle(&signer, &statement(SIGN, &digest))),
    ] {
        let other = verifier(&Sigstore::new());
        refused(other.verify(&proof, &subject(), &workflow()));
        let public = hocker::signature::Verifier::new().unwrap();
        refused(public.verify(&proof, &subject(), &workflow()));
    }
}

#[test]
fn a_statement_that_does_not_vouch_for_the_image_is_no_signature() {
    let sigstore = Sigstore::new();
    let verifier = verifier(&sigstore);
    let signer = Signer::with_key();
    let digest = subject().to_string();
    for predicate in [
        "https://spdx.dev/Document",
        "https://cyclonedx.org/bom",
        "https://in-toto.io/attestation/vulns/v0.2",
        "https://in-toto.io/attestation/test-result/v0.1",
    ] {
        let proof = of_bundle(&unlogged_bundle(&signer, &statement(predicate, &digest)));
        let error = refused(verifier.verify(&proof, &subject(), &keyed(&signer)));
        assert!(error.contains(predicate), "{error}");
    }
    // A signature of anything else by the same key.
    for payload in [
        b"".as_slice(),
        b"{}",
        b"not JSON",
        subject().to_string().as_bytes(),
        json!({"critical": {"image": {"docker-manifest-digest": digest}, "type": "blob"}})
            .to_string()
            .as_bytes(),
        br#"{"critical": {"type": "cosign container image signature", "image": {}}}"#,
    ] {
        let proof = of_simple(&signed_payload(&signer, payload));
        refused(verifier.verify(&proof, &subject(), &keyed(&signer)));
    }
}

#[test]
fn a_trusted_root_that_cannot_be_used_is_refused() {
    use hocker::signature::Verifier;
    let mut without_keys = Sigstore::new().trusted_root();
    without_keys["tlogs"][0]["publicKey"]["rawBytes"] = json!("AAAA");
    for text in ["", "{}", "[]", "\u{fffd}", &without_keys.to_string()] {
        let error = Verifier::with_root(text.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("cannot use the trusted root: "),
            "{error}"
        );
    }
    assert!(Verifier::with_root(b"\xff").is_err());
}
