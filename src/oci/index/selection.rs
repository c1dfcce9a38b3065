//! The selection of an entry by its platform.

use std::sync::Arc;

use super::{Index, UnusableEntry, is_attestation};
use crate::oci::descriptor::Descriptor;
use crate::oci::document::ParseError;
use crate::oci::platform::Platform;

/// The result of selecting a platform from an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selected<'a> {
    /// The entry for the platform.
    One(&'a Descriptor),
    /// Entries without a platform, one of which may serve the platform: the configs of their images name theirs.
    Unnamed(Vec<&'a Descriptor>),
}

/// An entry that can be selected: its descriptor, or the reason why it is not valid.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    platform: Option<&'a Platform>,
    content: Result<&'a Descriptor, &'a Arc<serde_json::Error>>,
}

impl<'a> From<&'a UnusableEntry> for Candidate<'a> {
    fn from(unusable: &'a UnusableEntry) -> Self {
        Self {
            platform: unusable.platform.as_ref(),
            content: Err(&unusable.reason),
        }
    }
}

impl<'a> Candidate<'a> {
    /// Returns the descriptor. Fails if the entry is not valid.
    pub(super) fn followed(self) -> Result<&'a Descriptor, ParseError> {
        self.content.map_err(|reason| ParseError::Entry {
            platform: self.platform.map(|named| Box::new(named.normalised())),
            source: Arc::clone(reason),
        })
    }
}

impl Index {
    /// Returns the entry that serves `platform` best: the nearest variant, and the first of equal ones. If no entry
    /// names a platform that serves, returns the entries without a platform. The only entry of an index needs no
    /// platform.
    ///
    /// # Errors
    ///
    /// [`SelectError::Platform`] if no entry can serve the platform, [`SelectError::Entry`] if the best entry is not
    /// valid.
    pub fn select(&self, platform: &Platform) -> Result<Selected<'_>, SelectError> {
        let candidates = self.candidates();
        let best = candidates
            .iter()
            .filter_map(|entry| Some((platform.distance_to(entry.platform?)?, entry)))
            .min_by_key(|(distance, _)| *distance);
        if let Some((_, entry)) = best {
            return Ok(Selected::One(entry.followed()?));
        }
        let unnamed: Vec<_> = candidates
            .iter()
            .filter(|entry| entry.platform.is_none())
            .collect();
        let Some(first) = unnamed.first() else {
            let offered = candidates.iter().filter_map(|entry| entry.platform);
            return Err(NoSuchPlatform::among(platform, offered).into());
        };
        let followed: Vec<_> = unnamed
            .iter()
            .filter_map(|entry| entry.content.ok())
            .collect();
        let all_can_be_followed = followed.len() == candidates.len();
        match followed.as_slice() {
            [] => Ok(Selected::One(first.followed()?)),
            // The index may list its only entry twice.
            [one, others @ ..]
                if all_can_be_followed && others.iter().all(|other| other.digest == one.digest) =>
            {
                Ok(Selected::One(one))
            }
            _ => Ok(Selected::Unnamed(followed)),
        }
    }

    /// Returns the entries for images, in the order of the index.
    fn candidates(&self) -> Vec<Candidate<'_>> {
        let mut unusable = self.unusable.iter().peekable();
        let mut candidates = Vec::with_capacity(self.manifests.len() + self.unusable.len());
        for (position, entry) in self.manifests.iter().enumerate() {
            while let Some(unusable) = unusable.next_if(|unusable| unusable.position <= position) {
                candidates.push(unusable.into());
            }
            if !is_attestation(entry) {
                candidates.push(Candidate {
                    platform: entry.platform.as_ref(),
                    content: Ok(entry),
                });
            }
        }
        candidates.extend(unusable.map(Candidate::from));
        candidates
    }
}

/// A failure to select a platform from an index.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// The index has no entry for the platform.
    #[error(transparent)]
    Platform(#[from] NoSuchPlatform),
    /// The index's entry for the platform is not valid.
    #[error(transparent)]
    Entry(#[from] ParseError),
}

/// No image exists for the platform.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no image for {wanted}; available: {}", list(.offered))]
pub struct NoSuchPlatform {
    wanted: Platform,
    offered: Vec<Platform>,
}

impl NoSuchPlatform {
    /// Creates the error for an image without an index, which has one platform.
    #[must_use]
    pub fn of_single(wanted: &Platform, own: &Platform) -> Self {
        Self::among(wanted, [own])
    }

    /// Creates the error for images of the platforms `own`.
    #[must_use]
    pub fn among<'a>(wanted: &Platform, own: impl IntoIterator<Item = &'a Platform>) -> Self {
        Self {
            wanted: wanted.clone(),
            offered: own
                .into_iter()
                .filter(|own| !own.is_unnamed())
                .map(Platform::normalised)
                .collect(),
        }
    }
}

fn list(platforms: &[Platform]) -> String {
    if platforms.is_empty() {
        return "none".to_owned();
    }
    platforms
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
