//! cosign's signatures of the form "simple signing": a payload that names an image, and annotations with the signature
//! of the payload.
//!
//! Source: cosign, `specs/SIGNATURE_SPEC.md`; containers-signature(5).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::json;

/// The media type of payloads, and of proofs that contain one.
pub const PAYLOAD_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// A payload and its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SimpleSigning {
    /// The bytes that are signed.
    pub(super) payload: Vec<u8>,
    /// The annotations.
    pub(super) annotations: Annotations,
}

/// The annotations of a payload, under cosign's names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Annotations {
    /// The signature of the payload in base64.
    #[serde(rename = "dev.cosignproject.cosign/signature")]
    pub(super) signature: String,
    /// The certificate in PEM. Signatures by a key have none.
    #[serde(
        rename = "dev.sigstore.cosign/certificate",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) certificate: Option<String>,
    /// The certificates between that one and the root in PEM.
    #[serde(
        rename = "dev.sigstore.cosign/chain",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) chain: Option<String>,
    /// The entry of the transparency log as JSON.
    #[serde(
        rename = "dev.sigstore.cosign/bundle",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) bundle: Option<String>,
    /// The answer of a timestamp authority (RFC 3161) as JSON.
    #[serde(
        rename = "dev.sigstore.cosign/rfc3161timestamp",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) timestamp: Option<String>,
}

impl Annotations {
    /// Takes the annotations of a signature. `None` if there is no signature.
    fn of(all: &BTreeMap<String, String>) -> Option<Self> {
        let named = |name: &str| {
            let value = all.get(name).cloned();
            // cosign writes an empty text if it has no value.
            value.filter(|value| !value.is_empty())
        };
        Some(Self {
            signature: named("dev.cosignproject.cosign/signature")?,
            certificate: named("dev.sigstore.cosign/certificate"),
            chain: named("dev.sigstore.cosign/chain"),
            bundle: named("dev.sigstore.cosign/bundle"),
            timestamp: named("dev.sigstore.cosign/rfc3161timestamp"),
        })
    }
}

/// The text of a proof with a simple signature: cosign has no file of its own for both parts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Raw {
    media_type: String,
    payload: String,
    annotations: Annotations,
}

impl SimpleSigning {
    /// Creates a signature from a payload and its annotations. `None` if the annotations have no signature.
    pub(super) fn new(payload: &[u8], annotations: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            payload: payload.to_vec(),
            annotations: Annotations::of(annotations)?,
        })
    }

    /// Returns the text of the proof, always the same for the same signature.
    pub(super) fn text(&self) -> String {
        let raw = Raw {
            media_type: PAYLOAD_TYPE.to_owned(),
            payload: STANDARD.encode(&self.payload),
            annotations: self.annotations.clone(),
        };
        // Texts are always valid JSON.
        let mut text = serde_json::to_string_pretty(&raw).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Parses the text of a proof.
    pub(super) fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        use serde::de::Error as _;
        let raw: Raw = json::parse(text)?;
        if raw.media_type != PAYLOAD_TYPE {
            return Err(serde_json::Error::custom("unknown media type"));
        }
        let payload = STANDARD.decode(&raw.payload);
        Ok(Self {
            payload: payload.map_err(serde_json::Error::custom)?,
            annotations: raw.annotations,
        })
    }
}
