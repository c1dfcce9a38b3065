//! Descriptors: the media type, digest and size of a blob or manifest, known before the content is fetched.
//!
//! Source: OCI image specification, `descriptor.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::go_json::{Shape, null_as_default, texts};
use crate::oci::digest::Digest;
use crate::oci::media_type::MediaType;
use crate::oci::platform::Platform;

/// The maximum size of a blob in a descriptor: 1 TiB. It also prevents an overflow in sums of sizes.
pub const MAX_BLOB_SIZE: u64 = 1 << 40;

/// The maximum size of a blob of unknown size, because its descriptor is not available: 16 GiB.
pub const MAX_UNDESCRIBED_SIZE: u64 = 16 << 30;

/// The media type, digest and size of a blob or manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type of the content; empty if the document names none.
    #[serde(default, deserialize_with = "null_as_default")]
    pub media_type: MediaType,
    /// The digest of the content.
    pub digest: Digest,
    /// The exact size of the content in bytes, at most [`MAX_BLOB_SIZE`].
    #[serde(deserialize_with = "size")]
    pub size: u64,
    /// The platform of an entry of an index. A platform with empty fields is read as `None`.
    #[serde(
        default,
        deserialize_with = "named_platform",
        skip_serializing_if = "Option::is_none"
    )]
    pub platform: Option<Platform>,
    /// For entries of an index: the type of an artifact, which is not an image.
    #[serde(
        default,
        deserialize_with = "named_artifact",
        skip_serializing_if = "Option::is_none"
    )]
    pub artifact_type: Option<MediaType>,
    /// URLs of a layer that registries may not distribute.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub urls: Vec<String>,
    /// Annotations of the content.
    #[serde(
        default,
        deserialize_with = "texts",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// The known keys.
    pub(crate) const SHAPE: Shape = Shape::Object(&[
        ("mediaType", &Shape::Any),
        ("digest", &Shape::Any),
        ("size", &Shape::Any),
        ("platform", &Platform::SHAPE),
        ("urls", &Shape::Any),
        ("annotations", &Shape::Any),
        ("artifactType", &Shape::Any),
        ("data", &Shape::Any),
    ]);

    /// Creates a descriptor without optional fields.
    #[must_use]
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self {
            media_type,
            digest,
            size,
            platform: None,
            artifact_type: None,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
        }
    }
}

/// Deserialises the size of a blob, at most [`MAX_BLOB_SIZE`].
pub(crate) fn size<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let size = u64::deserialize(deserializer)?;
    if size > MAX_BLOB_SIZE {
        return Err(serde::de::Error::custom(format_args!(
            "the size of {size} bytes exceeds the limit of {MAX_BLOB_SIZE} bytes"
        )));
    }
    Ok(size)
}

fn named_platform<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Platform>, D::Error> {
    let platform = Option::<Platform>::deserialize(deserializer)?;
    Ok(platform.filter(|platform| !platform.is_unnamed()))
}

/// Reads the type of an artifact. An empty text, which Go writes for an absent value, is no type.
fn named_artifact<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<MediaType>, D::Error> {
    let named = Option::<MediaType>::deserialize(deserializer)?;
    Ok(named.filter(|named| !named.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::{Descriptor, MediaType};

    fn parse(size: &str) -> Result<Descriptor, serde_json::Error> {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        serde_json::from_str(&format!(
            r#"{{"mediaType":"application/octet-stream","digest":"sha256:{hex}","size":{size},"annotations":null}}"#
        ))
    }

    #[test]
    fn refuses_negative_fractional_and_absurd_sizes() {
        for size in [
            "-1",
            "1.5",
            "1.0",
            "1e3",
            "null",
            "\"1\"",
            "1099511627777",
            "99999999999999999999999",
        ] {
            assert!(parse(size).is_err(), "{size}");
        }
        assert_eq!(parse("1099511627776").unwrap().size, 1 << 40);
    }

    #[test]
    fn what_go_writes_of_nothing_is_nothing() {
        let bare = parse("2").unwrap();
        for (key, nothing) in [
            ("mediaType", r#""""#),
            ("mediaType", "null"),
            ("platform", "null"),
            ("platform", "{}"),
            ("platform", r#"{"os":"","architecture":"","variant":""}"#),
            ("platform", r#"{"os":null,"architecture":null}"#),
            ("urls", "null"),
            ("urls", "[]"),
            ("annotations", "{}"),
            ("data", "null"),
            ("artifactType", "null"),
            ("artifactType", r#""""#),
        ] {
            let text = format!(
                r#"{{"digest":"{}","size":2,"{key}":{nothing}}}"#,
                bare.digest
            );
            let read: Descriptor = serde_json::from_str(&text).unwrap();
            let expected = Descriptor::new(MediaType::default(), bare.digest, 2);
            assert_eq!(read, expected, "{text}");
        }
        let text = format!(
            r#"{{"digest":"{}","size":2,"annotations":{{"a":null}}}}"#,
            bare.digest
        );
        let read: Descriptor = serde_json::from_str(&text).unwrap();
        assert_eq!(read.annotations["a"], "");
    }
}
