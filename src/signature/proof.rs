//! Proofs: files that show who signed an image.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::simple_signing::{PAYLOAD_TYPE, SimpleSigning};
use super::{BUNDLE_TYPE, json};
use crate::causes;
use crate::class::Class;
use crate::oci::digest::Digest;
use crate::printable::Printable;

/// The maximum size of a proof in bytes: 1 MiB. Bundles usually have about 10 KiB.
pub const MAX_PROOF_SIZE: usize = 1 << 20;

/// A proof that somebody signed something, not verified. It is a Sigstore bundle as it was fetched, or a text with
/// cosign's simple signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    text: String,
    digest: Digest,
    pub(super) content: Content,
}

/// The content of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A Sigstore bundle, which is the text of the proof.
    Bundle,
    /// A simple signature.
    SimpleSigning(Box<SimpleSigning>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    media_type: String,
}

impl Proof {
    /// Parses the text of a proof. The parts of a bundle are checked when it is verified.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, ProofError> {
        if bytes.len() > MAX_PROOF_SIZE {
            return Err(ProofError::TooLarge);
        }
        let malformed =
            |error: &serde_json::Error| ProofError::Malformed(Printable::new(&causes::line(error)));
        let kind: Kind = json::parse(&bytes).map_err(|error| malformed(&error))?;
        let content = if kind.media_type.starts_with(BUNDLE_TYPE) {
            Content::Bundle
        } else if kind.media_type == PAYLOAD_TYPE {
            let simple = SimpleSigning::parse(&bytes).map_err(|error| malformed(&error))?;
            Content::SimpleSigning(Box::new(simple))
        } else {
            return Err(ProofError::Unknown(Printable::new(&kind.media_type)));
        };
        let digest = Digest::of(&bytes);
        let text = String::from_utf8(bytes).map_err(|_| ProofError::NotText)?;
        Ok(Self {
            text,
            digest,
            content,
        })
    }

    /// Creates the proof of one of cosign's simple signatures: a payload and the annotations of its descriptor. `None`
    /// if the annotations have no signature.
    pub fn of_simple_signing(
        payload: &[u8],
        annotations: &BTreeMap<String, String>,
    ) -> Result<Option<Self>, ProofError> {
        let Some(simple) = SimpleSigning::new(payload, annotations) else {
            return Ok(None);
        };
        Self::parse(simple.text().into_bytes()).map(Some)
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the digest of the text.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// A text that is not a proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The text is larger than [`MAX_PROOF_SIZE`].
    #[error("the signature is larger than {} KiB", MAX_PROOF_SIZE >> 10)]
    TooLarge,
    /// The text is not JSON of the expected form.
    #[error("the signature is not the expected JSON: {0}")]
    Malformed(Printable),
    /// The bytes are not UTF-8.
    #[error("the signature is not UTF-8")]
    NotText,
    /// The text has another media type.
    #[error("the signature has the unknown media type {0}")]
    Unknown(Printable),
}

impl ProofError {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        Class::Integrity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simple_signature_is_written_and_read_without_a_change() {
        let annotations: BTreeMap<_, _> = [
            ("dev.cosignproject.cosign/signature", "c2lnbmF0dXJl"),
            ("dev.sigstore.cosign/certificate", ""),
            ("dev.sigstore.cosign/bundle", "{}"),
            ("other", "ignored"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let proof = Proof::of_simple_signing(b"\xff payload", &annotations);
        let proof = proof.unwrap().unwrap();
        let Content::SimpleSigning(simple) = &proof.content else {
            panic!("{proof:?}");
        };
        assert_eq!(simple.payload, b"\xff payload");
        assert_eq!(simple.annotations.certificate, None);
        assert_eq!(simple.annotations.bundle.as_deref(), Some("{}"));
        assert!(!proof.text().contains("ignored"));
        let again = Proof::parse(proof.text().as_bytes().to_vec()).unwrap();
        assert_eq!(again, proof);
        assert_eq!(
            Proof::of_simple_signing(b"payload", &BTreeMap::new()),
            Ok(None)
        );
    }

    #[test]
    fn what_is_no_proof_is_refused() {
        let bundle = format!("{{\"mediaType\": \"{BUNDLE_TYPE}.v0.3+json\"}}");
        Proof::parse(bundle.clone().into_bytes()).unwrap();
        for text in [
            String::new(),
            "{}".to_owned(),
            "[]".to_owned(),
            "{\"mediaType\": \"application/json\"}".to_owned(),
            format!("{bundle}{bundle}"),
            bundle.replace('}', ", \"mediaType\": \"other\"}"),
            format!("{{\"mediaType\": \"{PAYLOAD_TYPE}\"}}"),
            format!(
                "{{\"mediaType\": \"{PAYLOAD_TYPE}\", \"payload\": \"*\", \"annotations\": \
                 {{\"dev.cosignproject.cosign/signature\": \"\"}}}}"
            ),
            " ".repeat(MAX_PROOF_SIZE + 1),
        ] {
            assert!(Proof::parse(text.clone().into_bytes()).is_err(), "{text}");
        }
    }
}
