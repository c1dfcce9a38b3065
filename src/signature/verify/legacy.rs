//! cosign's annotations as Sigstore bundles of version 0.1, whose log entries need no proof of inclusion: cosign's own
//! have only the log's promise.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::simple_signing::SimpleSigning;
use super::super::{Error, json as strict};
use super::invalid_text;

/// The media type of the bundles.
const BUNDLE_0_1: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";

/// The maximum number of certificates between the signer's and the root.
const MAX_CHAIN: usize = 10;

/// Returns the bundle of a signature with a certificate, which must have an entry in a log.
pub(super) fn certified(simple: &SimpleSigning) -> Result<String, Error> {
    let annotations = &simple.annotations;
    let Some(certificate) = &annotations.certificate else {
        return Err(invalid_text("it has no certificate"));
    };
    let Some(entry) = entry(simple)? else {
        return Err(invalid_text("it has no entry of a transparency log"));
    };
    let own = certificates(certificate)?;
    if own.len() != 1 {
        return Err(invalid_text("it has several certificates of signers"));
    }
    let chain = match &annotations.chain {
        Some(chain) => certificates(chain)?,
        None => Vec::new(),
    };
    if chain.len() > MAX_CHAIN {
        return Err(invalid_text("its chain of certificates is too long"));
    }
    let certificates: Vec<_> = own
        .iter()
        .chain(&chain)
        .map(|certificate| json!({"rawBytes": certificate}))
        .collect();
    let chain = (
        "x509CertificateChain",
        json!({"certificates": certificates}),
    );
    bundle(simple, chain, &entry)
}

/// Returns the bundle of a signature by a key. `None` if it has no entry in a log.
pub(super) fn keyed(simple: &SimpleSigning) -> Result<Option<String>, Error> {
    let Some(entry) = entry(simple)? else {
        return Ok(None);
    };
    bundle(simple, ("publicKey", json!({"hint": ""})), &entry).map(Some)
}

fn bundle(
    simple: &SimpleSigning,
    (kind, signer): (&str, Value),
    entry: &Value,
) -> Result<String, Error> {
    let mut timestamps = Vec::new();
    if let Some(timestamp) = &simple.annotations.timestamp {
        let timestamp: Timestamp = parse("its timestamp", timestamp.as_bytes())?;
        timestamps.push(json!({"signedTimestamp": timestamp.signed}));
    }
    let material = json!({
        kind: signer,
        "tlogEntries": [entry],
        "timestampVerificationData": {"rfc3161Timestamps": timestamps},
    });
    let bundle = json!({
        "mediaType": BUNDLE_0_1,
        "verificationMaterial": material,
        "messageSignature": {"signature": simple.annotations.signature},
    });
    Ok(bundle.to_string())
}

/// Returns the entry of the log as bundles have it.
fn entry(simple: &SimpleSigning) -> Result<Option<Value>, Error> {
    let Some(text) = &simple.annotations.bundle else {
        return Ok(None);
    };
    let Logged { promise, payload } = parse("its entry of a log", text.as_bytes())?;
    let body = STANDARD
        .decode(&payload.body)
        .map_err(|error| invalid_text(&format!("its entry of a log: {error}")))?;
    let Body { kind, version } = parse("its entry of a log", &body)?;
    let id = hex(&payload.log_id).ok_or_else(|| invalid_text("its log has an invalid name"))?;
    Ok(Some(json!({
        "logIndex": payload.log_index.to_string(),
        "logId": {"keyId": STANDARD.encode(id)},
        "kindVersion": {"kind": kind, "version": version},
        "integratedTime": payload.integrated_time.to_string(),
        "inclusionPromise": {"signedEntryTimestamp": promise},
        "canonicalizedBody": payload.body,
    })))
}

/// The annotation `dev.sigstore.cosign/bundle` (cosign, `specs/SIGNATURE_SPEC.md`).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Logged {
    #[serde(rename = "SignedEntryTimestamp")]
    promise: String,
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    body: String,
    integrated_time: u64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

#[derive(Deserialize)]
struct Body {
    kind: String,
    #[serde(rename = "apiVersion")]
    version: String,
}

#[derive(Deserialize)]
struct Timestamp {
    #[serde(rename = "SignedRFC3161Timestamp")]
    signed: String,
}

fn parse<T: serde::de::DeserializeOwned>(what: &str, text: &[u8]) -> Result<T, Error> {
    strict::parse(text).map_err(|error| invalid_text(&format!("{what}: {error}")))
}

/// Returns the certificates in a PEM text, each in base64.
fn certificates(pem: &str) -> Result<Vec<String>, Error> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .take(MAX_CHAIN + 2)
        .map(|certificate| match certificate {
            Ok(certificate) => Ok(STANDARD.encode(&certificate)),
            Err(error) => Err(invalid_text(&format!("its certificate: {error}"))),
        })
        .collect()
}

/// Decodes hexadecimal digits.
fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let decoded = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    decoded
        .collect::<Option<Vec<_>>>()
        .filter(|_| rest.is_empty())
}
