//! An instance of Sigstore in memory, made for each test: a certificate authority, a log of certificates, a transparency
//! log, and signers that use them or have only a key. It is written by hand from the specifications, so it shares no
//! code with the verifier under test but for the elliptic curve of the crate `rcgen`.
//!
//! Sources: cosign, `specs/SIGNATURE_SPEC.md` and `specs/BUNDLE_SPEC.md`; Fulcio, `docs/oid-info.md` and
//! `docs/certificate-specification.md`; RFC 6962 (signed certificate timestamps, Merkle trees); Rekor's `openapi.yaml`;
//! `sigstore_bundle.proto` and `sigstore_trustroot.proto`.

mod certificate;
mod log;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use self::certificate::{Authority, CertificateLog};
use self::log::TransparencyLog;
use super::image::{Family, Image, digest, hex};
use super::scripted_registry::{Answer, Registry, get, head};

pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
pub(crate) const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
pub(crate) const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// The workflow that signs, unless a test says otherwise.
pub(crate) const WORKFLOW: &str =
    "https://github.com/team/app/.github/workflows/release.yml@refs/tags/v1";
/// Who says so.
pub(crate) const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// When everything is signed: noon of a day on which the certificates are valid. 2026-01-15T12:00:00Z
pub(crate) const SIGNED_AT: i64 = 1_768_478_400;

/// Bytes in base64.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The instance.
pub(crate) struct Sigstore {
    authority: Authority,
    certificates: CertificateLog,
    log: TransparencyLog,
}

/// A key of a signer, with the certificate if it has one.
pub(crate) struct Signer {
    key: KeyPair,
    certificate: Option<Vec<u8>>,
}

impl Signer {
    /// A signer with nothing but a key.
    pub(crate) fn with_key() -> Self {
        Self {
            key: KeyPair::generate().unwrap(),
            certificate: None,
        }
    }

    /// The public key in PEM, with the line ends of cosign.
    pub(crate) fn public_key(&self) -> String {
        pem("PUBLIC KEY", &self.key.subject_public_key_info())
    }

    /// What a log says of the signer: the certificate, or the key.
    fn verifier(&self) -> String {
        match &self.certificate {
            Some(certificate) => pem("CERTIFICATE", certificate),
            None => self.public_key(),
        }
    }

    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.key.sign(bytes).unwrap()
    }
}

/// A signature in cosign's old form.
#[derive(Clone, Debug)]
pub(crate) struct Simple {
    pub(crate) payload: Vec<u8>,
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Sigstore {
    pub(crate) fn new() -> Self {
        Self {
            authority: Authority::new(),
            certificates: CertificateLog::new(),
            log: TransparencyLog::new(),
        }
    }

    /// `trusted_root.json`
    pub(crate) fn trusted_root(&self) -> Value {
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log_of(self.log.key())],
            "certificateAuthorities": [{
                "subject": {"organization": "tests", "commonName": "tests"},
                "uri": "https://fulcio.example.com",
                "certChain": {"certificates": [{"rawBytes": base64(self.authority.der())}]},
                "validFor": {"start": "2025-01-01T00:00:00Z"},
            }],
            "ctlogs": [log_of(self.certificates.key())],
            "timestampAuthorities": [],
        })
    }

    /// A signer with a certificate for an identity.
    pub(crate) fn signer(&self, identity: &str, issuer: &str) -> Signer {
        let key = KeyPair::generate().unwrap();
        let certificate = self
            .authority
            .certify(&key, identity, issuer, &self.certificates);
        Signer {
            key,
            certificate: Some(certificate),
        }
    }

    /// The usual workflow.
    pub(crate) fn workflow(&self) -> Signer {
        self.signer(WORKFLOW, GITHUB)
    }

    /// A signature in cosign's old form, with an entry in the log.
    pub(crate) fn simple(&self, signer: &Signer, subject: &str) -> Simple {
        let mut simple = unlogged(signer, subject);
        let signature = simple.annotations["dev.cosignproject.cosign/signature"].clone();
        let body = hashed_rekord(&hex(&simple.payload), &signature, &signer.verifier());
        let entry = self.log.entry(&body, SIGNED_AT);
        let bundle = json!({
            "SignedEntryTimestamp": base64(&entry.promise),
            "Payload": {
                "body": base64(&body),
                "integratedTime": SIGNED_AT,
                "logIndex": entry.index,
                "logID": self.log.id_in_hex(),
            },
        });
        simple
            .annotations
            .insert("dev.sigstore.cosign/bundle".to_owned(), bundle.to_string());
        simple
    }

    /// A bundle with a statement about a subject, with an entry in the log.
    pub(crate) fn bundle(&self, signer: &Signer, statement: &Value) -> Value {
        let mut bundle = unlogged_bundle(signer, statement);
        let envelope = &bundle["dsseEnvelope"];
        let payload = STANDARD
            .decode(envelope["payload"].as_str().unwrap())
            .unwrap();
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": {"algorithm": "sha256", "value": hex(envelope.to_string().as_bytes())},
                "payloadHash": {"algorithm": "sha256", "value": hex(&payload)},
                "signatures": [{
                    "signature": envelope["signatures"][0]["sig"],
                    "verifier": base64(signer.verifier().as_bytes()),
                }],
            },
        });
        let body = body.to_string().into_bytes();
        let entry = self.log.entry(&body, SIGNED_AT);
        bundle["verificationMaterial"]["tlogEntries"] = json!([{
            "logIndex": entry.index.to_string(),
            "logId": {"keyId": base64(&self.log.id())},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": SIGNED_AT.to_string(),
            "inclusionPromise": {"signedEntryTimestamp": base64(&entry.promise)},
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": base64(&entry.root),
                "treeSize": "2",
                "hashes": [base64(&entry.sibling)],
                "checkpoint": {"envelope": entry.checkpoint},
            },
            "canonicalizedBody": base64(&body),
        }]);
        bundle
    }
}

/// A signature in cosign's old form that no log has seen.
pub(crate) fn unlogged(signer: &Signer, subject: &str) -> Simple {
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": "registry.example.com/team/app"},
            "image": {"docker-manifest-digest": subject},
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    signed_payload(signer, payload.to_string().as_bytes())
}

/// The signature of any payload.
pub(crate) fn signed_payload(signer: &Signer, payload: &[u8]) -> Simple {
    let mut annotations = BTreeMap::new();
    annotations.insert(
        "dev.cosignproject.cosign/signature".to_owned(),
        base64(&signer.sign(payload)),
    );
    if signer.certificate.is_some() {
        annotations.insert(
            "dev.sigstore.cosign/certificate".to_owned(),
            signer.verifier(),
        );
    }
    Simple {
        payload: payload.to_vec(),
        annotations,
    }
}

/// A statement about a subject, `sha256:…`.
pub(crate) fn statement(predicate: &str, subject: &str) -> Value {
    let hex = subject.strip_prefix("sha256:").unwrap();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": hex}}],
        "predicateType": predicate,
        "predicate": {},
    })
}

/// A bundle that no log has seen.
pub(crate) fn unlogged_bundle(signer: &Signer, statement: &Value) -> Value {
    let kind = "application/vnd.in-toto+json";
    let payload = statement.to_string();
    let encoded = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    let material = match &signer.certificate {
        Some(certificate) => json!({"certificate": {"rawBytes": base64(certificate)}}),
        None => json!({"publicKey": {"hint": ""}}),
    };
    json!({
        "mediaType": BUNDLE,
        "verificationMaterial": material,
        "dsseEnvelope": {
            "payload": base64(payload.as_bytes()),
            "payloadType": kind,
            "signatures": [{"sig": base64(&signer.sign(encoded.as_bytes()))}],
        },
    })
}

fn hashed_rekord(payload: &str, signature: &str, verifier: &str) -> Vec<u8> {
    let body = json!({
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": payload}},
            "signature": {
                "content": signature,
                "publicKey": {"content": base64(verifier.as_bytes())},
            },
        },
    });
    body.to_string().into_bytes()
}

fn log_of(key: &KeyPair) -> Value {
    let spki = key.subject_public_key_info();
    json!({
        "baseUrl": "https://log.example.com",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": base64(&spki),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": {"start": "2025-01-01T00:00:00Z"},
        },
        "logId": {"keyId": base64(&Sha256::digest(&spki))},
    })
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = base64(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap());
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

/// The manifest of a `.sig` tag with these signatures, and its blobs.
pub(crate) fn simple_manifest(signatures: &[Simple]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let config = b"{}".to_vec();
    let layers: Vec<_> = signatures
        .iter()
        .map(|one| {
            json!({
                "mediaType": SIMPLE_SIGNING,
                "digest": digest(&one.payload),
                "size": one.payload.len(),
                "annotations": one.annotations,
            })
        })
        .collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest(&config),
            "size": config.len(),
        },
        "layers": layers,
    });
    let mut blobs: Vec<_> = signatures.iter().map(|one| one.payload.clone()).collect();
    blobs.push(config);
    (manifest.to_string().into_bytes(), blobs)
}

/// The manifest of a bundle about a subject, with the given descriptor, and its blobs.
pub(crate) fn bundle_manifest(bundle: &Value, subject: &Value) -> (Vec<u8>, Vec<Vec<u8>>) {
    let empty = b"{}".to_vec();
    let bundle = bundle.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": BUNDLE,
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": digest(&empty),
            "size": empty.len(),
        },
        "layers": [{"mediaType": BUNDLE, "digest": digest(&bundle), "size": bundle.len()}],
        "subject": subject,
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": SIGN,
        },
    });
    (manifest.to_string().into_bytes(), vec![empty, bundle])
}

/// An index of referrers with these manifests.
pub(crate) fn referrers(manifests: &[&[u8]]) -> Vec<u8> {
    let entries: Vec<_> = manifests
        .iter()
        .map(|manifest| {
            json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": digest(manifest),
                "size": manifest.len(),
                "artifactType": BUNDLE,
            })
        })
        .collect();
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": entries,
    });
    index.to_string().into_bytes()
}
