//! The verifier of a program without the feature `signatures`: it cannot be made, so nothing counts as verified.

use super::{Error, Proof, Signature, Signer};
use crate::oci::digest::Digest;

/// Verifies signatures. In this build, no value of this type exists.
#[derive(Debug)]
pub enum Verifier {}

impl Verifier {
    /// Fails.
    ///
    /// # Errors
    ///
    /// Always [`Error::Unavailable`].
    pub fn new() -> Result<Self, Error> {
        Err(Error::Unavailable)
    }

    /// Fails.
    ///
    /// # Errors
    ///
    /// Always [`Error::Unavailable`].
    pub fn with_root(_root: &[u8]) -> Result<Self, Error> {
        Err(Error::Unavailable)
    }

    /// Never runs.
    pub fn verify(
        &self,
        _proof: &Proof,
        _subject: &Digest,
        _signer: &Signer,
    ) -> Result<Signature, Error> {
        match *self {}
    }
}
