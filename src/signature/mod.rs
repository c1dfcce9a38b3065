//! Signatures of images: the [`Signer`] that an image must have, the [`Proof`] that the signer signed it, and the
//! [`Verifier`] that checks one against the other. A proof contains everything that its check needs, so no check uses
//! the network.
//!
//! The cryptography is that of the crate `sigstore-verify`; this module only decides what a proof must state. Without
//! the feature `signatures`, signers and proofs can be read and written, but a [`Verifier`] cannot be made.
//!
//! Proofs and the identities in them are untrusted input.
//!
//! Sources: cosign's `specs/SIGNATURE_SPEC.md` and `specs/BUNDLE_SPEC.md`; Sigstore's `sigstore_bundle.proto`;
//! in-toto `Statement` v0.1 and v1.

mod identity;
mod json;
mod key;
mod proof;
mod signer;
mod simple_signing;
#[cfg(not(feature = "signatures"))]
mod unavailable;
#[cfg(feature = "signatures")]
mod verify;

pub use self::identity::{Identity, IdentityError};
pub use self::key::{KeyError, PublicKey};
pub use self::proof::{MAX_PROOF_SIZE, Proof, ProofError};
pub use self::signer::{Issuer, IssuerError, Signer};
pub use self::simple_signing::PAYLOAD_TYPE as SIMPLE_SIGNING_PAYLOAD_TYPE;
#[cfg(not(feature = "signatures"))]
pub use self::unavailable::Verifier;
#[cfg(feature = "signatures")]
pub use self::verify::Verifier;

use crate::class::Class;
use crate::printable::Printable;

/// The start of the media types of Sigstore bundles.
pub const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle";

/// What a verified proof states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The identity in the certificate, or `None` for a signature by a key.
    pub identity: Option<String>,
    /// The issuer in the certificate, or `None` for a signature by a key.
    pub issuer: Option<String>,
    /// The time at which a transparency log or a timestamp authority saw the signature, in seconds since the start of
    /// 1970 (UTC); the latest of several. `None` if neither saw it, which only a signature by a key allows.
    pub time: Option<i64>,
}

/// The proof does not show that the signer signed the image, or cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This program is built without the feature `signatures`.
    #[error("this build of hocker cannot verify signatures")]
    Unavailable,
    /// The trusted root cannot be used.
    #[error("cannot use the trusted root: {0}")]
    TrustedRoot(Printable),
    /// The proof cannot be read.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The proof is about other content.
    #[error("the signature is for other content: {0}")]
    OtherSubject(Printable),
    /// The proof is about the image, but does not vouch for it.
    #[error("the attestation is of the type `{0}`, which does not vouch for an image")]
    OtherStatement(Printable),
    /// Another identity or issuer signed.
    #[error("the signer is {found}, not {wanted}")]
    OtherSigner {
        /// The signer that the certificate names.
        found: Printable,
        /// The signer that is required.
        wanted: Printable,
    },
    /// A part of the proof is not valid.
    #[error("the signature is not valid: {0}")]
    Invalid(Printable),
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Unavailable => Class::Unsupported,
            Self::TrustedRoot(_) => Class::Usage,
            Self::Proof(error) => error.class(),
            Self::OtherSubject(_)
            | Self::OtherStatement(_)
            | Self::OtherSigner { .. }
            | Self::Invalid(_) => Class::Integrity,
        }
    }
}
