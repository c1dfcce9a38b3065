//! The entries of a lock: images with their platforms. They are checked while the parser still knows the line.

use serde::Deserialize;
use serde_json::Value;

use super::strict::{FullPlatform, Key, RawDescriptor, Unique};
use crate::causes;
use crate::class::Class;
use crate::lock::signer::RawSigner;
use crate::lock::{
    Age, Following, ImageError, LockedImage, LockedIndex, LockedPlatform, Pattern, Pending,
};
use crate::name::endpoint::Endpoint;
use crate::name::{Reference, Tag};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{self, Document};
use crate::oci::manifest::Manifest;
use crate::oci::timestamp::Timestamp;

/// A locked image.
#[derive(Deserialize)]
#[serde(try_from = "RawImage")]
pub(super) struct CheckedImage(pub(super) LockedImage);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawImage {
    reference: String,
    #[serde(default)]
    registry: Option<String>,
    #[serde(default)]
    follow: Option<Key<Pattern>>,
    #[serde(default, rename = "minAge")]
    min_age: Option<Key<Age>>,
    #[serde(default)]
    pending: Vec<RawPending>,
    #[serde(default)]
    index: Option<RawDescriptor>,
    #[serde(default, rename = "indexText")]
    index_text: Option<String>,
    #[serde(default, rename = "signedBy")]
    signed_by: Option<RawSigner>,
    #[serde(default)]
    proofs: Option<Vec<Digest>>,
    platforms: Unique<Key<FullPlatform>, CheckedPlatform>,
}

/// What waits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawPending {
    tag: Key<Tag>,
    digest: Key<Digest>,
    first_seen: Timestamp,
}

#[derive(Deserialize)]
#[serde(try_from = "RawPlatform")]
struct CheckedPlatform(LockedPlatform);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlatform {
    #[serde(default)]
    created: Option<Timestamp>,
    manifest: String,
    config: RawDescriptor,
    layers: Vec<RawDescriptor>,
}

/// The entry of an image is invalid.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct ImageEntryError {
    class: Class,
    message: String,
}

impl TryFrom<RawImage> for CheckedImage {
    type Error = ImageEntryError;

    fn try_from(raw: RawImage) -> Result<Self, ImageEntryError> {
        let unusable = |error: &dyn std::error::Error| ImageEntryError {
            class: Class::Unsupported,
            message: causes::line(error),
        };
        let (reference, endpoint) = match &raw.registry {
            None => {
                let reference: Reference =
                    raw.reference.parse().map_err(|error| unusable(&error))?;
                let endpoint =
                    Endpoint::of(&reference.registry).map_err(|error| unusable(&error))?;
                (reference, endpoint)
            }
            Some(registry) => {
                // The author of the file chose the scheme.
                let endpoint = Endpoint::in_file(registry).map_err(|error| unusable(&error))?;
                let name = endpoint.registry_name().clone();
                let path = raw.reference.strip_prefix(name.as_str());
                let path = path
                    .and_then(|rest| rest.strip_prefix('/'))
                    .ok_or_else(|| unusable(&ImageError::Registry(name.to_string())))?;
                let reference =
                    Reference::in_registry(name, path).map_err(|error| unusable(&error))?;
                (reference, endpoint)
            }
        };
        let platforms = raw.platforms.0.into_iter();
        let platforms = platforms.map(|(key, CheckedPlatform(locked))| (key.0.0, locked));
        let index = match (raw.index, raw.index_text) {
            (Some(RawDescriptor(descriptor)), text) => Some(LockedIndex { descriptor, text }),
            (None, None) => None,
            (None, Some(_)) => {
                return Err(ImageEntryError {
                    class: Class::Integrity,
                    message: "`indexText` needs `index`".to_owned(),
                });
            }
        };
        let pending = raw.pending.into_iter().map(|raw| Pending {
            tag: raw.tag.0,
            digest: raw.digest.0,
            first_seen: raw.first_seen,
        });
        let following = Following {
            pattern: raw.follow.map(|Key(pattern)| pattern),
            min_age: raw.min_age.map(|Key(age)| age),
            pending: pending.collect(),
        };
        let signer = match (raw.signed_by, raw.proofs) {
            (Some(signer), proofs) => Some(signer.parse(proofs).map_err(|error| unusable(&error))?),
            (None, None) => None,
            // Without this, a merge that loses `signedBy` would go unnoticed.
            (None, Some(_)) => {
                return Err(ImageEntryError {
                    class: Class::Integrity,
                    message: "`proofs` needs `signedBy`".to_owned(),
                });
            }
        };
        LockedImage::new(reference, endpoint, index, platforms.collect())
            .and_then(|image| image.with_following(following))
            .map(|image| Self(image.with_signer(signer)))
            .map_err(|error| ImageEntryError {
                class: error.class(),
                message: causes::line(&error),
            })
    }
}

/// The entry of a platform is invalid.
#[derive(Debug, thiserror::Error)]
enum PlatformError {
    #[error("cannot use the manifest: {}", causes::line(.0))]
    Manifest(document::ParseError),
    #[error("{0}")]
    Contradiction(&'static str),
}

impl PlatformError {
    fn class(&self) -> Class {
        match self {
            Self::Manifest(error) => error.class(),
            Self::Contradiction(_) => Class::Integrity,
        }
    }
}

impl TryFrom<RawPlatform> for CheckedPlatform {
    type Error = PlatformError;

    fn try_from(raw: RawPlatform) -> Result<Self, PlatformError> {
        let manifest = Document::<Manifest>::parse(raw.manifest.into_bytes(), None)
            .map_err(PlatformError::Manifest)?;
        let same = |RawDescriptor(said): &RawDescriptor, is: &Descriptor| {
            said.media_type == is.media_type && said.digest == is.digest && said.size == is.size
        };
        let layers = &manifest.layers;
        if !same(&raw.config, &manifest.config) {
            return Err(PlatformError::Contradiction(
                "`config` does not match the manifest",
            ));
        }
        if raw.layers.len() != layers.len()
            || !raw
                .layers
                .iter()
                .zip(layers)
                .all(|(said, is)| same(said, is))
        {
            return Err(PlatformError::Contradiction(
                "`layers` do not match the manifest",
            ));
        }
        Ok(Self(LockedPlatform {
            created: raw.created,
            manifest,
        }))
    }
}

/// Returns the class of the first invalid entry of a platform in a lock, or else of the first invalid image. The parser
/// of the lock keeps only the text of its error.
pub(super) fn class_of_entries(lock: &[u8]) -> Class {
    let lock: Value = serde_json::from_slice(lock).unwrap_or_default();
    let members = |value: Option<&Value>| {
        let members = value.and_then(Value::as_object);
        members.cloned().unwrap_or_default().into_iter()
    };
    let platforms =
        members(lock.get("images")).flat_map(|(_, image)| members(image.get("platforms")));
    platforms
        .filter_map(|(_, platform)| serde_json::from_value::<RawPlatform>(platform).ok())
        .find_map(|platform| CheckedPlatform::try_from(platform).err())
        .map(|error| error.class())
        .or_else(|| {
            members(lock.get("images"))
                .filter_map(|(_, image)| serde_json::from_value::<RawImage>(image).ok())
                .find_map(|image| CheckedImage::try_from(image).err())
                .map(|error| error.class)
        })
        .unwrap_or(Class::Unsupported)
}
