//! Indexes: documents that list one manifest for each platform.
//!
//! Sources: OCI image specification, `image-index.md`; Docker manifest lists; `BuildKit`'s attestation
//! entries (`vnd.docker.reference.type`, platform `unknown/unknown`).

mod selection;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

pub use self::selection::{NoSuchPlatform, SelectError, Selected};

use self::selection::Candidate;
use crate::go_json::{Shape, null_as_default, texts};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{Document, ParseError, View};
use crate::oci::manifest::{DocumentFields, DocumentKind};
use crate::oci::media_type::MediaType;
use crate::oci::platform::Platform;

/// The annotation of entries that describe other entries, such as attestations.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";

/// The parsed view of an index of either family.
#[derive(Clone, Debug)]
pub struct Index {
    /// Docker's or OCI's index type.
    pub media_type: MediaType,
    /// The valid entries, in the order of the index.
    pub manifests: Vec<Descriptor>,
    /// Annotations of the index.
    pub annotations: BTreeMap<String, String>,
    unusable: Vec<UnusableEntry>,
}

/// An entry that is not a valid descriptor. It is an error only if it is selected.
#[derive(Clone, Debug)]
struct UnusableEntry {
    /// The number of valid entries before it.
    position: usize,
    platform: Option<Platform>,
    reason: Arc<serde_json::Error>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default, deserialize_with = "null_as_default")]
    manifests: Vec<Box<RawValue>>,
    #[serde(default, deserialize_with = "texts")]
    annotations: BTreeMap<String, String>,
}

/// The fields of an entry that can be read even if the entry is not a valid descriptor.
#[derive(Default, Deserialize)]
struct PartialEntry {
    #[serde(default)]
    platform: Option<Box<RawValue>>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, Box<RawValue>>>,
}

impl View for Index {
    const SHAPE: &'static Shape = &DocumentFields::SHAPE;

    fn parse(bytes: &[u8], declared: Option<&MediaType>) -> Result<Self, ParseError> {
        let (kind, media_type) = DocumentFields::of(bytes, declared)?;
        if kind == DocumentKind::Manifest {
            return Err(ParseError::Unsupported(
                "is the manifest of one image, but an index is needed".to_owned(),
            ));
        }
        let raw: Raw =
            serde_json::from_slice(bytes).map_err(|source| ParseError::json(source, bytes))?;
        let mut index = Self {
            media_type,
            manifests: Vec::with_capacity(raw.manifests.len()),
            annotations: raw.annotations,
            unusable: Vec::new(),
        };
        for entry in raw.manifests {
            match serde_json::from_str(entry.get()) {
                Ok(descriptor) => index.manifests.push(descriptor),
                Err(reason) => {
                    let position = index.manifests.len();
                    index
                        .unusable
                        .extend(UnusableEntry::of(&entry, position, reason));
                }
            }
        }
        Ok(index)
    }
}

impl UnusableEntry {
    /// Reads an unusable entry. Returns `None` for an entry that describes another entry, because it is never selected.
    fn of(entry: &RawValue, position: usize, reason: serde_json::Error) -> Option<Self> {
        let partial: PartialEntry = serde_json::from_str(entry.get()).unwrap_or_default();
        let platform: Option<Platform> = partial
            .platform
            .and_then(|platform| serde_json::from_str(platform.get()).ok());
        let annotations = partial.annotations.unwrap_or_default();
        let is_attestation = annotations.contains_key(REFERENCE_TYPE)
            || platform.as_ref().is_some_and(is_of_attestations);
        (!is_attestation).then(|| Self {
            position,
            platform: platform.filter(|platform| !platform.is_unnamed()),
            reason: Arc::new(reason),
        })
    }
}

impl Document<Index> {
    /// Returns the descriptor of this index.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type.clone(), *self.digest(), self.size())
    }
}

impl Index {
    /// Returns this index with only these entries.
    #[must_use]
    pub fn with(&self, manifests: Vec<Descriptor>) -> Self {
        Self {
            media_type: self.media_type.clone(),
            manifests,
            annotations: self.annotations.clone(),
            unusable: Vec::new(),
        }
    }

    /// Returns whether an entry has this digest.
    #[must_use]
    pub fn names(&self, manifest: &Digest) -> bool {
        self.manifests.iter().any(|entry| entry.digest == *manifest)
    }

    /// Refuses an index with an entry that is not valid, for callers that need all entries.
    pub fn require_all(&self) -> Result<(), ParseError> {
        for unusable in &self.unusable {
            Candidate::from(unusable).followed()?;
        }
        Ok(())
    }

    /// Returns the entries that can be followed and are images or indexes, in the index's order.
    #[must_use = "iterators are lazy"]
    pub fn images(&self) -> impl DoubleEndedIterator<Item = &Descriptor> {
        self.manifests.iter().filter(|entry| !is_attestation(entry))
    }
}

/// Returns whether an entry of an index describes another entry, not an image.
fn is_attestation(entry: &Descriptor) -> bool {
    entry.artifact_type.is_some()
        || entry.annotations.contains_key(REFERENCE_TYPE)
        || entry.platform.as_ref().is_some_and(is_of_attestations)
}

fn is_of_attestations(platform: &Platform) -> bool {
    platform.os == "unknown" || platform.architecture == "unknown"
}

#[cfg(test)]
mod tests;
