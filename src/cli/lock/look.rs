//! Looking at an image: what its reference stands for now, on each platform that is wanted. Only manifests and
//! configurations are fetched, and of those only what is not known already.

use std::collections::BTreeMap;

use super::super::args::CredentialArgs;
use super::super::config;
use super::super::{Context, Error};
use super::error::LockError;
use super::registries::Registries;
use crate::lock::{LockedImage, LockedPlatform, Name};
use crate::name::Reference;
use crate::name::endpoint::Endpoint;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{Document, ParseError};
use crate::oci::index::{Index, NoSuchPlatform, Selected};
use crate::oci::manifest::Manifest;
use crate::oci::platform::Platform;
use crate::registry::{Cause, Found, Registry};

/// What is looked for.
pub(super) struct Wanted<'a> {
    pub(super) reference: &'a Reference,
    pub(super) endpoint: &'a Endpoint,
    /// The platforms that there must be; where none are named, the usual ones that there are.
    pub(super) platforms: &'a [Platform],
    /// What the image was before.
    pub(super) known: Option<&'a LockedImage>,
}

/// The platforms that are locked where nobody says otherwise.
fn usual_platforms() -> [Platform; 2] {
    ["amd64", "arm64"].map(Platform::linux)
}

/// Asks the registry what the image is now.
pub(super) async fn look(
    wanted: &Wanted<'_>,
    registries: &Registries<'_>,
) -> Result<LockedImage, Error> {
    let _turn = registries.turn(wanted.endpoint).await;
    let repository = &wanted.reference.repository;
    let registry = registries.registry(wanted.endpoint, repository).await?;
    fetch(wanted, &registry).await
}

/// The same for what is locked already, if it has moved. `None` if it has not.
pub(super) async fn look_again(
    known: &LockedImage,
    registries: &Registries<'_>,
) -> Result<Option<LockedImage>, Error> {
    if known.is_pinned() {
        return Ok(None);
    }
    let _turn = registries.turn(known.endpoint()).await;
    let repository = &known.reference().repository;
    let registry = registries.registry(known.endpoint(), repository).await?;
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
    let image = fetch(&wanted, &registry).await?;
    Ok((image != *known).then_some(image))
}

/// What the image's reference stands for now. The document is fetched only where the registry's word is not enough: where
/// it does not say the digest, or another one, since some registries say wrong ones.
pub(super) async fn digest(
    known: &LockedImage,
    registries: &Registries<'_>,
) -> Result<Option<Digest>, Error> {
    let _turn = registries.turn(known.endpoint()).await;
    let repository = &known.reference().repository;
    let registry = registries.registry(known.endpoint(), repository).await?;
    let digest = registry.digest_of(known.reference()).await?;
    if digest.is_some() && digest == known.digest() {
        return Ok(digest);
    }
    Ok(Some(match registry.find(known.reference()).await? {
        Found::Index(index) => *index.digest(),
        Found::Manifest(manifest) => *manifest.digest(),
    }))
}

async fn fetch(wanted: &Wanted<'_>, registry: &Registry) -> Result<LockedImage, Error> {
    let (index, platforms) = match registry.find(wanted.reference).await? {
        Found::Manifest(manifest) => (None, single(wanted, *manifest, registry).await?),
        Found::Index(index) => {
            let platforms = of_index(wanted, &index, registry).await?;
            (Some(index.descriptor()), platforms)
        }
    };
    let (reference, endpoint) = (wanted.reference.clone(), wanted.endpoint.clone());
    let image = LockedImage::new(reference, endpoint, index, platforms);
    Ok(image.map_err(LockError::Unlockable)?)
}

/// An image that is not in an index: for the platform that its configuration names.
async fn single(
    wanted: &Wanted<'_>,
    manifest: Document<Manifest>,
    registry: &Registry,
) -> Result<BTreeMap<Platform, LockedPlatform>, Error> {
    let config = config::fetch(registry, wanted.reference, &manifest).await?;
    let own = platform_of(wanted, &config)?;
    if let Some(other) = wanted
        .platforms
        .iter()
        .find(|platform| platform.distance_to(&own).is_none())
    {
        return Err(LockError::Platform(NoSuchPlatform::of_single(other, &own)).into());
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
                Err(LockError::Platform(NoSuchPlatform::among(platform, offered)).into())
            }
            _ => entry(wanted, index, platform, registry).await,
        };
        match locked {
            Ok(locked) => {
                found.insert(platform.clone(), locked);
            }
            Err(error) if !must_be_there && error.is_no_platform() => missing = Some(error),
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
    let config = config::fetch(registry, wanted.reference, &manifest).await?;
    if selected.is_some_and(|entry| entry.platform.is_none() && !entry.media_type.is_index()) {
        // The index does not say what its only image is for, so that the image itself has to.
        let own = platform_of(wanted, &config)?;
        if platform.distance_to(&own).is_none() {
            return Err(LockError::Platform(NoSuchPlatform::of_single(platform, &own)).into());
        }
    }
    Ok(LockedPlatform {
        created: config.created().cloned(),
        manifest,
    })
}

fn platform_of(wanted: &Wanted<'_>, config: &ImageConfig) -> Result<Platform, Error> {
    // Through its text, which the lock will keep. An image is locked for an architecture, on every build of Windows.
    let own = Platform {
        os_version: None,
        os_features: Vec::new(),
        ..config.platform().normalised()
    };
    own.to_string().parse().map_err(|_| Error::Document {
        what: wanted.reference.to_string(),
        source: ParseError::Unsupported("an image that does not say its platform".to_owned()),
    })
}

/// Does something with each of the images that are locked already, as far as their registries can be asked at all.
pub(super) async fn at_each<'a, T>(
    images: Vec<(&'a Name, &'a LockedImage)>,
    credentials: CredentialArgs,
    context: &Context,
    look: impl AsyncFn(&LockedImage, &Registries<'_>) -> Result<T, Error>,
) -> Result<Vec<(&'a Name, &'a LockedImage, Result<T, Error>)>, Error> {
    let places = images
        .iter()
        .map(|(_, image)| (image.endpoint(), &image.reference().repository));
    let registries = Registries::new(context, credentials, places).await?;
    let looks = images.iter().map(|(_, image)| look(image, &registries));
    let found = for_all(context, looks).await;
    let found = images.into_iter().zip(found);
    Ok(found
        .map(|((name, image), found)| (name, image, found))
        .collect())
}

/// Does all of this, and shows how much is done.
pub(super) async fn for_all<T, F: Future<Output = T>>(
    context: &Context,
    work: impl IntoIterator<Item = F>,
) -> Vec<T> {
    let work: Vec<_> = work.into_iter().collect();
    let progress = context.display.images(work.len());
    let progress = &progress;
    let counted = work.into_iter().map(|one| async move {
        let done = one.await;
        progress.done();
        done
    });
    futures_util::future::join_all(counted).await
}

impl Error {
    /// Whether an image is not there for a platform.
    fn is_no_platform(&self) -> bool {
        match self {
            Self::Lock(LockError::Platform(_)) => true,
            Self::Registry(error) => matches!(error.cause(), Cause::Platform(_)),
            _ => false,
        }
    }
}
