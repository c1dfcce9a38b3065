//! The verifier. It decides which checks a proof must pass; `sigstore-verify` carries them out.

mod keyed;
mod legacy;
mod payload;
mod statement;

use std::fmt;

use serde_json::Value;
use sigstore_verify as sigstore;
use sigstore_verify::VerificationPolicy;
use sigstore_verify::trust_root::{
    SIGSTORE_GITHUB_TRUSTED_ROOT, SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot,
};
use sigstore_verify::types::{Artifact, Bundle, Sha256Hash, SignatureContent};

use super::proof::Content;
use super::simple_signing::SimpleSigning;
use super::{Error, Proof, PublicKey, Signature, Signer, json};
use crate::causes;
use crate::oci::digest::Digest;
use crate::printable::Printable;

/// The issuer whose signatures for private repositories have certificates and timestamps of GitHub's own authorities,
/// and no entry in a log.
const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";

/// The fields of which a bundle has one (`oneof` in `sigstore_bundle.proto`), with the path of their object. Of two,
/// programs could take different ones.
const ALTERNATIVES: [(&str, &[&str]); 2] = [
    ("", &["dsseEnvelope", "messageSignature"]),
    (
        "/verificationMaterial",
        &["certificate", "publicKey", "x509CertificateChain"],
    ),
];

/// Verifies proofs with the authorities and logs of a trusted root.
pub struct Verifier {
    sigstore: sigstore::Verifier,
    /// GitHub's own authorities. Absent if the user names a trusted root.
    github: Option<sigstore::Verifier>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl Verifier {
    /// Creates a verifier with the trusted roots of Sigstore's public instance and of GitHub, as they were when this
    /// program was built.
    ///
    /// # Errors
    ///
    /// [`Error::TrustedRoot`] if one of them cannot be used.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            sigstore: of_root(SIGSTORE_PRODUCTION_TRUSTED_ROOT)?,
            github: Some(of_root(SIGSTORE_GITHUB_TRUSTED_ROOT)?),
        })
    }

    /// Creates a verifier with another trusted root (`trusted_root.json`), such as that of a private instance.
    ///
    /// # Errors
    ///
    /// [`Error::TrustedRoot`] if it cannot be used.
    pub fn with_root(root: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(root)
            .map_err(|error| Error::TrustedRoot(Printable::new(&error.to_string())))?;
        Ok(Self {
            sigstore: of_root(text)?,
            github: None,
        })
    }

    /// Verifies that a proof shows that `signer` signed the manifest or index with the digest `subject`.
    pub fn verify(
        &self,
        proof: &Proof,
        subject: &Digest,
        signer: &Signer,
    ) -> Result<Signature, Error> {
        match (signer, &proof.content) {
            (Signer::Key(key), Content::Bundle) => {
                let bundle = bundle(proof.text())?;
                check_statement(&bundle, subject)?;
                self.keyed_bundle(&bundle, subject, key)
            }
            (Signer::Key(key), Content::SimpleSigning(simple)) => {
                payload::check(&simple.payload, subject)?;
                self.keyed_simple(simple, key)
            }
            (Signer::Certificate { identity, issuer }, content) => {
                let signature = match content {
                    Content::Bundle => {
                        let bundle = bundle(proof.text())?;
                        check_statement(&bundle, subject)?;
                        self.certified_bundle(&bundle, subject, issuer.as_str())?
                    }
                    Content::SimpleSigning(simple) => {
                        payload::check(&simple.payload, subject)?;
                        self.certified_simple(simple)?
                    }
                };
                let is_wanted = signature.issuer.as_deref() == Some(issuer.as_str())
                    && signature
                        .identity
                        .as_deref()
                        .is_some_and(|found| identity.matches(found));
                if is_wanted {
                    Ok(signature)
                } else {
                    Err(other_signer(&signature, signer))
                }
            }
        }
    }

    /// Verifies a bundle with a certificate, without a decision about the signer.
    fn certified_bundle(
        &self,
        bundle: &Bundle,
        subject: &Digest,
        issuer: &str,
    ) -> Result<Signature, Error> {
        let artifact = artifact(subject)?;
        let in_no_log = bundle.verification_material.tlog_entries.is_empty();
        if let Some(github) = &self.github
            && in_no_log
            && issuer == GITHUB_ISSUER
        {
            let policy = VerificationPolicy::any_identity()
                .skip_tlog_unsafe()
                .skip_sct();
            let result = github.verify(artifact, bundle, &policy).map_err(invalid)?;
            return certified(&result, Evidence::Timestamp);
        }
        let policy = VerificationPolicy::any_identity();
        let result = self
            .sigstore
            .verify(artifact, bundle, &policy)
            .map_err(invalid)?;
        certified(&result, Evidence::Log)
    }

    /// Verifies one of cosign's simple signatures with a certificate, without a decision about the signer.
    fn certified_simple(&self, simple: &SimpleSigning) -> Result<Signature, Error> {
        let bundle = bundle(&legacy::certified(simple)?)?;
        let policy = VerificationPolicy::any_identity();
        let payload = simple.payload.as_slice();
        let result = self
            .sigstore
            .verify(payload, &bundle, &policy)
            .map_err(invalid)?;
        certified(&result, Evidence::Log)
    }

    fn keyed_bundle(
        &self,
        bundle: &Bundle,
        subject: &Digest,
        key: &PublicKey,
    ) -> Result<Signature, Error> {
        keyed::bundle(&self.sigstore, bundle, artifact(subject)?, key)
    }

    fn keyed_simple(&self, simple: &SimpleSigning, key: &PublicKey) -> Result<Signature, Error> {
        match legacy::keyed(simple)? {
            Some(text) => {
                let payload = Artifact::from(simple.payload.as_slice());
                keyed::bundle(&self.sigstore, &bundle(&text)?, payload, key)
            }
            None => keyed::payload(&simple.payload, &simple.annotations.signature, key),
        }
    }
}

/// What must have seen a signature with a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Evidence {
    /// A transparency log, and a log of certificates.
    Log,
    /// A timestamp authority.
    Timestamp,
}

/// Returns the claims of a verified certificate.
fn certified(
    result: &sigstore::VerificationResult,
    evidence: Evidence,
) -> Result<Signature, Error> {
    let in_logs = result.tlog_verified() && result.sct_verified();
    let time = latest(result);
    // The policies require this; nothing here depends on how they are written.
    if !result.certificate_verified() || time.is_none() || (evidence == Evidence::Log && !in_logs) {
        return Err(invalid_text("a part of it was not checked"));
    }
    Ok(Signature {
        identity: result
            .identity()
            .map(|identity| identity.as_str().to_owned()),
        issuer: result.issuer().map(ToOwned::to_owned),
        time,
    })
}

/// Returns the latest verified time: the others must not make a signature older than it is.
fn latest(result: &sigstore::VerificationResult) -> Option<i64> {
    let times = result.verified_timestamps().iter();
    times.map(|time| time.as_second()).max()
}

fn of_root(text: &str) -> Result<sigstore::Verifier, Error> {
    let unusable =
        |error: &dyn std::error::Error| Error::TrustedRoot(Printable::new(&causes::line(error)));
    let root = TrustedRoot::from_json(text).map_err(|error| unusable(&error))?;
    sigstore::Verifier::new(&root).map_err(|error| unusable(&error))
}

fn bundle(text: &str) -> Result<Bundle, Error> {
    let value: Value =
        json::parse(text.as_bytes()).map_err(|error| invalid_text(&error.to_string()))?;
    for (parent, alternatives) in ALTERNATIVES {
        let parent = value.pointer(parent).and_then(Value::as_object);
        let has = |key: &&&str| parent.is_some_and(|parent| parent.contains_key(**key));
        if alternatives.iter().filter(has).count() > 1 {
            let alternatives = alternatives.join("`, `");
            return Err(invalid_text(&format!("it has several of `{alternatives}`")));
        }
    }
    Bundle::from_json(text).map_err(|error| invalid_text(&causes::line(&error)))
}

/// Checks that the statement in a bundle vouches for `subject`. A bundle without a statement is a signature of the
/// content itself.
fn check_statement(bundle: &Bundle, subject: &Digest) -> Result<(), Error> {
    match &bundle.content {
        SignatureContent::DsseEnvelope(envelope)
            if envelope.payload_type == statement::PAYLOAD_TYPE =>
        {
            statement::check(envelope.payload.as_bytes(), subject)
        }
        SignatureContent::DsseEnvelope(envelope) => Err(Error::OtherStatement(Printable::new(
            &envelope.payload_type,
        ))),
        _ => Ok(()),
    }
}

/// Returns what is signed: the manifest or index, known by its digest.
fn artifact(subject: &Digest) -> Result<Artifact<'static>, Error> {
    match subject {
        Digest::Sha256(bytes) => Ok(Artifact::from(Sha256Hash::new(*bytes))),
        Digest::Sha512(_) => Err(Error::OtherSubject(Printable::new(
            "hocker verifies signatures only for SHA-256",
        ))),
    }
}

fn other_signer(found: &Signature, wanted: &Signer) -> Error {
    let identity = found.identity.as_deref().unwrap_or("nobody");
    let issuer = found.issuer.as_deref().unwrap_or("none");
    Error::OtherSigner {
        found: Printable::new(&format!("{identity} (issuer {issuer})")),
        wanted: Printable::new(&wanted.to_string()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn invalid(error: sigstore::Error) -> Error {
    invalid_text(&causes::line(&error))
}

fn invalid_text(text: &str) -> Error {
    Error::Invalid(Printable::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: `tests/data/README.md`.
    const GITHUB_RELEASE: &str = include_str!("verify/github_release.json");

    #[test]
    fn githubs_own_authorities_count_for_signatures_of_its_workflows_alone() {
        let subject = "sha256:76f1fe8593bf227cca2c089e3c16dc95014a8d3e89c5dd220530469ca043c428";
        let subject: Digest = subject.parse().unwrap();
        let release = bundle(GITHUB_RELEASE).unwrap();
        let verifier = Verifier::new().unwrap();
        let signature = verifier
            .certified_bundle(&release, &subject, GITHUB_ISSUER)
            .unwrap();
        let identity = signature.identity.as_deref();
        assert_eq!(identity, Some("https://dotcom.releases.github.com"));
        assert!(signature.time.is_some());
        for issuer in ["https://accounts.google.com", "https://github.com", ""] {
            assert!(
                verifier
                    .certified_bundle(&release, &subject, issuer)
                    .is_err()
            );
        }
        let other = Digest::of(b"other");
        assert!(
            verifier
                .certified_bundle(&release, &other, GITHUB_ISSUER)
                .is_err()
        );
        // A user's own trusted root leaves no other authority.
        let only = Verifier::with_root(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes()).unwrap();
        assert!(
            only.certified_bundle(&release, &subject, GITHUB_ISSUER)
                .is_err()
        );
        // No workflow signed this, and a release is not an image.
        let proof = Proof::parse(GITHUB_RELEASE.as_bytes().to_vec()).unwrap();
        let signer = Signer::Certificate {
            identity: "https://dotcom.releases.github.com".parse().unwrap(),
            issuer: GITHUB_ISSUER.parse().unwrap(),
        };
        let error = verifier.verify(&proof, &subject, &signer).unwrap_err();
        assert!(matches!(error, Error::OtherStatement(_)), "{error}");
    }
}
