//! The signer that an image must have.

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::identity::{Identity, MAX_LENGTH};
use super::key::PublicKey;
use crate::printable::is_printable;

/// The signer that an image must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// A person or a workflow, to whom Sigstore gave a certificate. A transparency log must have the signature.
    Certificate {
        /// The identity.
        identity: Identity,
        /// The service that identified the signer.
        issuer: Issuer,
    },
    /// The owner of a key. A transparency log need not have the signature.
    Key(PublicKey),
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate { identity, issuer } => write!(f, "{identity} (issuer {issuer})"),
            Self::Key(key) => write!(f, "the key {}", key.fingerprint()),
        }
    }
}

/// The URL of a service that identifies signers, compared character by character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Issuer {
    type Err = IssuerError;

    fn from_str(text: &str) -> Result<Self, IssuerError> {
        let is_plain = text.len() <= MAX_LENGTH
            && text.chars().all(is_printable)
            && !text.contains(char::is_whitespace)
            && !text.contains('*');
        let url = Url::parse(text).ok().filter(|_| is_plain);
        match url {
            Some(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(IssuerError),
        }
    }
}

/// A text that is not the URL of an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the issuer is not a URL such as https://token.actions.githubusercontent.com")]
pub struct IssuerError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_a_url_without_wildcards() {
        for text in [
            "https://token.actions.githubusercontent.com",
            "https://accounts.google.com",
            "http://dex.example.internal:5556/auth",
        ] {
            assert_eq!(text.parse::<Issuer>().unwrap().as_str(), text);
        }
        for text in [
            "",
            "accounts.google.com",
            "https://*.example.com",
            "https://a b",
            "file:///etc/passwd",
            "https://",
            "https://a\u{202e}b",
        ] {
            assert_eq!(text.parse::<Issuer>(), Err(IssuerError), "{text:?}");
        }
    }
}
