//! Pinning: what a reference stands for now, as an image that a lock file can keep.
//!
//! Only manifests and configurations are fetched, and of those only what is not known already.

use std::collections::BTreeMap;

use crate::class::Class;
use crate::lock::{self, LockedImage, LockedPlatform};
use crate::name::{Endpoint, Reference};
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::Document;
use crate::oci::index::{Index, NoSuchPlatform, Selected};
use crate::oci::manifest::Manifest;
use crate::oci::platform::Platform;
use crate::registry::{self, Cause, Found, Registry};

/// An image to pin.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its name.
    pub reference: &'a Reference,
    /// Where its registry is.
    pub endpoint: &'a Endpoint,
    /// The platforms that the image must have. If empty: linux/amd64 and linux/arm64, as far as the image has them.
    pub platforms: &'a [Platform],
    /// The image as it was pinned before, whose documents are not fetched again.
    pub known: Option<&'a LockedImage>,
}

/// The platforms that are locked where nobody says otherwise.
fn usual_platforms() -> [Platform; 2] {
    ["amd64", "arm64"].map(Platform::linux)
}

/// Pins an image as its registry has it now.
pub async fn pin(wanted: &Wanted<'_>, registry: &Registry) -> Result<LockedImage, Error> {
    let (index, platforms) = match registry.find(wanted.reference).await? {
        Found::Manifest(manifest) => (None, single(wanted, *manifest, registry).await?),
        Found::Index(index) => {
            let platforms = of_index(wanted, &index, registry).await?;
            (Some(index.descriptor()), platforms)
        }
    };
    let (reference, endpoint) = (wanted.reference.clone(), wanted.endpoint.clone());
    Ok(LockedImage::new(reference, endpoint, index, platforms)?)
}

/// Pins an image again, for the same platforms. `None` if it has not moved.
pub async fn pin_again(
    known: &LockedImage,
    registry: &Registry,
) -> Result<Option<LockedImage>, Error> {
    if known.is_pinned() {
        return Ok(None);
    }
    let digest = registry.digest_of(known.reference()).await?;
    if digest.is_some() && digest == known.digest() {
        return Ok(None);
    }
    let platforms: Vec<_> = known.platforms().keys().cloned().collect();
    let wanted = Wanted {
        reference: known.reference(),
        endpoint: known.endpoint(),
        platforms: &platforms,
        known: Some(known),
    };
    // What the header says may be wrong; what was fetched is not.
    let image = pin(&wanted, registry).await?;
    Ok((image != *known).then_some(image))
}

/// The digest that an image's reference stands for now. The document is fetched only where the registry's header does
/// not settle it: if it names no digest, or another one, since some registries name wrong ones.
pub async fn digest(known: &LockedImage, registry: &Registry) -> Result<Digest, Error> {
    let digest = registry.digest_of(known.reference()).await?;
    if let Some(digest) = digest
        && Some(digest) == known.digest()
    {
        return Ok(digest);
    }
    Ok(match registry.find(known.reference()).await? {
        Found::Index(index) => *index.digest(),
        Found::Manifest(manifest) => *manifest.digest(),
    })
}

/// An image that is not in an index: for the platform that its configuration names.
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
            // The usual platforms are those of the image, and not what would run on them too.
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

/// Whether an entry is for another architecture, whose images run on the platform as well: amd64 runs 386.
fn is_of_another_kind(entry: &Descriptor, platform: &Platform) -> bool {
    let named = entry.platform.as_ref().map(Platform::normalised);
    named.is_some_and(|named| named.architecture != platform.architecture)
}

/// What an index has for one platform.
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
        // The index does not say what its only image is for, so that the image itself has to.
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
    // Through its text, which the lock will keep. An image is locked for an architecture, on every build of Windows.
    let own = Platform {
        os_version: None,
        os_features: Vec::new(),
        ..config.platform().normalised()
    };
    own.to_string().parse().map_err(|_| Error::NoPlatform)
}

/// An image that cannot be pinned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry.
    #[error(transparent)]
    Registry(Box<registry::Error>),
    /// The image stands alone, and is for another platform.
    #[error("the image is not in an index, and does not fit")]
    Platform(#[source] NoSuchPlatform),
    /// The configuration names no platform.
    #[error("the image does not say for which platform it is")]
    NoPlatform,
    /// The parts do not make a locked image.
    #[error("what the registry has cannot be locked")]
    Unlockable(#[from] lock::ImageError),
}

impl From<registry::Error> for Error {
    fn from(error: registry::Error) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl Error {
    /// The kind of failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Registry(error) => error.class(),
            Self::Platform(_) => Class::NotFound,
            Self::NoPlatform => Class::Unsupported,
            Self::Unlockable(error) => error.class(),
        }
    }

    /// Whether the image is there, but not for the platform.
    fn lacks_platform(&self) -> bool {
        match self {
            Self::Platform(_) => true,
            Self::Registry(error) => matches!(error.cause(), Cause::Platform(_)),
            Self::NoPlatform | Self::Unlockable(_) => false,
        }
    }
}
