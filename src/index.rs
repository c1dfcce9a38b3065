//! Indexes: one name, images for several platforms.
//!
//! Sources: OCI image specification, `image-index.md`; Docker manifest lists; `BuildKit`'s attestation
//! entries (`vnd.docker.reference.type`, platform `unknown/unknown`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::descriptor::{Descriptor, null_as_default};
use crate::document::{Document, ParseError, View};
use crate::go_json::Shape;
use crate::manifest::{DocumentKind, Kind};
use crate::media_type::MediaType;
use crate::platform::Platform;

/// The parsed view of an index of either family.
#[derive(Clone, Debug)]
pub struct Index {
    /// Docker's or OCI's index type.
    pub media_type: MediaType,
    /// The entries, in the index's order.
    pub manifests: Vec<Descriptor>,
    /// Free text about the index.
    pub annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Raw {
    manifests: Vec<Descriptor>,
    #[serde(default, deserialize_with = "null_as_default")]
    annotations: BTreeMap<String, String>,
}

impl View for Index {
    const SHAPE: &'static Shape = &Kind::SHAPE;

    fn parse(bytes: &[u8], declared: Option<&MediaType>) -> Result<Self, ParseError> {
        let (kind, media_type) = Kind::of(bytes, declared)?;
        if kind == DocumentKind::Manifest {
            return Err(ParseError::Unsupported(
                "the manifest of one image, where an index was expected".to_owned(),
            ));
        }
        let raw: Raw =
            serde_json::from_slice(bytes).map_err(|source| ParseError::json(source, bytes))?;
        Ok(Self {
            media_type,
            manifests: raw.manifests,
            annotations: raw.annotations,
        })
    }
}

impl Document<Index> {
    /// The descriptor of this very index.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type.clone(), *self.digest(), self.size())
    }
}

impl Index {
    /// The entry that serves `platform` best: the nearest variant, and the first of equals. Where none names
    /// a fitting platform: an index without a platform of its own, or the only entry if it names none.
    pub fn select(&self, platform: &Platform) -> Result<&Descriptor, NoSuchPlatform> {
        let candidates = || self.manifests.iter().filter(|entry| !is_attestation(entry));
        candidates()
            .filter_map(|entry| {
                let distance = platform.distance_to(entry.platform.as_ref()?)?;
                Some((distance, entry))
            })
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, entry)| entry)
            .or_else(|| {
                candidates().find(|entry| entry.platform.is_none() && entry.media_type.is_index())
            })
            .or_else(|| {
                let mut entries = candidates();
                let only = entries.next().filter(|entry| entry.platform.is_none());
                only.filter(|_| entries.next().is_none())
            })
            .ok_or_else(|| NoSuchPlatform {
                wanted: platform.clone(),
                offered: candidates()
                    .filter_map(|entry| entry.platform.as_ref())
                    .map(Platform::normalised)
                    .collect(),
            })
    }
}

/// Whether an entry of an index describes another entry rather than an image.
fn is_attestation(entry: &Descriptor) -> bool {
    entry.annotations.contains_key("vnd.docker.reference.type")
        || entry
            .platform
            .as_ref()
            .is_some_and(|platform| platform.os == "unknown" || platform.architecture == "unknown")
}

/// An index has no image for the platform that was asked for.
#[derive(Debug, Clone, thiserror::Error)]
#[error("there is no image for {wanted}; there is one for {}", list(.offered))]
pub struct NoSuchPlatform {
    wanted: Platform,
    offered: Vec<Platform>,
}

impl NoSuchPlatform {
    /// For an image that is not in an index, but for one platform of its own.
    #[must_use]
    pub fn of_single(wanted: &Platform, own: &Platform) -> Self {
        Self {
            wanted: wanted.clone(),
            offered: vec![own.normalised()],
        }
    }
}

fn list(platforms: &[Platform]) -> String {
    if platforms.is_empty() {
        return "no platform at all".to_owned();
    }
    platforms
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(platforms: &[&str]) -> Document<Index> {
        let entries: Vec<String> = platforms
            .iter()
            .map(|platform| {
                let mut parts = platform.split('/');
                format!(
                    r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"{}","platform":{{"os":"{}","architecture":"{}","variant":"{}"}}}}"#,
                    crate::digest::Digest::of(platform.as_bytes()),
                    parts.next().unwrap(),
                    parts.next().unwrap(),
                    parts.next().unwrap_or_default(),
                )
            })
            .collect();
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
            entries.join(",")
        );
        Document::parse(text.into_bytes(), None).unwrap()
    }

    #[test]
    fn selects_the_nearest_variant_and_never_an_attestation() {
        let index = index(&[
            "unknown/unknown",
            "linux/amd64",
            "linux/arm/v5",
            "linux/arm/v6",
            "linux/arm64/v8",
        ]);
        for (wanted, selected) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/arm/v7", "linux/arm/v6"),
            ("linux/arm/v5", "linux/arm/v5"),
            ("linux/arm64", "linux/arm64/v8"),
        ] {
            assert_eq!(
                index.select(&wanted.parse().unwrap()).unwrap().digest,
                crate::digest::Digest::of(selected.as_bytes()),
                "{wanted}"
            );
        }
    }

    #[test]
    fn says_which_platforms_there_are() {
        let error = index(&["linux/amd64", "unknown/unknown", "linux/arm/v7"])
            .select(&"linux/s390x".parse().unwrap())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no image for linux/s390x; there is one for linux/amd64, linux/arm/v7"
        );
    }
}
