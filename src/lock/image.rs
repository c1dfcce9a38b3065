//! A locked image: the reference that is followed, and what it stood for when it was looked at.

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

/// One image of a lock. It keeps its promises from construction on: there is a manifest of an image that Nix can
/// fetch for one platform at least, and a reference with a digest has just that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedImage {
    reference: Reference,
    endpoint: Endpoint,
    index: Option<Descriptor>,
    platforms: BTreeMap<Platform, LockedPlatform>,
}

/// What a locked image is on one platform.
#[derive(Clone, Debug)]
pub struct LockedPlatform {
    /// When the image was made, as its configuration says.
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
    /// All blobs that a host needs: the configuration, and the layers from the lowest on.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        std::iter::once(&self.manifest.config).chain(&self.manifest.layers)
    }

    /// The bytes of the layers, those that are there several times counted once.
    #[must_use]
    pub fn size(&self) -> u64 {
        let layers = self.manifest.layers.iter();
        let sizes: BTreeMap<_, _> = layers.map(|layer| (layer.digest, layer.size)).collect();
        sizes.values().sum()
    }
}

impl LockedImage {
    /// Puts an image together. A reference without tag and digest follows `latest`. Without an `index` there is
    /// one manifest, which is what the reference stands for.
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

    /// The reference that is followed; with a digest, the image never moves. It has a tag or a digest.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Where the registry is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The index that the reference stands for, if it is one.
    #[must_use]
    pub fn index(&self) -> Option<&Descriptor> {
        self.index.as_ref()
    }

    /// The platforms that are locked; one at least. Their names are those that were asked for: an index may offer
    /// `linux/arm/v6` to who asks for `linux/arm/v7`.
    #[must_use]
    pub fn platforms(&self) -> &BTreeMap<Platform, LockedPlatform> {
        &self.platforms
    }

    /// What the reference stands for: the index's digest, else the manifest's.
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

    /// Whether the reference has a digest, so that it cannot stand for anything else.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.reference.digest.is_some()
    }
}

impl LockedPlatform {
    /// Refuses what Nix cannot fetch or everybody could read there, and what a JSON string cannot hold.
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

/// Parts that do not make a locked image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// There is nothing to fetch.
    #[error("it is locked for no platform")]
    NoPlatform,
    /// Several manifests need an index.
    #[error("it has several manifests, but there is no index of them")]
    NoIndex,
    /// The index's media type is not one of an index.
    #[error("its index is of type {0}, which is not an index")]
    IndexType(String),
    /// The place of the registry is that of another one.
    #[error("its registry is the place of {0}, which is another than the reference names")]
    Registry(String),
    /// The reference's digest is not what is locked.
    #[error("its reference is pinned to {pinned}, but {} is locked", shown(.locked.as_ref()))]
    Pinned {
        /// The reference's.
        pinned: Digest,
        /// What is locked.
        locked: Option<Digest>,
    },
    /// A manifest that is not usable.
    #[error("its manifest for {platform} cannot be used")]
    Platform {
        /// Of which platform.
        platform: Box<Platform>,
        /// What is wrong with it.
        #[source]
        source: document::ParseError,
    },
}

impl ImageError {
    /// The kind of failure.
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
