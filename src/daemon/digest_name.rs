//! The names of images that are known by a digest: `debian@sha256:…`.

use std::fmt;
use std::str::FromStr;

use crate::name::{ParseError, Reference};
use crate::oci::digest::Digest;

/// A repository and the digest of a manifest or an index in it. It is displayed in full.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DigestName {
    repository: String,
    digest: Digest,
}

impl DigestName {
    /// Returns the full name of the repository: `docker.io/library/debian`.
    #[must_use]
    pub fn full_name(&self) -> &str {
        &self.repository
    }

    /// Returns the digest.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

impl FromStr for DigestName {
    type Err = NotADigestName;

    fn from_str(text: &str) -> Result<Self, NotADigestName> {
        let reference: Reference = text.parse()?;
        Ok(Self {
            repository: reference.full_name(),
            digest: reference.digest.ok_or(NotADigestName::NoDigest)?,
        })
    }
}

impl fmt::Display for DigestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.digest)
    }
}

/// The text is not a name with a digest.
#[derive(Debug, thiserror::Error)]
pub enum NotADigestName {
    /// The text is not a reference.
    #[error(transparent)]
    Reference(#[from] ParseError),
    /// The reference has no digest.
    #[error("the name has no digest")]
    NoDigest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_equal() {
        let digest = Digest::of(b"");
        let name = |text: &str| format!("{text}@{digest}").parse::<DigestName>().unwrap();
        assert_eq!(name("debian"), name("docker.io/library/debian"));
        assert_eq!(name("debian:12"), name("debian"));
        assert_ne!(name("debian"), name("ghcr.io/library/debian"));
        assert_eq!(
            name("debian").to_string(),
            format!("docker.io/library/debian@{digest}")
        );
        for text in ["debian", "debian:12", "@", ""] {
            assert!(text.parse::<DigestName>().is_err(), "{text}");
        }
    }
}
