//! Whether the proofs of a locked image show that its signer signed it. This uses no network.

use std::collections::BTreeSet;

use super::{LockedImage, LockedSigner};
use crate::class::Class;
use crate::oci::digest::Digest;
use crate::signature::{self, Proof, Signature, Verifier};

impl LockedImage {
    /// Verifies that `proofs` show that the image's signer signed its index or only manifest, or else the manifests of
    /// all locked platforms. Returns one signature for each of them. An image without a signer needs no proof.
    pub fn verify(
        &self,
        proofs: &[Proof],
        verifier: &Verifier,
    ) -> Result<Vec<Signature>, NotProven> {
        let (Some(signer), Some(digest)) = (self.signer(), self.digest()) else {
            return Ok(Vec::new());
        };
        let error = match proven(proofs, &digest, signer, verifier) {
            Ok(signature) => return Ok(vec![signature]),
            Err(error) => error,
        };
        if self.index().is_none() {
            return Err(error);
        }
        let manifests = self.platforms().values();
        let manifests: BTreeSet<_> = manifests.map(|locked| *locked.manifest.digest()).collect();
        let proven = manifests
            .iter()
            .map(|manifest| proven(proofs, manifest, signer, verifier).ok());
        // The index is what signers sign, so its fault is the one to report.
        proven.collect::<Option<Vec<_>>>().ok_or(error)
    }
}

/// Returns the signature of `subject` in one of the proofs.
fn proven(
    proofs: &[Proof],
    subject: &Digest,
    signer: &LockedSigner,
    verifier: &Verifier,
) -> Result<Signature, NotProven> {
    let mut error = NotProven::NoProof;
    for proof in proofs {
        match verifier.verify(proof, subject, &signer.signer) {
            Ok(signature) => return Ok(signature),
            Err(source) => error = NotProven::Refused(source),
        }
    }
    Err(error)
}

/// The proofs do not show that the signer signed the image.
#[derive(Debug, thiserror::Error)]
pub enum NotProven {
    /// There is no proof.
    #[error("the image was locked without a signature")]
    NoProof,
    /// No proof counts.
    #[error("the signature beside the lock file does not count")]
    Refused(#[source] signature::Error),
}

impl NotProven {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::NoProof => Class::Integrity,
            Self::Refused(error) => error.class(),
        }
    }
}
