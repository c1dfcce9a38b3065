//! Pinning: resolves a reference to an image that a lock file can keep.
//!
//! Only manifests and configs are fetched, and only those that are not known already. [`update`] follows the tag or the
//! pattern of an image.

mod follow;
mod proofs;

pub use self::follow::{News, Terms, look, newest_tag, update};

pub use self::proofs::{Error as ProofsError, Proven, proofs};

use std::collections::BTreeMap;

use crate::class::Class;
use crate::lock::{self, LockedImage, LockedIndex, LockedPlatform};
use crate::name::{Endpoint, Reference};
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::document::Document;
use crate::oci::index::{Index, NoSuchPlatform, Selected};
use crate::oci::manifest::Manifest;
use crate::oci::platform::Platform;
use crate::registry::{self, Cause, ManifestOrIndex, Registry};

/// An image to pin.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The reference.
    pub reference: &'a Reference,
    /// The address of the registry.
    pub endpoint: &'a Endpoint,
    /// The platforms that the image must have. If empty: linux/amd64 and linux/arm64, as far as the image has them.
    pub platforms: &'a [Platform],
    /// The pinned image so far. Its documents are not fetched again.
    pub known: Option<&'a LockedImage>,
}

/// Returns the platforms that are locked by default.
fn usual_platforms() -> [Platform; 2] {
    ["amd64", "arm64"].map(Platform::linux)
}

/// Pins an image in its current state in the registry.
pub async fn pin(wanted: &Wanted<'_>, registry: &Registry) -> Result<LockedImage, Error> {
    pin_from(wanted, wanted.reference, registry).await
}

/// Pins an image as the document of `source`, which may be another digest than that of its reference now.
pub async fn pin_from(
    wanted: &Wanted<'_>,
    source: &Reference,
    registry: &Registry,
) -> Result<LockedImage, Error> {
    let (index, platforms) = match registry.find(source).await? {
        ManifestOrIndex::Manifest(manifest) => (None, single(wanted, *manifest, registry).await?),
        ManifestOrIndex::Index(index) => {
            let platforms = of_index(wanted, &index, registry).await?;
            (Some(LockedIndex::of(&index, &platforms)), platforms)
        }
    };
    let (reference, endpoint) = (wanted.reference.clone(), wanted.endpoint.clone());
    Ok(LockedImage::new(reference, endpoint, index, platforms)?)
}

/// Pins an image again, for the same platforms. Returns `None` if the image is unchanged. An image whose lock does not
/// have the text of the index gets it.
pub async fn pin_again(
    known: &LockedImage,
    registry: &Registry,
) -> Result<Option<LockedImage>, Error> {
    if !known.lacks_index_text() {
        if known.is_pinned() {
            return Ok(None);
        }
        let digest = registry.digest_of(known.reference()).await?;
        if digest.is_some() && digest == known.digest() {
            return Ok(None);
        }
    }
    let platforms: Vec<_> = known.platforms().keys().cloned().collect();
    let wanted = Wanted {
        reference: known.reference(),
        endpoint: known.endpoint(),
        platforms: &platforms,
        known: Some(known),
    };
    // The digest in the header may be wrong. The fetched documents are verified.
    let image = pin(&wanted, registry).await?;
    let image = image
        .with_following(known.following().clone())?
        .with_signer_of(known);
    Ok((image != *known).then_some(image))
}

/// Pins an image without an index, for the platform that its config names.
async fn single(
    wanted: &Wanted<'_>,
    manifest: Document<Manifest>,
    registry: &Registry,
) -> Result<BTreeMap<Platform, LockedPlatform>, Error> {
    let config = registry.config(wanted.reference, &manifest).await?;
    let own = platform_of(&config)?;
    if let Some(other) = wanted
        .platforms
        .iter()
        .find(|platform| platform.distance_to(&own).is_none())
    {
        return Err(Error::Platform(NoSuchPlatform::of_single(other, &own)));
    }
    let keys = match wanted.platforms {
        [] => vec![own],
        platforms => platforms.to_vec(),
    };
    let locked = LockedPlatform {
        created: config.created().cloned(),
        manifest,
    };
    Ok(keys.into_iter().map(|key| (key, locked.clone())).collect())
}

async fn of_index(
    wanted: &Wanted<'_>,
    index: &Document<Index>,
    registry: &Registry,
) -> Result<BTreeMap<Platform, LockedPlatform>, Error> {
    let usual = usual_platforms();
    let (platforms, must_be_there) = match wanted.platforms {
        [] => (usual.as_slice(), false),
        platforms => (platforms, true),
    };
    let mut found = BTreeMap::new();
    let mut missing = None;
    for platform in platforms {
        let locked = match index.select(platform) {
            // By default an entry for another architecture does not count, even if the platform can run it.
            Ok(Selected::One(entry)) if !must_be_there && is_of_another_kind(entry, platform) => {
                let offered = entry.platform.iter();
                Err(Error::Platform(NoSuchPlatform::among(platform, offered)))
            }
            _ => entry(wanted, index, platform, registry).await,
        };
        match locked {
            Ok(locked) => {
                found.insert(platform.clone(), locked);
            }
            Err(error) if !must_be_there && error.lacks_platform() => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}

/// Returns whether an entry is for another architecture that the platform can run as well, as amd64 runs 386.
fn is_of_another_kind(entry: &Descriptor, platform: &Platform) -> bool {
    let named = entry.platform.as_ref().map(Platform::normalised);
    named.is_some_and(|named| named.architecture != platform.architecture)
}

/// Pins the image of an index for one platform.
async fn entry(
    wanted: &Wanted<'_>,
    index: &Document<Index>,
    platform: &Platform,
    registry: &Registry,
) -> Result<LockedPlatform, Error> {
    let known = wanted
        .known
        .and_then(|image| image.platforms().get(platform));
    let selected = match index.select(platform) {
        Ok(Selected::One(entry)) => Some(entry),
        _ => None,
    };
    if let (Some(known), Some(selected)) = (known, selected)
        && selected.digest == *known.manifest.digest()
    {
        return Ok(known.clone());
    }
    let manifest = registry
        .manifest_in(wanted.reference, index, platform)
        .await?;
    if let Some(known) = known
        && known.manifest.digest() == manifest.digest()
    {
        return Ok(known.clone());
    }
    let config = registry.config(wanted.reference, &manifest).await?;
    if selected.is_some_and(|entry| entry.platform.is_none() && !entry.media_type.is_index()) {
        // The index names no platform for its only image, so the config must fit.
        let own = platform_of(&config)?;
        if platform.distance_to(&own).is_none() {
            return Err(Error::Platform(NoSuchPlatform::of_single(platform, &own)));
        }
    }
    Ok(LockedPlatform {
        created: config.created().cloned(),
        manifest,
    })
}

fn platform_of(config: &ImageConfig) -> Result<Platform, Error> {
    // The text of the platform must be valid, because the lock contains it. An image is locked for an architecture, on
    // every build of Windows.
    let own = Platform {
        os_version: None,
        os_features: Vec::new(),
        ..config.platform().normalised()
    };
    own.to_string().parse().map_err(|_| Error::NoPlatform)
}

/// The image cannot be pinned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry does not provide the image.
    #[error(transparent)]
    Registry(Box<registry::Error>),
    /// The image has no index, and is for another platform.
    #[error("the image has no index and is for another platform")]
    Platform(#[source] NoSuchPlatform),
    /// No tag matches the pattern.
    #[error("no tag of {repository} matches `{pattern}`{}", explained(*.tags, .similar, .difference))]
    NoTag {
        /// The repository.
        repository: String,
        /// The pattern.
        pattern: String,
        /// The number of the repository's tags.
        tags: usize,
        /// Tags that the pattern nearly matches.
        similar: Vec<String>,
        /// Why it does not match them.
        difference: &'static str,
    },
    /// The config names no platform.
    #[error("the config of the image names no platform")]
    NoPlatform,
    /// The documents do not make a valid locked image.
    #[error("cannot lock the image that the registry has")]
    Unlockable(#[from] lock::ImageError),
}

impl From<registry::Error> for Error {
    fn from(error: registry::Error) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Registry(error) => error.class(),
            Self::Platform(_) | Self::NoTag { .. } => Class::NotFound,
            Self::NoPlatform => Class::Unsupported,
            Self::Unlockable(error) => error.class(),
        }
    }

    /// Returns whether the image exists, but not for the platform.
    fn lacks_platform(&self) -> bool {
        match self {
            Self::Platform(_) => true,
            Self::Registry(error) => matches!(error.cause(), Cause::Platform(_)),
            Self::NoTag { .. } | Self::NoPlatform | Self::Unlockable(_) => false,
        }
    }
}

fn explained(tags: usize, similar: &[String], difference: &str) -> String {
    if similar.is_empty() {
        format!(", of {tags} tags")
    } else {
        let similar = similar.join(", ");
        format!(": tags such as {similar} {difference}")
    }
}
