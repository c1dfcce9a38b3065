//! The signer that an image of a lock must have, and the proofs of it. The proofs themselves are files beside the lock,
//! because diffs of the lock are for people to read.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::oci::digest::Digest;
use crate::signature::{IdentityError, IssuerError, KeyError, PublicKey, Signer};

/// The maximum number of proofs of an image: one for each platform, at most.
const MAX_PROOFS: usize = 64;

/// The signer that an image must have, and the proofs that the signer signed what is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedSigner {
    /// The signer.
    pub signer: Signer,
    /// The digest of the trusted root, if it is not the one of the program.
    pub trusted_root: Option<Digest>,
    /// The digests of the proofs. Empty if the user locked the image although it lacks a proof.
    pub proofs: BTreeSet<Digest>,
}

impl LockedSigner {
    /// Returns whether the same signer is required, with the same trusted root.
    #[must_use]
    pub fn requires_the_same(&self, other: &Self) -> bool {
        self.signer == other.signer && self.trusted_root == other.trusted_root
    }

    /// Returns the digests of the files beside the lock.
    pub fn files(&self) -> impl Iterator<Item = &Digest> {
        self.proofs.iter().chain(&self.trusted_root)
    }

    /// Returns the value of `signedBy` as JSON.
    pub(super) fn signed_by(&self) -> String {
        let mut members: Vec<(&str, Value)> = match &self.signer {
            Signer::Certificate { identity, issuer } => vec![
                ("identity", identity.as_str().into()),
                ("issuer", issuer.as_str().into()),
            ],
            Signer::Key(key) => vec![("key", key.to_pem().into())],
        };
        if let Some(root) = &self.trusted_root {
            members.push(("trustedRoot", root.to_string().into()));
        }
        let members = members
            .iter()
            .map(|(name, value)| format!("\"{name}\": {value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
    }
}

/// The value of `signedBy`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawSigner {
    #[serde(default)]
    identity: Option<String>,
    #[serde(default)]
    issuer: Option<String>,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    trusted_root: Option<Digest>,
}

impl RawSigner {
    /// Parses the signer. `proofs` is the value beside it.
    pub(super) fn parse(self, proofs: Option<Vec<Digest>>) -> Result<LockedSigner, SignerError> {
        let signer = match (self.identity, self.issuer, self.key) {
            (Some(identity), Some(issuer), None) => Signer::Certificate {
                identity: identity.parse()?,
                issuer: issuer.parse()?,
            },
            (None, None, Some(key)) => Signer::Key(PublicKey::from_pem(key.as_bytes())?),
            _ => return Err(SignerError::Form),
        };
        let proofs = proofs.unwrap_or_default();
        let count = proofs.len();
        if count > MAX_PROOFS {
            return Err(SignerError::Proofs);
        }
        let proofs: BTreeSet<_> = proofs.into_iter().collect();
        if proofs.len() != count {
            return Err(SignerError::Twice);
        }
        Ok(LockedSigner {
            signer,
            trusted_root: self.trusted_root,
            proofs,
        })
    }
}

/// `signedBy` or `proofs` is not valid.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignerError {
    #[error("`signedBy` needs either `identity` and `issuer`, or `key`")]
    Form,
    #[error("cannot use the `identity`")]
    Identity(#[from] IdentityError),
    #[error("cannot use the `issuer`")]
    Issuer(#[from] IssuerError),
    #[error("cannot use the `key`")]
    Key(#[from] KeyError),
    #[error("there are more than {MAX_PROOFS} `proofs`")]
    Proofs,
    #[error("a digest occurs twice in `proofs`")]
    Twice,
}
