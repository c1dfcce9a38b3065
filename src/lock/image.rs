//! A locked image: the reference that is followed, and what it resolved to when it was locked.

use std::collections::BTreeMap;

use crate::class::Class;
use crate::name::Reference;
use crate::name::endpoint::Endpoint;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{self, Document};
use crate::oci::manifest::Manifest;
use crate::oci::platform::Platform;
use crate::oci::timestamp::Timestamp;
use crate::safe_url::has_user_information;

/// One image of a lock. It always has at least one platform, and Nix can fetch each of its manifests. If the reference
/// has a digest, that digest is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedImage {
    reference: Reference,
    endpoint: Endpoint,
    index: Option<Descriptor>,
    platforms: BTreeMap<Platform, LockedPlatform>,
}

/// A locked image on one platform.
#[derive(Clone, Debug)]
pub struct LockedPlatform {
    /// The creation time that the config states.
    pub created: Option<Timestamp>,
    /// The manifest.
    pub manifest: Document<Manifest>,
}

impl PartialEq for LockedPlatform {
    fn eq(&self, other: &Self) -> bool {
        self.created == other.created && self.manifest.digest() == other.manifest.digest()
    }
}

impl Eq for LockedPlatform {}

impl LockedPlatform {
    /// Returns all blobs that a host needs: the config, and the layers, lowest first.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        std::iter::once(&self.manifest.config).chain(&self.manifest.layers)
    }

    /// Returns the size in bytes of the distinct layers.
    #[must_use]
    pub fn size(&self) -> u64 {
        let layers = self.manifest.layers.iter();
        let sizes: BTreeMap<_, _> = layers.map(|layer| (layer.digest, layer.size)).collect();
        sizes.values().sum()
    }
}

impl LockedImage {
    /// Creates a locked image. A reference without tag and digest follows `latest`. Without an `index`, there must be
    /// only one manifest, to which the reference resolves.
    pub fn new(
        mut reference: Reference,
        endpoint: Endpoint,
        index: Option<Descriptor>,
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
        if let Some(index) = &index
            && !index.media_type.is_index()
        {
            return Err(ImageError::IndexType(index.media_type.to_string()));
        }
        let image = Self {
            reference,
            endpoint,
            index,
            platforms,
        };
        match image.reference.digest {
            Some(digest) if Some(digest) != image.digest() => Err(ImageError::Pinned {
                pinned: digest,
                locked: image.digest(),
            }),
            _ => Ok(image),
        }
    }

    /// Returns the reference that is followed. It has a tag or a digest. With a digest, the image never changes.
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
    pub fn index(&self) -> Option<&Descriptor> {
        self.index.as_ref()
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
            Some(index) => Some(index.digest),
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

impl LockedPlatform {
    /// Fails if Nix cannot fetch the image, if it contains a secret that all users of the store could read, or if a
    /// JSON string cannot contain its manifest.
    fn require_fetchable(&self) -> Result<(), document::ParseError> {
        let unsupported = |text: String| Err(document::ParseError::Unsupported(text));
        self.manifest.require_image()?;
        if let Some(Digest::Sha512(_)) = self
            .blobs()
            .map(|blob| blob.digest)
            .find(|digest| digest.algorithm() != "sha256")
        {
            return unsupported(
                "has blobs with sha512 digests, but Nix fetches by sha256".to_owned(),
            );
        }
        let mut urls = self.manifest.layers.iter().flat_map(|layer| &layer.urls);
        if urls.any(|url| has_user_information(url)) {
            return unsupported("has a layer with credentials in its URL".to_owned());
        }
        if std::str::from_utf8(self.manifest.bytes()).is_err() {
            return unsupported("is not UTF-8, but a lock file is".to_owned());
        }
        Ok(())
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
    /// The media type of the index is not that of an index.
    #[error("the index has the type {0}, which is not an index")]
    IndexType(String),
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
            Self::NoPlatform
            | Self::NoIndex
            | Self::IndexType(_)
            | Self::Registry(_)
            | Self::Pinned { .. } => Class::Unsupported,
        }
    }
}

fn shown(digest: Option<&Digest>) -> String {
    digest.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}
