//! The index of a locked image: its descriptor, and its text, with which the image can also be named by the digest of its
//! index.

use std::collections::{BTreeMap, HashSet};

use super::platform::LockedPlatform;
use crate::class::Class;
use crate::oci::descriptor::Descriptor;
use crate::oci::document::{self, Document};
use crate::oci::index::Index;
use crate::oci::platform::Platform;
use crate::verify::{self, Verifier};

/// The index that a reference resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedIndex {
    /// The media type, the digest and the size.
    pub descriptor: Descriptor,
    /// The text, byte for byte as in the registry. Locks of version 1 do not have it, nor do locks of an index that
    /// names the manifests only through further indexes.
    pub text: Option<String>,
}

impl LockedIndex {
    /// Returns the index of an image with these platforms.
    #[must_use]
    pub fn of(index: &Document<Index>, platforms: &BTreeMap<Platform, LockedPlatform>) -> Self {
        let text = std::str::from_utf8(index.bytes()).ok();
        Self {
            descriptor: index.descriptor(),
            text: text
                .filter(|_| lacking(index, platforms).is_none())
                .map(str::to_owned),
        }
    }

    /// Fails if the media type is not that of an index, or if the text does not have the digest and the size of the
    /// descriptor or does not name the manifest of each platform.
    pub(super) fn check(
        &self,
        platforms: &BTreeMap<Platform, LockedPlatform>,
    ) -> Result<(), IndexError> {
        let Descriptor {
            media_type,
            digest,
            size,
            ..
        } = &self.descriptor;
        if !media_type.is_index() {
            return Err(IndexError::Type(media_type.to_string()));
        }
        let Some(text) = &self.text else {
            return Ok(());
        };
        Verifier::check(*digest, Some(*size), text.as_bytes()).map_err(IndexError::Content)?;
        let index = Document::parse(text.clone().into_bytes(), Some(media_type))
            .map_err(IndexError::Document)?;
        match lacking(&index, platforms) {
            Some(platform) => Err(IndexError::Lacks(Box::new(platform.clone()))),
            None => Ok(()),
        }
    }
}

/// Returns the first platform whose manifest the index itself does not name.
fn lacking<'a>(
    index: &Index,
    platforms: &'a BTreeMap<Platform, LockedPlatform>,
) -> Option<&'a Platform> {
    let named: HashSet<_> = index.manifests.iter().map(|entry| entry.digest).collect();
    platforms
        .iter()
        .find(|(_, locked)| !named.contains(locked.manifest.digest()))
        .map(|(platform, _)| platform)
}

/// The index of an image is not valid, or does not belong to the image.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The media type is not that of an index.
    #[error("the index has the type {0}, which is not an index")]
    Type(String),
    /// The text does not have the digest or the size in the descriptor.
    #[error("`indexText` does not match `index`")]
    Content(#[source] verify::Error),
    /// The text is not an index.
    #[error("cannot use `indexText`")]
    Document(#[source] document::ParseError),
    /// The index does not name a locked manifest.
    #[error("`indexText` does not name the manifest for {0}")]
    Lacks(Box<Platform>),
}

impl IndexError {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Content(_) | Self::Lacks(_) => Class::Integrity,
            Self::Document(error) => error.class(),
            Self::Type(_) => Class::Unsupported,
        }
    }
}
