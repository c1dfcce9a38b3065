//! Proofs that Sigstore's own services made: what this project's instance in memory could get wrong in the same way as
//! the program. `tests/data/README.md` has their source.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hocker::oci::Digest;
use hocker::signature::{Proof, PublicKey, Signer, Verifier};
use serde_json::{Value, json};
use sigstore_verify::trust_root::SIGSTORE_STAGING_TRUSTED_ROOT;

use super::{certified, refused};
use crate::support::sigstore::GITHUB;

const PROVENANCE: &str = include_str!("../../data/sigstore/provenance.json");
const KEYED: &str = include_str!("../../data/sigstore/key.json");
const KEY: &str = include_str!("../../data/sigstore/key.pub");

/// What both are about.
const SUBJECT: &str = "sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf";

/// The workflow that signed the provenance.
const BEACON: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/\
    .github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";

fn subject() -> Digest {
    SUBJECT.parse().unwrap()
}

fn proof(text: &str) -> Proof {
    Proof::parse(text.as_bytes().to_vec()).unwrap()
}

fn key() -> Signer {
    Signer::Key(PublicKey::from_pem(KEY.as_bytes()).unwrap())
}

fn staging() -> Verifier {
    Verifier::with_root(SIGSTORE_STAGING_TRUSTED_ROOT.as_bytes()).unwrap()
}

#[test]
fn provenance_of_a_workflow_is_accepted_with_the_time_of_the_authority() {
    let organisation = "https://github.com/sigstore-conformance/*@refs/heads/main";
    for identity in [BEACON, organisation] {
        let signer = certified(identity, GITHUB);
        let signature = staging().verify(&proof(PROVENANCE), &subject(), &signer);
        let signature = signature.unwrap();
        assert_eq!(signature.identity.as_deref(), Some(BEACON));
        // The certificate is valid from 2026-05-13T19:23:32Z for ten minutes.
        let time = signature.time.unwrap();
        assert!((1_778_700_212..=1_778_700_812).contains(&time), "{time}");
    }
    let public = Verifier::new().unwrap();
    refused(public.verify(&proof(PROVENANCE), &subject(), &certified(BEACON, GITHUB)));
    let tag = BEACON.replace("heads", "tags");
    refused(staging().verify(&proof(PROVENANCE), &subject(), &certified(&tag, GITHUB)));
    let other = Digest::of(b"other");
    refused(staging().verify(&proof(PROVENANCE), &other, &certified(BEACON, GITHUB)));
}

#[test]
fn a_signature_by_a_key_is_accepted_with_the_time_of_the_log() {
    let public = Verifier::new().unwrap();
    let signature = public.verify(&proof(KEYED), &subject(), &key()).unwrap();
    assert_eq!(signature.time, Some(1_766_077_479));
    refused(public.verify(&proof(KEYED), &Digest::of(b"other"), &key()));
    // Its entry is in the log of another instance.
    refused(staging().verify(&proof(KEYED), &subject(), &key()));
}

#[test]
fn every_changed_text_in_them_is_refused() {
    let public = Verifier::new().unwrap();
    let staging = staging();
    let beacon = certified(BEACON, GITHUB);
    // Fields that say nothing: names for people, and copies that the second version of Rekor ignores.
    let meaningless = [
        "/verificationMaterial/publicKey/hint",
        "/verificationMaterial/tlogEntries/0/inclusionProof/logIndex",
        "/verificationMaterial/tlogEntries/0/inclusionProof/rootHash",
        "/verificationMaterial/tlogEntries/0/inclusionProof/treeSize",
        "/verificationMaterial/tlogEntries/0/logId/keyId",
    ];
    let mut count = 0;
    for (text, verifier, signer) in [(KEYED, &public, key()), (PROVENANCE, &staging, beacon)] {
        let original: Value = serde_json::from_str(text).unwrap();
        verifier.verify(&proof(text), &subject(), &signer).unwrap();
        for pointer in texts(&original) {
            if text == PROVENANCE && meaningless.contains(&pointer.as_str())
                || pointer == meaningless[0]
            {
                continue;
            }
            let field = original.pointer(&pointer).unwrap().as_str().unwrap();
            for changed in [flipped(field), String::new()] {
                let mut bundle = original.clone();
                *bundle.pointer_mut(&pointer).unwrap() = json!(changed);
                if let Ok(proof) = Proof::parse(bundle.to_string().into_bytes()) {
                    let outcome = verifier.verify(&proof, &subject(), &signer);
                    assert!(outcome.is_err(), "{pointer}: {changed}");
                }
                count += 1;
            }
        }
    }
    assert!(count >= 60, "{count}");
}

/// The paths of all texts in a document.
fn texts(value: &Value) -> Vec<String> {
    let within = |key: String, value: &Value| {
        let inner = texts(value).into_iter();
        inner
            .map(move |path| format!("/{key}{path}"))
            .collect::<Vec<_>>()
    };
    match value {
        Value::String(_) => vec![String::new()],
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| within(key.clone(), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .flat_map(|(index, value)| within(index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    }
}

/// A text with a byte in its first half changed; in base64 if it is base64. The second half of a checkpoint has the
/// name of its signer, which says nothing.
fn flipped(text: &str) -> String {
    if let Ok(mut bytes) = STANDARD.decode(text)
        && bytes.len() >= 16
    {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        return STANDARD.encode(bytes);
    }
    let mut characters: Vec<_> = text.chars().collect();
    let place = characters.len() / 4;
    characters[place] = if characters[place] == '1' { '2' } else { '1' };
    characters.into_iter().collect()
}
