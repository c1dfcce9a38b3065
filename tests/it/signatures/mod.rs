//! Signatures of images: which proofs are accepted, and that no changed one is.

mod mutations; // every change of a proof is refused
mod proofs; // the forms of proofs, and signers of all kinds
mod sigstore; // proofs that Sigstore's own services made

use hocker::oci::Digest;
use hocker::signature::{Error, Proof, PublicKey, Signature, Signer, Verifier};
use serde_json::Value;

use crate::support::sigstore::{self as instance, GITHUB, Sigstore, Simple, WORKFLOW};

/// The digest of the image in all tests.
pub(super) fn subject() -> Digest {
    Digest::of(b"the manifest of the image")
}

pub(super) fn verifier(sigstore: &Sigstore) -> Verifier {
    Verifier::with_root(sigstore.trusted_root().to_string().as_bytes()).unwrap()
}

/// A signer with a certificate.
pub(super) fn certified(identity: &str, issuer: &str) -> Signer {
    Signer::Certificate {
        identity: identity.parse().unwrap(),
        issuer: issuer.parse().unwrap(),
    }
}

/// The usual workflow.
pub(super) fn workflow() -> Signer {
    certified(WORKFLOW, GITHUB)
}

pub(super) fn keyed(signer: &instance::Signer) -> Signer {
    Signer::Key(PublicKey::from_pem(signer.public_key().as_bytes()).unwrap())
}

pub(super) fn of_simple(simple: &Simple) -> Proof {
    let proof = Proof::of_simple_signing(&simple.payload, &simple.annotations);
    proof.unwrap().unwrap()
}

pub(super) fn of_bundle(bundle: &Value) -> Proof {
    Proof::parse(bundle.to_string().into_bytes()).unwrap()
}

/// The error of a proof that must be refused.
#[track_caller]
pub(super) fn refused(outcome: Result<Signature, Error>) -> String {
    match outcome {
        Ok(signature) => panic!("accepted: {signature:?}"),
        Err(error) => error.to_string(),
    }
}
