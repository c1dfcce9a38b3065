//! Every change of a proof is refused. Fields with bytes are changed at each byte; everything else has a line in a table.

mod bundle; // tables of changes of a bundle
mod parts; // a table of parts that come from other proofs
mod simple; // tables of changes of a simple signature

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hocker::oci::Digest;
use hocker::signature::{Proof, Signer, Verifier};
use serde_json::{Value, json};

use super::{certified, keyed, of_bundle, of_simple, refused, subject, verifier, workflow};
use crate::support::sigstore::{
    self as instance, GITHUB, SIGN, Sigstore, WORKFLOW, statement, unlogged, unlogged_bundle,
};

const SIGNATURE: &str = "/annotations/dev.cosignproject.cosign~1signature";
const CERTIFICATE: &str = "/annotations/dev.sigstore.cosign~1certificate";
const BUNDLE: &str = "/annotations/dev.sigstore.cosign~1bundle";

/// A proof and who must accept it.
struct Original {
    verifier: Verifier,
    signer: Signer,
    proof: Value,
}

impl Original {
    fn new(verifier: Verifier, signer: Signer, proof: &Proof) -> Self {
        verifier.verify(proof, &subject(), &signer).unwrap();
        Self {
            verifier,
            signer,
            proof: serde_json::from_str(proof.text()).unwrap(),
        }
    }

    /// The text at a path.
    fn text(&self, pointer: &str) -> &str {
        self.proof.pointer(pointer).unwrap().as_str().unwrap()
    }

    /// Demands that a changed proof is refused, and that the change is one.
    #[track_caller]
    fn refuses(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut changed = self.proof.clone();
        change(&mut changed);
        assert_ne!(changed, self.proof, "{name} changes nothing");
        self.refuses_text(name, &changed.to_string());
    }

    #[track_caller]
    fn refuses_text(&self, name: &str, text: &str) {
        if let Ok(proof) = Proof::parse(text.as_bytes().to_vec()) {
            let outcome = self.verifier.verify(&proof, &subject(), &self.signer);
            assert!(outcome.is_err(), "{name}: {outcome:?}");
        }
    }

    /// Demands that each change is refused: a field at a path gets a value, is new, or is removed.
    fn refuses_each(&self, changes: &[(&str, &str, Option<Value>)]) {
        for (name, pointer, value) in changes {
            self.refuses(name, |proof| change(proof, pointer, value.clone()));
        }
    }

    /// Demands that a field in base64 is refused with each byte changed, and cut, extended and emptied.
    #[track_caller]
    fn refuses_bytes(&self, pointer: &str) {
        let bytes = STANDARD.decode(self.text(pointer)).unwrap();
        for changed in changes(&bytes) {
            self.refuses(pointer, |proof| {
                *proof.pointer_mut(pointer).unwrap() = json!(STANDARD.encode(&changed));
            });
        }
        for text in ["!", "AA=A", "\u{0}"] {
            self.refuses(pointer, |proof| {
                *proof.pointer_mut(pointer).unwrap() = json!(text);
            });
        }
        self.refuses(pointer, |proof| {
            *proof.pointer_mut(pointer).unwrap() = Value::Null;
        });
    }
}

/// Sets or removes a field of a document; an empty path is the whole.
fn change(document: &mut Value, pointer: &str, value: Option<Value>) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        *document = value.unwrap();
        return;
    };
    let key = key.replace("~1", "/");
    match (document.pointer_mut(parent).unwrap(), value) {
        (Value::Object(fields), Some(value)) => drop(fields.insert(key, value)),
        (Value::Object(fields), None) => drop(fields.remove(&key).unwrap()),
        (Value::Array(list), Some(value)) => list.insert(key.parse().unwrap(), value),
        (parent, value) => panic!("{parent} {value:?}"),
    }
}

/// The value at a path.
fn at(document: &Value, pointer: &str) -> Option<Value> {
    document.pointer(pointer).cloned()
}

/// Bytes with each byte changed, and of other lengths.
fn changes(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![
        Vec::new(),
        bytes[..bytes.len() - 1].to_vec(),
        bytes[1..].to_vec(),
        [bytes, &[0]].concat(),
        [bytes, bytes].concat(),
    ];
    for index in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[index] ^= 1;
        all.push(changed);
    }
    all
}

fn pem(certificate: &[u8]) -> String {
    let base64 = STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

fn decoded_pem(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with('-'));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

fn simple_original(sigstore: &Sigstore) -> Original {
    let signer = sigstore.workflow();
    let simple = sigstore.simple(&signer, &subject().to_string());
    Original::new(verifier(sigstore), workflow(), &of_simple(&simple))
}

fn bundle_original(sigstore: &Sigstore) -> Original {
    let signer = sigstore.workflow();
    let bundle = sigstore.bundle(&signer, &statement(SIGN, &subject().to_string()));
    Original::new(verifier(sigstore), workflow(), &of_bundle(&bundle))
}

#[test]
fn every_byte_of_a_simple_signature_is_protected() {
    let original = simple_original(&Sigstore::new());
    original.refuses_bytes("/payload");
    original.refuses_bytes(SIGNATURE);
    for changed in changes(&decoded_pem(original.text(CERTIFICATE))) {
        let changed = Some(json!(pem(&changed)));
        original.refuses_each(&[("the certificate", CERTIFICATE, changed)]);
    }
    let entry: Value = serde_json::from_str(original.text(BUNDLE)).unwrap();
    for (pointer, bytes) in [
        ("/SignedEntryTimestamp", &entry["SignedEntryTimestamp"]),
        ("/Payload/body", &entry["Payload"]["body"]),
    ] {
        for changed in changes(&STANDARD.decode(bytes.as_str().unwrap()).unwrap()) {
            let mut entry = entry.clone();
            change(&mut entry, pointer, Some(json!(STANDARD.encode(changed))));
            original.refuses_each(&[(pointer, BUNDLE, Some(json!(entry.to_string())))]);
        }
    }
}

#[test]
fn every_byte_of_a_bundle_is_protected() {
    let original = bundle_original(&Sigstore::new());
    for pointer in [
        "/dsseEnvelope/payload",
        "/dsseEnvelope/signatures/0/sig",
        "/verificationMaterial/certificate/rawBytes",
        "/verificationMaterial/tlogEntries/0/canonicalizedBody",
        "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
        "/verificationMaterial/tlogEntries/0/inclusionProof/rootHash",
        "/verificationMaterial/tlogEntries/0/inclusionProof/hashes/0",
        "/verificationMaterial/tlogEntries/0/logId/keyId",
    ] {
        original.refuses_bytes(pointer);
    }
    // The signed head of the log, but for the name of the signer, which says nothing.
    let pointer = "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope";
    let text = original.text(pointer).to_owned();
    let name = text.find("— ").unwrap();
    let signature = text.rfind(' ').unwrap() + 1;
    for index in (0..name).chain(signature..text.len() - 1) {
        let mut changed = text.clone().into_bytes();
        changed[index] = if changed[index] == b'B' { b'C' } else { b'B' };
        let changed = String::from_utf8(changed).unwrap();
        original.refuses_each(&[("the checkpoint", pointer, Some(json!(changed)))]);
    }
}

#[test]
fn every_byte_of_a_signature_by_a_key_is_protected() {
    let sigstore = Sigstore::new();
    let signer = instance::Signer::with_key();
    let digest = subject().to_string();
    for simple in [
        unlogged(&signer, &digest),
        sigstore.simple(&signer, &digest),
    ] {
        let original = Original::new(verifier(&sigstore), keyed(&signer), &of_simple(&simple));
        original.refuses_bytes("/payload");
        original.refuses_bytes(SIGNATURE);
    }
    let statement = statement(SIGN, &digest);
    for bundle in [
        unlogged_bundle(&signer, &statement),
        sigstore.bundle(&signer, &statement),
    ] {
        let original = Original::new(verifier(&sigstore), keyed(&signer), &of_bundle(&bundle));
        original.refuses_bytes("/dsseEnvelope/payload");
        original.refuses_bytes("/dsseEnvelope/signatures/0/sig");
    }
    // An entry of a log may be absent, but not wrong.
    let bundle = sigstore.bundle(&signer, &statement);
    let original = Original::new(verifier(&sigstore), keyed(&signer), &of_bundle(&bundle));
    original.refuses_bytes("/verificationMaterial/tlogEntries/0/canonicalizedBody");
    original
        .refuses_bytes("/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp");
}

#[test]
fn texts_that_are_almost_a_proof_are_refused() {
    let sigstore = Sigstore::new();
    for original in [simple_original(&sigstore), bundle_original(&sigstore)] {
        let text = original.proof.to_string();
        for (name, changed) in [
            ("nothing", String::new()),
            ("half of it", text[..text.len() / 2].to_owned()),
            ("all but the end", text[..text.len() - 1].to_owned()),
            ("twice", format!("{text}{text}")),
            ("in a list", format!("[{text}]")),
            (
                "a field twice",
                text.replacen('{', "{\"mediaType\": \"text/plain\", ", 1),
            ),
            ("huge", text.clone() + &" ".repeat(2 << 20)),
        ] {
            original.refuses_text(name, &changed);
        }
        // Each field of each object once more, with the same value.
        for (start, _) in text.match_indices("{\"") {
            let key = text[start + 1..].split(':').next().unwrap();
            let twice = format!("{}{key}:null,{}", &text[..=start], &text[start + 1..]);
            if serde_json::from_str::<Value>(&twice).is_ok() {
                original.refuses_text(key, &twice);
            }
        }
    }
}

#[test]
fn the_right_proof_is_refused_for_everything_else() {
    let sigstore = Sigstore::new();
    let digest = subject().to_string();
    let signer = sigstore.workflow();
    let key = instance::Signer::with_key();
    let verifier = verifier(&sigstore);
    for (proof, right) in [
        (of_simple(&sigstore.simple(&signer, &digest)), workflow()),
        (
            of_bundle(&sigstore.bundle(&signer, &statement(SIGN, &digest))),
            workflow(),
        ),
        (of_simple(&unlogged(&key, &digest)), keyed(&key)),
        (
            of_bundle(&unlogged_bundle(&key, &statement(SIGN, &digest))),
            keyed(&key),
        ),
    ] {
        verifier.verify(&proof, &subject(), &right).unwrap();
        for other in [b"".as_slice(), b"other", b"the manifest of the image "] {
            refused(verifier.verify(&proof, &Digest::of(other), &right));
        }
        for wrong in [
            keyed(&instance::Signer::with_key()),
            certified(&WORKFLOW.replace("v1", "v2"), GITHUB),
            certified(&WORKFLOW.to_uppercase(), GITHUB),
            certified(WORKFLOW, "https://token.actions.githubusercontent.com/"),
            certified(WORKFLOW, "https://accounts.google.com"),
        ] {
            refused(verifier.verify(&proof, &subject(), &wrong));
        }
    }
}
