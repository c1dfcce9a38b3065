use serde_json::json;

use super::{at, bundle_original};
use crate::support::sigstore::{SIGNED_AT, Sigstore};

const MATERIAL: &str = "/verificationMaterial";
const CERTIFICATE: &str = "/verificationMaterial/certificate";
const KEY: &str = "/verificationMaterial/publicKey";
const ENTRIES: &str = "/verificationMaterial/tlogEntries";
const ENVELOPE: &str = "/dsseEnvelope";
const SIGNATURES: &str = "/dsseEnvelope/signatures";

#[test]
fn missing_and_damaged_fields_of_a_bundle_are_refused() {
    let original = bundle_original(&Sigstore::new());
    let certificate = at(&original.proof, CERTIFICATE);
    let signature = at(&original.proof, "/dsseEnvelope/signatures/0");
    let message = |signature| Some(json!({"signature": signature}));
    let sig = original.text("/dsseEnvelope/signatures/0/sig");
    let unknown = "application/vnd.dev.sigstore.bundle.v9+json";
    let key = Some(json!({"hint": ""}));
    let timestamps = json!({"rfc3161Timestamps": [{"signedTimestamp": "AAAA"}]});
    original.refuses_each(&[
        ("an unknown version", "/mediaType", Some(json!(unknown))),
        ("no material", MATERIAL, None),
        ("no certificate", CERTIFICATE, None),
        ("a key beside the certificate", KEY, key.clone()),
        (
            "another kind of payload",
            "/dsseEnvelope/payloadType",
            Some(json!("text/plain")),
        ),
        ("no signature", SIGNATURES, Some(json!([]))),
        ("no signatures", SIGNATURES, None),
        ("two signatures", "/dsseEnvelope/signatures/1", signature),
        ("no envelope", ENVELOPE, None),
        (
            "a message beside the envelope",
            "/messageSignature",
            message(sig),
        ),
        (
            "a timestamp that is none",
            "/verificationMaterial/timestampVerificationData",
            Some(timestamps),
        ),
    ]);
    original.refuses("a message for the envelope", |bundle| {
        super::change(bundle, ENVELOPE, None);
        super::change(bundle, "/messageSignature", message(sig));
    });
    original.refuses("a key for the certificate", |bundle| {
        super::change(bundle, CERTIFICATE, None);
        super::change(bundle, KEY, key);
    });
    original.refuses("a chain for the certificate", |bundle| {
        super::change(bundle, CERTIFICATE, None);
        let chain = "/verificationMaterial/x509CertificateChain";
        super::change(bundle, chain, Some(json!({"certificates": [certificate]})));
    });
}

#[test]
fn changes_of_the_entry_of_a_bundle_are_refused() {
    let original = bundle_original(&Sigstore::new());
    let within = |field: &str| format!("/verificationMaterial/tlogEntries/0/{field}");
    let proof = |field: &str| within(&format!("inclusionProof/{field}"));
    let hash = at(&original.proof, &proof("hashes/0"));
    let text = |text: &str| Some(json!(text));
    for (name, pointer, value) in [
        ("no entries", ENTRIES.to_owned(), None),
        ("no entry", ENTRIES.to_owned(), Some(json!([]))),
        ("no proof of inclusion", within("inclusionProof"), None),
        ("no promise", within("inclusionPromise"), None),
        ("no time", within("integratedTime"), None),
        (
            "an earlier time",
            within("integratedTime"),
            text(&(SIGNED_AT - 1).to_string()),
        ),
        (
            "a later time",
            within("integratedTime"),
            text(&(SIGNED_AT + 1).to_string()),
        ),
        ("the time 0", within("integratedTime"), text("0")),
        ("no body", within("canonicalizedBody"), None),
        ("no log", within("logId"), None),
        (
            "another kind",
            within("kindVersion/kind"),
            text("hashedrekord"),
        ),
        (
            "another version of the kind",
            within("kindVersion/version"),
            text("0.0.2"),
        ),
        ("another position", within("logIndex"), text("1")),
        ("another position in the tree", proof("logIndex"), text("0")),
        ("a position beyond the tree", proof("logIndex"), text("2")),
        ("another size of the tree", proof("treeSize"), text("3")),
        ("no size of the tree", proof("treeSize"), text("0")),
        ("no hashes", proof("hashes"), Some(json!([]))),
        ("a hash twice", proof("hashes/1"), hash),
        ("no checkpoint", proof("checkpoint"), None),
        (
            "an empty checkpoint",
            proof("checkpoint/envelope"),
            text(""),
        ),
    ] {
        original.refuses_each(&[(name, &pointer, value)]);
    }
}
