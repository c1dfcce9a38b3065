//! The names of images in a layout, which are annotations in `index.json`.
//!
//! Sources: OCI image specification, `annotations.md` (`org.opencontainers.image.ref.name`); containerd, which adds
//! `io.containerd.image.name` with the full reference.

use std::collections::BTreeMap;
use std::fmt;

use crate::name::{Reference, Tag};

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
    /// A text that Docker does not accept as a name: the specification permits more than tags.
    Text(String),
    /// No name.
    Unnamed,
}

impl ImageName {
    /// Reads the annotations of a descriptor in `index.json`.
    #[must_use]
    pub fn of(annotations: &BTreeMap<String, String>) -> Self {
        let text = |key| annotations.get(key).filter(|text| !text.is_empty());
        let (full, short) = (text(FULL_NAME), text(REF_NAME));
        if let Some(Ok(reference)) = full.map(|text| text.parse()) {
            return Self::Full(reference);
        }
        if let Some(Ok(tag)) = short.map(|text| text.parse()) {
            return Self::Tag(tag);
        }
        if let Some(Ok(reference)) = short.map(|text| text.parse()) {
            return Self::Full(reference);
        }
        full.or(short)
            .map_or(Self::Unnamed, |text| Self::Text(text.clone()))
    }

    /// Returns the annotations that can name an image, as they are written.
    pub fn texts(annotations: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
        [FULL_NAME, REF_NAME]
            .into_iter()
            .filter_map(|key| annotations.get(key).map(String::as_str))
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
            Self::Text(text) => text == wanted,
            Self::Unnamed => false,
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(reference) => reference.fmt(f),
            Self::Tag(tag) => tag.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Unnamed => f.write_str("(unnamed)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(key: &str, value: &str) -> ImageName {
        ImageName::of(&BTreeMap::from([(key.to_owned(), value.to_owned())]))
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
