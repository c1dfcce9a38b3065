//! Documents: JSON whose digest matters. The bytes are kept exactly as they came, next to their digest and
//! a parsed view, and are never serialised again.

use std::io::{self, Read};
use std::ops::Deref;
use std::sync::Arc;

use crate::class::Class;
use crate::go_json::{Shape, ShapeError};
use crate::oci::digest::Digest;
use crate::oci::media_type::MediaType;
use crate::oci::platform::Platform;

/// Manifests, indexes and configurations larger than this (4 MiB) are refused, as registries refuse them.
pub const MAX_DOCUMENT_SIZE: usize = 4 << 20;

/// Reads a document whole, or one byte more than one may have: its parser then refuses it, and does not take the
/// part for the whole.
pub fn read(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input
        .take(MAX_DOCUMENT_SIZE as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What can be the parsed view of a [`Document`].
pub trait View: Sized {
    /// The keys that are read, and those that decide what others read.
    const SHAPE: &'static Shape;

    /// Parses and checks the bytes. `declared` is the media type that the sender named, if any.
    fn parse(bytes: &[u8], declared: Option<&MediaType>) -> Result<Self, ParseError>;
}

/// The exact bytes of a manifest, index or configuration, with their digest and parsed view.
#[derive(Clone, Debug)]
pub struct Document<T> {
    bytes: Vec<u8>,
    digest: Digest,
    view: T,
}

impl<T: View> Document<T> {
    /// Parses `bytes`, refuses what could be read in two ways, and keeps them.
    pub fn parse(bytes: Vec<u8>, declared: Option<&MediaType>) -> Result<Self, ParseError> {
        if bytes.len() > MAX_DOCUMENT_SIZE {
            return Err(ParseError::TooLarge);
        }
        check(T::SHAPE, &bytes)?;
        let view = T::parse(&bytes, declared)?;
        Ok(Self {
            digest: Digest::of(&bytes),
            bytes,
            view,
        })
    }
}

/// Refuses what could be read in two ways, and what is no JSON.
pub(crate) fn check(shape: &'static Shape, bytes: &[u8]) -> Result<(), ParseError> {
    shape.check(bytes).map_err(|error| match error {
        ShapeError::Ambiguous(source) => ParseError::Ambiguous(source),
        ShapeError::Json(source) => ParseError::json(source, bytes),
    })
}

impl<T> Document<T> {
    /// The bytes as they came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The length of the bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
}

impl<T> Deref for Document<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.view
    }
}

/// Bytes that are not the document they should be.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// Longer than [`MAX_DOCUMENT_SIZE`].
    #[error("the document is larger than {} MiB", MAX_DOCUMENT_SIZE >> 20)]
    TooLarge,
    /// Not JSON of the expected shape.
    #[error("the document is not the expected JSON{}", html_note(*.html))]
    Json {
        /// What the JSON parser says.
        #[source]
        source: serde_json::Error,
        /// Whether it looks like an HTML page.
        html: bool,
    },
    /// Its keys mean one thing to clients in Go and another to the rest, or one of them is there twice.
    #[error("programs could read the document in different ways")]
    Ambiguous(#[source] serde_json::Error),
    /// It says two things that cannot both be true (CVE-2021-41190).
    #[error("the document contradicts itself: {0}")]
    Contradiction(String),
    /// It is an index, from which one image's manifest must be chosen.
    #[error("the document is an index, but the manifest of one image is needed")]
    IsIndex,
    /// An index's entry that is chosen is not one that can be followed.
    #[error("the index's entry{} cannot be used", for_platform(platform.as_deref()))]
    Entry {
        /// The platform that the entry names.
        platform: Option<Box<Platform>>,
        /// What the JSON parser says of the entry alone.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// It is sound but of a kind that this program does not handle.
    #[error("the document {0}")]
    Unsupported(String),
}

impl ParseError {
    /// [`Class::Integrity`] for a document that can be read in two ways, else [`Class::Unsupported`].
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Ambiguous(_) | Self::Contradiction(_) => Class::Integrity,
            Self::TooLarge
            | Self::Json { .. }
            | Self::IsIndex
            | Self::Entry { .. }
            | Self::Unsupported(_) => Class::Unsupported,
        }
    }

    /// Wraps a JSON error with a look at the bytes for the reader's sake.
    #[must_use]
    pub fn json(source: serde_json::Error, bytes: &[u8]) -> Self {
        let html = bytes
            .iter()
            .find(|byte| !byte.is_ascii_whitespace())
            .is_some_and(|byte| *byte == b'<');
        Self::Json { source, html }
    }
}

fn for_platform(platform: Option<&Platform>) -> String {
    platform.map_or_else(String::new, |platform| format!(" for {platform}"))
}

fn html_note(html: bool) -> &'static str {
    if html {
        "; it looks like a web page"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_read_far_enough_to_be_refused() {
        for (length, read_length) in [
            (MAX_DOCUMENT_SIZE, MAX_DOCUMENT_SIZE),
            (MAX_DOCUMENT_SIZE + 1, MAX_DOCUMENT_SIZE + 1),
            (MAX_DOCUMENT_SIZE + 2, MAX_DOCUMENT_SIZE + 1),
        ] {
            let bytes = read(io::repeat(b' ').take(length as u64)).unwrap();
            assert_eq!(bytes.len(), read_length);
        }
    }
}
