//! Parses a lock strictly. Errors name the line.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::signer::RawSigner;
use super::{
    Age, Following, ImageError, Lock, LockedImage, LockedIndex, LockedPlatform, Name,
    OLDEST_VERSION, Pattern, Pending, SizeError, VERSION,
};
use crate::causes;
use crate::class::Class;
use crate::name::endpoint::Endpoint;
use crate::name::{Reference, Tag};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{self, Document};
use crate::oci::manifest::Manifest;
use crate::oci::platform::{self, Platform};
use crate::oci::timestamp::Timestamp;

/// The size limit of a lock file in bytes: 64 MiB, enough for thousands of images.
pub const MAX_LOCK_SIZE: usize = 64 << 20;

/// Parses the text of a lock file.
pub fn parse(text: &[u8]) -> Result<Lock, ParseError> {
    if text.len() > MAX_LOCK_SIZE {
        return Err(ParseError::TooLarge);
    }
    if let Some(line) = conflict(text) {
        return Err(ParseError::Conflict(line));
    }
    // This check is first, because a newer format may have any content.
    if let Ok(VersionOnly { version }) = serde_json::from_slice(text)
        && version > VERSION
    {
        return Err(ParseError::Newer(version));
    }
    let lock: RawLock =
        serde_json::from_slice(text).map_err(|error| ParseError::of(&error, text))?;
    if lock.version < OLDEST_VERSION {
        return Err(ParseError::Older(lock.version));
    }
    let lock = Lock {
        min_age: lock.min_age.map(|Key(age)| age),
        images: lock
            .images
            .0
            .into_iter()
            .map(|(name, CheckedImage(image))| (name.0, image))
            .collect(),
    };
    lock.check_sizes()?;
    Ok(lock)
}

/// Returns the first line with a conflict marker of a merge. No line of JSON begins like that.
fn conflict(text: &[u8]) -> Option<usize> {
    let marks: [&[u8]; 3] = [b"<<<<<<<", b">>>>>>>", b"|||||||"];
    text.split(|byte| *byte == b'\n')
        .position(|line| marks.iter().any(|mark| line.starts_with(mark)))
        .map(|index| index + 1)
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    version: u64,
    #[serde(default, rename = "minAge")]
    min_age: Option<Key<Age>>,
    images: Unique<Key<Name>, CheckedImage>,
}

/// A locked image, checked while the parser still knows the line.
#[derive(Deserialize)]
#[serde(try_from = "RawImage")]
struct CheckedImage(LockedImage);

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

/// A descriptor with exactly its three required fields.
#[derive(Deserialize)]
#[serde(try_from = "StrictDescriptor")]
struct RawDescriptor(Descriptor);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct StrictDescriptor {
    media_type: Value,
    digest: Value,
    size: Value,
}

impl TryFrom<StrictDescriptor> for RawDescriptor {
    type Error = serde_json::Error;

    fn try_from(raw: StrictDescriptor) -> Result<Self, serde_json::Error> {
        let StrictDescriptor {
            media_type,
            digest,
            size,
        } = raw;
        // The rules of [`Descriptor`] apply here, too.
        let object = serde_json::json!({"mediaType": media_type, "digest": digest, "size": size});
        serde_json::from_value(object).map(Self)
    }
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
fn class_of_entries(lock: &[u8]) -> Class {
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

/// A parsed key. Different spellings of the same value are equal.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<T>(T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Key<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A platform with all its parts, so that it does not depend on the machine.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct FullPlatform(Platform);

impl FromStr for FullPlatform {
    type Err = platform::ParseError;

    fn from_str(text: &str) -> Result<Self, platform::ParseError> {
        Platform::in_full(text).map(Self)
    }
}

/// A map in which no key occurs twice. A merge without a conflict may duplicate keys.
struct Unique<K, V>(BTreeMap<K, V>);

impl<'de, K: DeserializeOwned + Ord, V: DeserializeOwned> Deserialize<'de> for Unique<K, V> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<K, V>(PhantomData<(K, V)>);

        impl<'de, K: DeserializeOwned + Ord, V: DeserializeOwned> Visitor<'de> for Members<K, V> {
            type Value = Unique<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some(key) = map.next_key()? {
                    if members.contains_key(&key) {
                        return Err(A::Error::custom("the key occurs twice"));
                    }
                    members.insert(key, map.next_value()?);
                }
                Ok(Unique(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// The text is not a valid lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The text is longer than [`MAX_LOCK_SIZE`].
    #[error("the lock file is larger than {} MiB", MAX_LOCK_SIZE >> 20)]
    TooLarge,
    /// The text has a conflict marker.
    #[error("line {0} has the conflict marker of a merge")]
    Conflict(usize),
    /// A newer program wrote the lock.
    #[error("unknown version {0}: this hocker supports versions up to {VERSION}")]
    Newer(u64),
    /// The version never existed.
    #[error("unknown version {0}")]
    Older(u64),
    /// Two images contradict each other.
    #[error(transparent)]
    Sizes(#[from] SizeError),
    /// The text does not have the required format.
    #[error("line {line}, column {column}: {message}")]
    Line {
        /// [`Class::Integrity`] if an entry contradicts itself, else [`Class::Unsupported`].
        class: Class,
        /// The number, from 1.
        line: usize,
        /// The number, from 1.
        column: usize,
        /// The error at this position or just before it.
        message: String,
    },
}

impl ParseError {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Line { class, .. } => *class,
            Self::Sizes(_) => Class::Integrity,
            Self::TooLarge | Self::Conflict(_) | Self::Newer(_) | Self::Older(_) => {
                Class::Unsupported
            }
        }
    }

    fn of(error: &serde_json::Error, lock: &[u8]) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let place = format!(" at line {line} column {column}");
        Self::Line {
            class: class_of_entries(lock),
            line,
            column,
            message: text.strip_suffix(&place).unwrap_or(&text).to_owned(),
        }
    }
}
