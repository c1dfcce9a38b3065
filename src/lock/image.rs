//! A locked image: the reference that is followed, and what it resolved to when it was locked.

use std::collections::{BTreeMap, BTreeSet};

use super::following::{Following, FollowingError};
use super::index::{IndexError, LockedIndex};
use super::platform::LockedPlatform;
use super::signer::LockedSigner;
use crate::class::Class;
use crate::name::Reference;
use crate::name::endpoint::Endpoint;
use crate::oci::digest::Digest;
use crate::oci::document;
use crate::oci::platform::Platform;

/// One image of a lock. It always has at least one platform, and Nix can fetch each of its manifests. If the reference
/// has a digest, that digest is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedImage {
    reference: Reference,
    endpoint: Endpoint,
    index: Option<LockedIndex>,
    platforms: BTreeMap<Platform, LockedPlatform>,
    following: Following,
    signer: Option<LockedSigner>,
}

impl LockedImage {
    /// Creates a locked image. A reference without tag and digest follows `latest`. Without an `index`, there must be
    /// only one manifest, to which the reference resolves.
    pub fn new(
        mut reference: Reference,
        endpoint: Endpoint,
        index: Option<LockedIndex>,
        platforms: BTreeMap<Platform, LockedPlatform>,
    ) -> Result<Self, ImageError> {
        if reference.tag.is_none() && reference.digest.is_none() {
            reference.tag = Some(reference.tag_or_latest());
        }
        if *endpoint.registry_name() != reference.registry {
            return Err(ImageError::Registry(endpoint.registry_name().to_string()));
        }
        if platforms.is_empty() {
            return Err(ImageError::NoPlatform);
        }
        let mut manifests = platforms.values().map(|locked| locked.manifest.digest());
        let first = manifests.next();
        if index.is_none() && manifests.any(|other| Some(other) != first) {
            return Err(ImageError::NoIndex);
        }
        for (platform, locked) in &platforms {
            locked
                .require_fetchable()
                .map_err(|source| ImageError::Platform {
                    platform: Box::new(platform.clone()),
                    source,
                })?;
        }
        if let Some(index) = &index {
            index.check(&platforms)?;
        }
        let image = Self {
            reference,
            endpoint,
            index,
            platforms,
            following: Following::default(),
            signer: None,
        };
        match image.reference.digest {
            Some(digest) if Some(digest) != image.digest() => Err(ImageError::Pinned {
                pinned: digest,
                locked: image.digest(),
            }),
            _ => Ok(image),
        }
    }

    /// Returns the image with another way to follow it.
    pub fn with_following(mut self, following: Following) -> Result<Self, ImageError> {
        following.check(&self.reference)?;
        self.following = following;
        Ok(self)
    }

    /// Returns how the image is followed.
    #[must_use]
    pub fn following(&self) -> &Following {
        &self.following
    }

    /// Returns the image with this signer, or with none.
    #[must_use]
    pub fn with_signer(self, signer: Option<LockedSigner>) -> Self {
        Self { signer, ..self }
    }

    /// Returns the image with the signer of the image that it follows. Proofs are about one digest.
    #[must_use]
    pub fn with_signer_of(self, known: &Self) -> Self {
        let is_same = self.digest() == known.digest();
        let signer = known.signer().cloned().map(|signer| {
            if is_same {
                signer
            } else {
                LockedSigner {
                    proofs: BTreeSet::new(),
                    ..signer
                }
            }
        });
        self.with_signer(signer)
    }

    /// Returns the signer that the image must have, with the proofs of what is locked.
    #[must_use]
    pub fn signer(&self) -> Option<&LockedSigner> {
        self.signer.as_ref()
    }

    /// Returns the reference that is followed. If a pattern is followed, its tag is the present one. It has a tag or a
    /// digest. With a digest, the image never changes.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Returns the address of the registry.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the index, if the reference resolves to one.
    #[must_use]
    pub fn index(&self) -> Option<&LockedIndex> {
        self.index.as_ref()
    }

    /// Returns whether the image has an index, but the lock does not have its text.
    #[must_use]
    pub fn lacks_index_text(&self) -> bool {
        self.index
            .as_ref()
            .is_some_and(|index| index.text.is_none())
    }

    /// Returns whether the images are equal, even if only one of them has the text of its index, if they are followed in
    /// different ways, or if their signers differ.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let descriptor = |image: &Self| image.index.as_ref().map(|index| index.descriptor.clone());
        self.reference == other.reference
            && self.endpoint == other.endpoint
            && self.platforms == other.platforms
            && descriptor(self) == descriptor(other)
    }

    /// Returns the locked platforms, at least one. The keys are the platforms that the user requested. The index may
    /// offer another one: `linux/arm/v6` for `linux/arm/v7`.
    #[must_use]
    pub fn platforms(&self) -> &BTreeMap<Platform, LockedPlatform> {
        &self.platforms
    }

    /// Returns the digest to which the reference resolves: that of the index, or else of the manifest.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        match &self.index {
            Some(index) => Some(index.descriptor.digest),
            None => self
                .platforms
                .values()
                .next()
                .map(|locked| *locked.manifest.digest()),
        }
    }

    /// Returns whether the reference has a digest, so the image never changes.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.reference.digest.is_some()
    }
}

/// The parts do not make a valid locked image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// There is no platform.
    #[error("the image is locked for no platform")]
    NoPlatform,
    /// There are several manifests without an index.
    #[error("the image has several manifests but no index")]
    NoIndex,
    /// The index is not valid, or does not belong to the image.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The address of the registry belongs to another registry.
    #[error("`registry` is an address of {0}, but the reference names another registry")]
    Registry(String),
    /// The digest in the reference differs from the locked one.
    #[error("the reference is pinned to {pinned}, but {} is locked", shown(.locked.as_ref()))]
    Pinned {
        /// The digest in the reference.
        pinned: Digest,
        /// The locked digest.
        locked: Option<Digest>,
    },
    /// The image cannot be followed as stated.
    #[error(transparent)]
    Following(#[from] FollowingError),
    /// A manifest is invalid.
    #[error("cannot use the manifest for {platform}")]
    Platform {
        /// The platform.
        platform: Box<Platform>,
        /// The cause.
        #[source]
        source: document::ParseError,
    },
}

impl ImageError {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Platform { source, .. } => source.class(),
            Self::Index(error) => error.class(),
            Self::NoPlatform
            | Self::NoIndex
            | Self::Registry(_)
            | Self::Following(_)
            | Self::Pinned { .. } => Class::Unsupported,
        }
    }
}

fn shown(digest: Option<&Digest>) -> String {
    digest.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}
