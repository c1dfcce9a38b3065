//! Documents: JSON whose digest matters. A document keeps its original bytes, their digest and a parsed view. It is
//! never serialised again.

use std::io::{self, Read};
use std::ops::Deref;
use std::sync::Arc;

use crate::class::Class;
use crate::go_json::{Shape, ShapeError, as_go_reads};
use crate::oci::digest::Digest;
use crate::oci::media_type::MediaType;
use crate::oci::platform::Platform;

/// The maximum size of a manifest, index or config: 4 MiB, the limit of registries.
pub const MAX_DOCUMENT_SIZE: usize = 4 << 20;

/// Reads a document, but at most one byte more than [`MAX_DOCUMENT_SIZE`]. [`Document::parse`] refuses such a document,
/// so a cut document is never used.
pub fn read(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input
        .take(MAX_DOCUMENT_SIZE as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A type that can be the parsed view of a [`Document`].
pub trait View: Sized {
    /// The keys that this view reads, and the keys from which other programs determine the kind of document.
    const SHAPE: &'static Shape;

    /// Parses and checks the bytes. `declared` is the media type from the response or the descriptor, if there is one.
    fn parse(bytes: &[u8], declared: Option<&MediaType>) -> Result<Self, ParseError>;
}

/// The original bytes of a manifest, index or config, with their digest and parsed view. The fields of the view are
/// available by `Deref`.
///
/// ```
/// use hocker::oci::{Document, Manifest};
///
/// let text = br#"{
///   "schemaVersion": 2,
///   "mediaType": "application/vnd.oci.image.manifest.v1+json",
///   "config": {
///     "mediaType": "application/vnd.oci.image.config.v1+json",
///     "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
///     "size": 2
///   },
///   "layers": []
/// }"#;
/// let manifest = Document::<Manifest>::parse(text.to_vec(), None)?;
/// assert_eq!(manifest.bytes(), text);
/// assert_eq!(manifest.config.size, 2);
/// println!("{}", manifest.digest());
/// # Ok::<(), hocker::oci::document::ParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Document<T> {
    bytes: Vec<u8>,
    digest: Digest,
    view: T,
}

impl<T: View> Document<T> {
    /// Parses `bytes` and keeps them.
    ///
    /// # Errors
    ///
    /// [`ParseError::Ambiguous`] and [`ParseError::Contradiction`] if programs could read the document in different
    /// ways; other variants if it is too large, not JSON, or of another kind.
    pub fn parse(bytes: Vec<u8>, declared: Option<&MediaType>) -> Result<Self, ParseError> {
        if bytes.len() > MAX_DOCUMENT_SIZE {
            return Err(ParseError::TooLarge);
        }
        let text = as_go_reads(&bytes);
        check(T::SHAPE, &text)?;
        let view = T::parse(&text, declared)?;
        Ok(Self {
            digest: Digest::of(&bytes),
            bytes,
            view,
        })
    }
}

/// Refuses bytes that programs could read in different ways, and bytes that are not JSON.
pub(crate) fn check(shape: &'static Shape, bytes: &[u8]) -> Result<(), ParseError> {
    shape.check(bytes).map_err(|error| match error {
        ShapeError::Ambiguous(source) => ParseError::Ambiguous(source),
        ShapeError::Json(source) => ParseError::json(source, bytes),
    })
}

impl<T> Document<T> {
    /// Returns the original bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the SHA-256 digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns the number of bytes.
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

/// Bytes that are not a valid document of the expected kind.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The document is larger than [`MAX_DOCUMENT_SIZE`].
    #[error("the document is larger than {} MiB", MAX_DOCUMENT_SIZE >> 20)]
    TooLarge,
    /// The document has no content.
    #[error("the document is empty")]
    Empty,
    /// The document is not JSON of the expected form.
    #[error("the document is not the expected JSON{}", html_note(*.html))]
    Json {
        /// The error of the JSON parser.
        #[source]
        source: serde_json::Error,
        /// Whether the bytes look like an HTML page.
        html: bool,
    },
    /// A key appears twice, or clients written in Go read a key differently from other clients.
    #[error("programs could read the document in different ways")]
    Ambiguous(#[source] serde_json::Error),
    /// Two parts of the document contradict each other (CVE-2021-41190).
    #[error("the document contradicts itself: {0}")]
    Contradiction(String),
    /// The document is an index, but a manifest is needed.
    #[error("the document is an index, but the manifest of one image is needed")]
    IsIndex,
    /// The selected entry of an index is not a valid descriptor.
    #[error("the index's entry{} cannot be used", for_platform(platform.as_deref()))]
    Entry {
        /// The platform of the entry, if it names one.
        platform: Option<Box<Platform>>,
        /// The error of the JSON parser for this entry.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// The document is of a kind that hocker does not support. The text starts with a verb: "has the unknown schema
    /// version 3".
    #[error("the document {0}")]
    Unsupported(String),
}

impl ParseError {
    /// Returns [`Class::Integrity`] for a document that can be read in two ways, else [`Class::Unsupported`].
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Ambiguous(_) | Self::Contradiction(_) => Class::Integrity,
            Self::TooLarge
            | Self::Empty
            | Self::Json { .. }
            | Self::IsIndex
            | Self::Entry { .. }
            | Self::Unsupported(_) => Class::Unsupported,
        }
    }

    /// Wraps a JSON error, and notes whether the bytes are empty or look like an HTML page.
    #[must_use]
    pub fn json(source: serde_json::Error, bytes: &[u8]) -> Self {
        if bytes.trim_ascii().is_empty() {
            return Self::Empty;
        }
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
