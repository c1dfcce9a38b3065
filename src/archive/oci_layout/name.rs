//! The names of images in a layout, which are annotations in `index.json`.
//!
//! Sources: OCI image specification, `annotations.md` (`org.opencontainers.image.ref.name`); containerd, which adds
//! `io.containerd.image.name` with the full reference.

use std::collections::BTreeMap;
use std::fmt;

use crate::name::{ParseError, Reference, Tag};

/// The annotation with the full reference.
pub const FULL_NAME: &str = "io.containerd.image.name";
/// The annotation with a tag. Some programs write a reference.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The name of an image in a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageName {
    /// A full reference.
    Full(Reference),
    /// Only a tag, as skopeo and `BuildKit` write it. The repository is unknown.
    Tag(Tag),
    /// No name.
    Unnamed,
}

impl ImageName {
    /// Reads the annotations of a descriptor in `index.json`.
    pub fn of(annotations: &BTreeMap<String, String>) -> Result<Self, ParseError> {
        if let Some(text) = annotations.get(FULL_NAME) {
            return text.parse().map(Self::Full);
        }
        match annotations.get(REF_NAME) {
            None => Ok(Self::Unnamed),
            Some(text) => match text.parse() {
                Ok(tag) => Ok(Self::Tag(tag)),
                Err(_) => text.parse().map(Self::Full),
            },
        }
    }

    /// Returns whether `wanted` names this image: by its tag, or by a reference that Docker considers equal.
    #[must_use]
    pub fn is(&self, wanted: &str) -> bool {
        match self {
            Self::Full(reference) => wanted.parse().is_ok_and(|wanted: Reference| {
                wanted.full_name() == reference.full_name()
                    && wanted.manifest_reference() == reference.manifest_reference()
            }),
            Self::Tag(tag) => tag.as_str() == wanted,
            Self::Unnamed => false,
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(reference) => reference.fmt(f),
            Self::Tag(tag) => tag.fmt(f),
            Self::Unnamed => f.write_str("(unnamed)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(key: &str, value: &str) -> ImageName {
        ImageName::of(&BTreeMap::from([(key.to_owned(), value.to_owned())])).unwrap()
    }

    #[test]
    fn an_image_is_found_by_every_spelling_that_docker_considers_equal() {
        let full = name(FULL_NAME, "docker.io/library/debian:latest");
        for wanted in ["debian", "debian:latest", "docker.io/library/debian"] {
            assert!(full.is(wanted), "{wanted}");
        }
        for wanted in ["debian:12", "latest", "ghcr.io/library/debian", "../x", ""] {
            assert!(!full.is(wanted), "{wanted}");
        }
        let tag = name(REF_NAME, "1.0");
        assert!(tag.is("1.0") && !tag.is("debian:1.0"));
    }
}
