//! Signatures by a key. `sigstore-verify` accepts them only with an entry in a log or a timestamp. Those without either
//! are verified by `sigstore-crypto` alone: owners of keys often sign where no log is in reach, and the key itself is
//! the anchor of trust.

use sigstore_verify as sigstore;
use sigstore_verify::PublicKeyVerificationPolicy;
use sigstore_verify::crypto::{KeyAlgorithm, VerificationKey};
use sigstore_verify::types::bundle::VerificationMaterialContent;
use sigstore_verify::types::{
    Artifact, Bundle, DerPublicKey, HashAlgorithm, SignatureBytes, SignatureContent,
};

use super::super::{Error, PublicKey, Signature};
use super::{invalid, invalid_text, latest};

/// Verifies a bundle that `key` signed. An entry of a log or a timestamp in it must be valid.
pub(super) fn bundle(
    verifier: &sigstore::Verifier,
    bundle: &Bundle,
    artifact: Artifact<'_>,
    key: &PublicKey,
) -> Result<Signature, Error> {
    let material = &bundle.verification_material;
    if !matches!(material.content, VerificationMaterialContent::PublicKey(_)) {
        return Err(invalid_text("it has a certificate, not a key"));
    }
    let is_logged = !material.tlog_entries.is_empty();
    let is_timed = !material
        .timestamp_verification_data
        .rfc3161_timestamps
        .is_empty();
    if !is_logged && !is_timed {
        unlogged(bundle, &artifact, key)?;
        return Ok(by_key(None));
    }
    let mut policy = PublicKeyVerificationPolicy::new(der(key));
    if !is_logged {
        policy = policy.skip_tlog_unsafe();
    }
    let result = verifier
        .verify(artifact, bundle, &policy)
        .map_err(invalid)?;
    if result.tlog_verified() != is_logged {
        return Err(invalid_text("a part of it was not checked"));
    }
    Ok(by_key(latest(&result)))
}

/// Verifies the signature of a payload in base64.
pub(super) fn payload(
    payload: &[u8],
    signature: &str,
    key: &PublicKey,
) -> Result<Signature, Error> {
    let signature =
        SignatureBytes::from_base64(signature).map_err(|error| invalid_text(&error.to_string()))?;
    let key = verification_key(key)?;
    let verified = key.verify(payload, &signature);
    verified.map_err(|error| invalid_text(&error.to_string()))?;
    Ok(by_key(None))
}

/// Verifies the signature in a bundle without a log or a timestamp.
fn unlogged(bundle: &Bundle, artifact: &Artifact<'_>, key: &PublicKey) -> Result<(), Error> {
    let key = verification_key(key)?;
    let verified = match &bundle.content {
        SignatureContent::DsseEnvelope(envelope) => {
            key.verify(envelope.pae(), &envelope.signature.sig)
        }
        SignatureContent::MessageSignature(message) => {
            let Artifact::Digest(digest) = artifact else {
                return Err(invalid_text("it signs no manifest or index"));
            };
            let named = message.message_digest.as_ref();
            if named.is_some_and(|named| {
                named.algorithm != HashAlgorithm::Sha2256 || named.digest != digest.as_bytes()
            }) {
                return Err(invalid_text("it names another digest"));
            }
            key.verify_prehashed(digest.as_bytes(), &message.signature)
        }
        _ => return Err(invalid_text("it has an unknown content")),
    };
    verified.map_err(|error| invalid_text(&error.to_string()))
}

/// Returns the key with the algorithm that cosign uses for its kind.
fn verification_key(key: &PublicKey) -> Result<VerificationKey, Error> {
    let key = der(key);
    let scheme = KeyAlgorithm::from_spki(&key).map(|kind| kind.default_signing_scheme());
    scheme
        .and_then(|scheme| VerificationKey::from_spki_with_scheme(&key, scheme))
        .map_err(|error| invalid_text(&error.to_string()))
}

fn der(key: &PublicKey) -> DerPublicKey {
    DerPublicKey::from_bytes(key.der())
}

fn by_key(time: Option<i64>) -> Signature {
    Signature {
        identity: None,
        issuer: None,
        time,
    }
}
