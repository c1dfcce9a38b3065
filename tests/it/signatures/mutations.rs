//! Every change of a proof is refused. Fields with bytes are changed at each byte; everything else has a line in a table.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hocker::oci::Digest;
use hocker::signature::{Proof, Signer, Verifier};
use serde_json::{Value, json};

use super::{certified, keyed, of_bundle, of_simple, refused, subject, verifier, workflow};
use crate::support::sigstore::{
    self as instance, GITHUB, SIGN, SIGNED_AT, Sigstore, WORKFLOW, statement, unlogged,
    unlogged_bundle,
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
            *proof.pointer_mut(pointer).unwrap() = Value::Null
        });
    }

    fn text(&self, pointer: &str) -> &str {
        self.proof.pointer(pointer).unwrap().as_str().unwrap()
    }
}

/// Bytes with each byte changed, and of other lengths.
fn changes(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut changes = vec![
        Vec::new(),
        bytes[..bytes.len() - 1].to_vec(),
        bytes[1..].to_vec(),
        [bytes, &[0]].concat(),
        [bytes, bytes].concat(),
    ];
    for index in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[index] ^= 1;
        changes.push(changed);
    }
    changes
}

fn pem(certificate: &[u8]) -> String {
    let base64 = STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

fn decoded_pem(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with('-'));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

/// A line of a table: what changes, and how.
type Change<'a> = (&'a str, Box<dyn Fn(&mut Value) + 'a>);

fn set<'a>(pointer: &'a str, value: Value) -> Box<dyn Fn(&mut Value) + 'a> {
    Box::new(move |proof| *proof.pointer_mut(pointer).expect(pointer) = value.clone())
}

fn without<'a>(parent: &'a str, key: &'a str) -> Box<dyn Fn(&mut Value) + 'a> {
    Box::new(move |proof| {
        let parent = proof.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.remove(key).expect(key);
    })
}

/// Changes the entry of the log in one of cosign's annotations.
fn logged<'a>(change: impl Fn(&mut Value) + 'a) -> Box<dyn Fn(&mut Value) + 'a> {
    Box::new(move |proof| {
        let text = proof.pointer_mut(BUNDLE).unwrap();
        let mut entry: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
        change(&mut entry);
        *text = json!(entry.to_string());
    })
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
        original.refuses("the certificate", set(CERTIFICATE, json!(pem(&changed))));
    }
    let entry: Value = serde_json::from_str(original.text(BUNDLE)).unwrap();
    for (pointer, bytes) in [
        ("/SignedEntryTimestamp", &entry["SignedEntryTimestamp"]),
        ("/Payload/body", &entry["Payload"]["body"]),
    ] {
        for changed in changes(&STANDARD.decode(bytes.as_str().unwrap()).unwrap()) {
            let changed = json!(STANDARD.encode(changed));
            let change = logged(|entry| *entry.pointer_mut(pointer).unwrap() = changed.clone());
            original.refuses(pointer, change);
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
        original.refuses("the checkpoint", set(pointer, json!(changed)));
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
fn changes_of_a_simple_signature_are_refused() {
    let sigstore = Sigstore::new();
    let original = simple_original(&sigstore);
    let digest = subject().to_string();
    // Proofs that are right by themselves.
    let value = |proof: &Proof| serde_json::from_str::<Value>(proof.text()).unwrap();
    let by_same = value(&of_simple(&sigstore.simple(&sigstore.workflow(), &digest)));
    let of_other = value(&of_simple(
        &sigstore.simple(&sigstore.workflow(), &Digest::of(b"other").to_string()),
    ));
    let elsewhere = Sigstore::new();
    let by_enemy = value(&of_simple(
        &elsewhere.simple(&elsewhere.workflow(), &digest),
    ));
    let of = |proof: &Value, pointer: &str| proof.pointer(pointer).unwrap().clone();
    let changes: Vec<Change<'_>> = vec![
        (
            "the signature of another certificate",
            set(SIGNATURE, of(&by_same, SIGNATURE)),
        ),
        (
            "the certificate of another key",
            set(CERTIFICATE, of(&by_same, CERTIFICATE)),
        ),
        (
            "the entry of another signature",
            set(BUNDLE, of(&by_same, BUNDLE)),
        ),
        (
            "the signature of another image",
            set(SIGNATURE, of(&of_other, SIGNATURE)),
        ),
        (
            "the payload of another image",
            set("/payload", of(&of_other, "/payload")),
        ),
        (
            "the entry of another image",
            set(BUNDLE, of(&of_other, BUNDLE)),
        ),
        (
            "the certificate of another authority",
            set(CERTIFICATE, of(&by_enemy, CERTIFICATE)),
        ),
        (
            "the entry of another log",
            set(BUNDLE, of(&by_enemy, BUNDLE)),
        ),
        ("all of another instance", set("", by_enemy.clone())),
        ("all of another image", set("", of_other.clone())),
        (
            "no signature",
            without("/annotations", "dev.cosignproject.cosign/signature"),
        ),
        (
            "no certificate",
            without("/annotations", "dev.sigstore.cosign/certificate"),
        ),
        (
            "no entry",
            without("/annotations", "dev.sigstore.cosign/bundle"),
        ),
        ("no payload", without("", "payload")),
        ("no annotations", without("", "annotations")),
        ("no media type", without("", "mediaType")),
        (
            "another media type",
            set("/mediaType", json!("application/json")),
        ),
        ("an empty certificate", set(CERTIFICATE, json!(""))),
        (
            "a certificate that is none",
            set(CERTIFICATE, json!("-----BEGIN CERTIFICATE-----")),
        ),
        (
            "two certificates",
            Box::new(|proof| {
                let both = format!(
                    "{0}{0}",
                    proof.pointer(CERTIFICATE).unwrap().as_str().unwrap()
                );
                *proof.pointer_mut(CERTIFICATE).unwrap() = json!(both);
            }),
        ),
        ("an empty entry", set(BUNDLE, json!("{}"))),
        ("an entry that is no JSON", set(BUNDLE, json!("entry"))),
        (
            "an entry without a promise",
            logged(|entry| {
                entry
                    .as_object_mut()
                    .unwrap()
                    .remove("SignedEntryTimestamp");
            }),
        ),
        (
            "an entry without a time",
            logged(|entry| {
                entry["Payload"]
                    .as_object_mut()
                    .unwrap()
                    .remove("integratedTime");
            }),
        ),
        (
            "an earlier time",
            logged(|entry| entry["Payload"]["integratedTime"] = json!(SIGNED_AT - 1)),
        ),
        (
            "a later time",
            logged(|entry| entry["Payload"]["integratedTime"] = json!(SIGNED_AT + 1)),
        ),
        (
            "the time 0",
            logged(|entry| entry["Payload"]["integratedTime"] = json!(0)),
        ),
        (
            "a time before 1970",
            logged(|entry| entry["Payload"]["integratedTime"] = json!(-1)),
        ),
        (
            "a time as a text",
            logged(|entry| {
                entry["Payload"]["integratedTime"] = json!(SIGNED_AT.to_string());
            }),
        ),
        (
            "another position",
            logged(|entry| entry["Payload"]["logIndex"] = json!(1)),
        ),
        (
            "another log",
            logged(|entry| entry["Payload"]["logID"] = json!("00".repeat(32))),
        ),
        (
            "a log without a name",
            logged(|entry| entry["Payload"]["logID"] = json!("")),
        ),
        (
            "a log with an odd name",
            logged(|entry| entry["Payload"]["logID"] = json!("abc")),
        ),
        (
            "an unknown annotation",
            Box::new(|proof| {
                proof["annotations"]["dev.sigstore.cosign/other"] = json!("");
            }),
        ),
        (
            "an unknown field",
            Box::new(|proof| proof["other"] = json!("")),
        ),
        (
            "a chain that is no chain",
            Box::new(|proof| {
                proof["annotations"]["dev.sigstore.cosign/chain"] =
                    json!("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
            }),
        ),
        (
            "a chain without an end",
            Box::new(|proof| {
                let certificate = proof
                    .pointer(CERTIFICATE)
                    .unwrap()
                    .as_str()
                    .unwrap()
                    .repeat(100);
                proof["annotations"]["dev.sigstore.cosign/chain"] = json!(certificate);
            }),
        ),
        (
            "a timestamp that is none",
            Box::new(|proof| {
                proof["annotations"]["dev.sigstore.cosign/rfc3161timestamp"] =
                    json!(r#"{"SignedRFC3161Timestamp": "AAAA"}"#);
            }),
        ),
    ];
    for (name, change) in &changes {
        original.refuses(name, change);
    }
}

#[test]
fn changes_of_a_bundle_are_refused() {
    let sigstore = Sigstore::new();
    let original = bundle_original(&sigstore);
    let about = |subject: &str| statement(SIGN, subject);
    let by_same = sigstore.bundle(&sigstore.workflow(), &about(&subject().to_string()));
    let other = Digest::of(b"other").to_string();
    let of_other = sigstore.bundle(&sigstore.workflow(), &about(&other));
    let material = "/verificationMaterial";
    let entries = "/verificationMaterial/tlogEntries";
    let entry = "/verificationMaterial/tlogEntries/0";
    let proof = "/verificationMaterial/tlogEntries/0/inclusionProof";
    let signatures = "/dsseEnvelope/signatures";
    let of = |bundle: &Value, pointer: &str| bundle.pointer(pointer).unwrap().clone();
    let changes: Vec<Change<'_>> = vec![
        (
            "an unknown version",
            set(
                "/mediaType",
                json!("application/vnd.dev.sigstore.bundle.v9+json"),
            ),
        ),
        (
            "the material of another signature",
            set(material, of(&by_same, material)),
        ),
        (
            "the entry of another signature",
            set(entries, of(&by_same, entries)),
        ),
        (
            "the certificate of another key",
            set(
                "/verificationMaterial/certificate",
                of(&by_same, "/verificationMaterial/certificate"),
            ),
        ),
        (
            "the envelope of another image",
            set("/dsseEnvelope", of(&of_other, "/dsseEnvelope")),
        ),
        ("all of another image", set("", of_other.clone())),
        ("no entry", set(entries, json!([]))),
        ("no entries", without(material, "tlogEntries")),
        ("no certificate", without(material, "certificate")),
        (
            "a key for the certificate",
            Box::new(|bundle| {
                let material = bundle["verificationMaterial"].as_object_mut().unwrap();
                material.remove("certificate");
                material.insert("publicKey".to_owned(), json!({"hint": ""}));
            }),
        ),
        (
            "a chain for the certificate",
            Box::new(|bundle| {
                let material = bundle["verificationMaterial"].as_object_mut().unwrap();
                let certificate = material.remove("certificate").unwrap();
                material.insert(
                    "x509CertificateChain".to_owned(),
                    json!({"certificates": [certificate]}),
                );
            }),
        ),
        ("no proof of inclusion", without(entry, "inclusionProof")),
        ("no promise", without(entry, "inclusionPromise")),
        ("no time", without(entry, "integratedTime")),
        ("no body", without(entry, "canonicalizedBody")),
        ("no log", without(entry, "logId")),
        (
            "another kind",
            set(
                "/verificationMaterial/tlogEntries/0/kindVersion/kind",
                json!("hashedrekord"),
            ),
        ),
        (
            "another version of the kind",
            set(
                "/verificationMaterial/tlogEntries/0/kindVersion/version",
                json!("0.0.2"),
            ),
        ),
        (
            "an earlier time",
            set(
                "/verificationMaterial/tlogEntries/0/integratedTime",
                json!((SIGNED_AT - 1).to_string()),
            ),
        ),
        (
            "a later time",
            set(
                "/verificationMaterial/tlogEntries/0/integratedTime",
                json!((SIGNED_AT + 1).to_string()),
            ),
        ),
        (
            "another position",
            set("/verificationMaterial/tlogEntries/0/logIndex", json!("1")),
        ),
        (
            "another position in the tree",
            set(
                "/verificationMaterial/tlogEntries/0/inclusionProof/logIndex",
                json!("0"),
            ),
        ),
        (
            "another size of the tree",
            set(
                "/verificationMaterial/tlogEntries/0/inclusionProof/treeSize",
                json!("3"),
            ),
        ),
        (
            "no hashes",
            set(
                "/verificationMaterial/tlogEntries/0/inclusionProof/hashes",
                json!([]),
            ),
        ),
        (
            "a hash twice",
            Box::new(|bundle| {
                let hashes = bundle
                    .pointer_mut("/verificationMaterial/tlogEntries/0/inclusionProof/hashes")
                    .unwrap();
                let first = hashes[0].clone();
                hashes.as_array_mut().unwrap().push(first);
            }),
        ),
        ("no checkpoint", without(proof, "checkpoint")),
        (
            "another kind of payload",
            set("/dsseEnvelope/payloadType", json!("text/plain")),
        ),
        ("no signature", set(signatures, json!([]))),
        (
            "two signatures",
            Box::new(|bundle| {
                let first = bundle["dsseEnvelope"]["signatures"][0].clone();
                bundle["dsseEnvelope"]["signatures"]
                    .as_array_mut()
                    .unwrap()
                    .push(first);
            }),
        ),
        ("no envelope", without("", "dsseEnvelope")),
        (
            "a message and an envelope",
            Box::new(|bundle| {
                bundle["messageSignature"] = json!({"signature": "AAAA"});
            }),
        ),
        (
            "a certificate and a key",
            Box::new(|bundle| {
                bundle["verificationMaterial"]["publicKey"] = json!({"hint": ""});
            }),
        ),
        (
            "a message for the envelope",
            Box::new(|bundle| {
                let envelope = bundle
                    .as_object_mut()
                    .unwrap()
                    .remove("dsseEnvelope")
                    .unwrap();
                bundle["messageSignature"] = json!({"signature": envelope["signatures"][0]["sig"]});
            }),
        ),
        (
            "a timestamp that is none",
            Box::new(|bundle| {
                bundle["verificationMaterial"]["timestampVerificationData"] =
                    json!({"rfc3161Timestamps": [{"signedTimestamp": "AAAA"}]});
            }),
        ),
    ];
    for (name, change) in &changes {
        original.refuses(name, change);
    }
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
