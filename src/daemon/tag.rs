//! The names of images in a daemon. Docker prints `debian:12` and Podman `docker.io/library/debian:12` for the same
//! name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::{self, Reference, Tag};

/// A name with a tag. It is displayed as Docker prints it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TagName {
    reference: Reference,
    tag: Tag,
}

impl TagName {
    /// Returns the name as a reference, with its tag.
    #[must_use]
    pub fn reference(&self) -> Reference {
        Reference {
            tag: Some(self.tag.clone()),
            ..self.reference.clone()
        }
    }

    /// Returns the full name without the tag: `docker.io/library/debian`.
    #[must_use]
    pub fn full_name(&self) -> String {
        self.reference.full_name()
    }

    /// Returns the tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        self.tag.as_str()
    }
}

impl FromStr for TagName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let reference: Reference = text.parse()?;
        if reference.digest.is_some() {
            return Err(ParseError::Digest);
        }
        Ok(Self {
            tag: reference.tag_or_latest(),
            reference: Reference {
                tag: None,
                ..reference
            },
        })
    }
}

impl TryFrom<String> for TagName {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<TagName> for String {
    fn from(name: TagName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for TagName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.reference.familiar_name(), self.tag)
    }
}

/// The text is not a name that an image can get.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The text is not a reference.
    #[error(transparent)]
    Reference(#[from] name::ParseError),
    /// The text has a digest, which no user can assign.
    #[error("an image cannot get a name with a digest")]
    Digest,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::digest::Digest;

    #[test]
    fn spellings_of_one_name_are_equal() {
        let name = |text: &str| text.parse::<TagName>().unwrap();
        for (one, other) in [
            ("debian", "docker.io/library/debian:latest"),
            ("a/b:1", "docker.io/a/b:1"),
            ("ghcr.io/a/b:1", "ghcr.io/a/b:1"),
        ] {
            assert_eq!(name(one), name(other));
        }
        assert_eq!(
            name("docker.io/library/debian").to_string(),
            "debian:latest"
        );
        assert_ne!(name("debian:1"), name("debian:2"));
    }

    #[test]
    fn the_text_that_docker_prints_for_an_absent_name_is_not_a_name() {
        for text in ["<none>:<none>", "", &format!("debian@{}", Digest::of(b""))] {
            assert!(text.parse::<TagName>().is_err(), "{text}");
        }
    }
}
