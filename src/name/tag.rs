//! Tags: names for manifests, which the registry may move.
//!
//! Source: OCI distribution specification, section "Pulling manifests".

use std::fmt;
use std::str::FromStr;

use super::ParseError;
use crate::safe_url;

/// A tag: at most 128 letters, digits, `_`, `.` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag(String);

impl Tag {
    /// Returns `latest`, the tag of a reference without tag and digest.
    #[must_use]
    pub fn latest() -> Self {
        Self("latest".to_owned())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let mut bytes = text.bytes();
        let valid = bytes.next().is_some_and(word)
            && bytes.all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
            && text.len() <= 128;
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::Tag(safe_url::shown(text)))
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
