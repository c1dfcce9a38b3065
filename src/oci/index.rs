//! Indexes: documents that list one manifest for each platform.
//!
//! Sources: OCI image specification, `image-index.md`; Docker manifest lists; `BuildKit`'s attestation
//! entries (`vnd.docker.reference.type`, platform `unknown/unknown`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::go_json::Shape;
use crate::go_json::{null_as_default, texts};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{Document, ParseError, View};
use crate::oci::manifest::{DocumentFields, DocumentKind};
use crate::oci::media_type::MediaType;
use crate::oci::platform::Platform;

/// The annotation of entries that describe other entries, such as attestations.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";

/// The parsed view of an index of either family.
#[derive(Clone, Debug)]
pub struct Index {
    /// Docker's or OCI's index type.
    pub media_type: MediaType,
    /// The valid entries, in the order of the index.
    pub manifests: Vec<Descriptor>,
    /// Annotations of the index.
    pub annotations: BTreeMap<String, String>,
    unusable: Vec<UnusableEntry>,
}

/// An entry that is not a valid descriptor. It is an error only if it is selected.
#[derive(Clone, Debug)]
struct UnusableEntry {
    /// The number of valid entries before it.
    position: usize,
    platform: Option<Platform>,
    reason: Arc<serde_json::Error>,
}

/// The result of selecting a platform from an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selected<'a> {
    /// The entry for the platform.
    One(&'a Descriptor),
    /// Entries without a platform, one of which may serve the platform: the configs of their images name theirs.
    Unnamed(Vec<&'a Descriptor>),
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default, deserialize_with = "null_as_default")]
    manifests: Vec<Box<RawValue>>,
    #[serde(default, deserialize_with = "texts")]
    annotations: BTreeMap<String, String>,
}

/// The fields of an entry that can be read even if the entry is not a valid descriptor.
#[derive(Default, Deserialize)]
struct PartialEntry {
    #[serde(default)]
    platform: Option<Box<RawValue>>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, Box<RawValue>>>,
}

impl View for Index {
    const SHAPE: &'static Shape = &DocumentFields::SHAPE;

    fn parse(bytes: &[u8], declared: Option<&MediaType>) -> Result<Self, ParseError> {
        let (kind, media_type) = DocumentFields::of(bytes, declared)?;
        if kind == DocumentKind::Manifest {
            return Err(ParseError::Unsupported(
                "is the manifest of one image, but an index is needed".to_owned(),
            ));
        }
        let raw: Raw =
            serde_json::from_slice(bytes).map_err(|source| ParseError::json(source, bytes))?;
        let mut index = Self {
            media_type,
            manifests: Vec::with_capacity(raw.manifests.len()),
            annotations: raw.annotations,
            unusable: Vec::new(),
        };
        for entry in raw.manifests {
            match serde_json::from_str(entry.get()) {
                Ok(descriptor) => index.manifests.push(descriptor),
                Err(reason) => {
                    let position = index.manifests.len();
                    index
                        .unusable
                        .extend(UnusableEntry::of(&entry, position, reason));
                }
            }
        }
        Ok(index)
    }
}

impl UnusableEntry {
    /// Reads an unusable entry. Returns `None` for an entry that describes another entry, because it is never selected.
    fn of(entry: &RawValue, position: usize, reason: serde_json::Error) -> Option<Self> {
        let partial: PartialEntry = serde_json::from_str(entry.get()).unwrap_or_default();
        let platform: Option<Platform> = partial
            .platform
            .and_then(|platform| serde_json::from_str(platform.get()).ok());
        let annotations = partial.annotations.unwrap_or_default();
        let is_attestation = annotations.contains_key(REFERENCE_TYPE)
            || platform.as_ref().is_some_and(is_of_attestations);
        (!is_attestation).then(|| Self {
            position,
            platform: platform.filter(|platform| !platform.is_unnamed()),
            reason: Arc::new(reason),
        })
    }
}

impl Index {
    /// Returns whether an entry has this digest.
    #[must_use]
    pub fn names(&self, manifest: &Digest) -> bool {
        self.manifests.iter().any(|entry| entry.digest == *manifest)
    }
}

impl Document<Index> {
    /// Returns the descriptor of this index.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type.clone(), *self.digest(), self.size())
    }
}

/// An entry that can be selected: its descriptor, or the reason why it is not valid.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    platform: Option<&'a Platform>,
    content: Result<&'a Descriptor, &'a Arc<serde_json::Error>>,
}

impl<'a> From<&'a UnusableEntry> for Candidate<'a> {
    fn from(unusable: &'a UnusableEntry) -> Self {
        Self {
            platform: unusable.platform.as_ref(),
            content: Err(&unusable.reason),
        }
    }
}

impl<'a> Candidate<'a> {
    fn followed(self) -> Result<&'a Descriptor, ParseError> {
        self.content.map_err(|reason| ParseError::Entry {
            platform: self.platform.map(|named| Box::new(named.normalised())),
            source: Arc::clone(reason),
        })
    }
}

impl Index {
    /// Returns this index with only these entries.
    #[must_use]
    pub fn with(&self, manifests: Vec<Descriptor>) -> Self {
        Self {
            media_type: self.media_type.clone(),
            manifests,
            annotations: self.annotations.clone(),
            unusable: Vec::new(),
        }
    }

    /// Refuses an index with an entry that is not valid, for callers that need all entries.
    pub fn require_all(&self) -> Result<(), ParseError> {
        for unusable in &self.unusable {
            Candidate::from(unusable).followed()?;
        }
        Ok(())
    }

    /// Returns the entry that serves `platform` best: the nearest variant, and the first of equal ones. If no entry
    /// names a platform that serves, returns the entries without a platform. The only entry of an index needs no
    /// platform.
    ///
    /// # Errors
    ///
    /// [`SelectError::Platform`] if no entry can serve the platform, [`SelectError::Entry`] if the best entry is not
    /// valid.
    pub fn select(&self, platform: &Platform) -> Result<Selected<'_>, SelectError> {
        let candidates = self.candidates();
        let best = candidates
            .iter()
            .filter_map(|entry| Some((platform.distance_to(entry.platform?)?, entry)))
            .min_by_key(|(distance, _)| *distance);
        if let Some((_, entry)) = best {
            return Ok(Selected::One(entry.followed()?));
        }
        let unnamed: Vec<_> = candidates
            .iter()
            .filter(|entry| entry.platform.is_none())
            .collect();
        let Some(first) = unnamed.first() else {
            let offered = candidates.iter().filter_map(|entry| entry.platform);
            return Err(NoSuchPlatform::among(platform, offered).into());
        };
        let followed: Vec<_> = unnamed
            .iter()
            .filter_map(|entry| entry.content.ok())
            .collect();
        let all_can_be_followed = followed.len() == candidates.len();
        match followed.as_slice() {
            [] => Ok(Selected::One(first.followed()?)),
            // The index may list its only entry twice.
            [one, others @ ..]
                if all_can_be_followed && others.iter().all(|other| other.digest == one.digest) =>
            {
                Ok(Selected::One(one))
            }
            _ => Ok(Selected::Unnamed(followed)),
        }
    }

    /// Returns the entries that can be followed and are images or indexes, in the index's order.
    #[must_use = "iterators are lazy"]
    pub fn images(&self) -> impl DoubleEndedIterator<Item = &Descriptor> {
        self.manifests.iter().filter(|entry| !is_attestation(entry))
    }

    /// Returns the entries for images, in the order of the index.
    fn candidates(&self) -> Vec<Candidate<'_>> {
        let mut unusable = self.unusable.iter().peekable();
        let mut candidates = Vec::with_capacity(self.manifests.len() + self.unusable.len());
        for (position, entry) in self.manifests.iter().enumerate() {
            while let Some(unusable) = unusable.next_if(|unusable| unusable.position <= position) {
                candidates.push(unusable.into());
            }
            if !is_attestation(entry) {
                candidates.push(Candidate {
                    platform: entry.platform.as_ref(),
                    content: Ok(entry),
                });
            }
        }
        candidates.extend(unusable.map(Candidate::from));
        candidates
    }
}

/// Returns whether an entry of an index describes another entry, not an image.
fn is_attestation(entry: &Descriptor) -> bool {
    entry.artifact_type.is_some()
        || entry.annotations.contains_key(REFERENCE_TYPE)
        || entry.platform.as_ref().is_some_and(is_of_attestations)
}

fn is_of_attestations(platform: &Platform) -> bool {
    platform.os == "unknown" || platform.architecture == "unknown"
}

/// A failure to select a platform from an index.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// The index has no entry for the platform.
    #[error(transparent)]
    Platform(#[from] NoSuchPlatform),
    /// The index's entry for the platform is not valid.
    #[error(transparent)]
    Entry(#[from] ParseError),
}

/// No image exists for the platform.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no image for {wanted}; available: {}", list(.offered))]
pub struct NoSuchPlatform {
    wanted: Platform,
    offered: Vec<Platform>,
}

impl NoSuchPlatform {
    /// Creates the error for an image without an index, which has one platform.
    #[must_use]
    pub fn of_single(wanted: &Platform, own: &Platform) -> Self {
        Self::among(wanted, [own])
    }

    /// Creates the error for images of the platforms `own`.
    #[must_use]
    pub fn among<'a>(wanted: &Platform, own: impl IntoIterator<Item = &'a Platform>) -> Self {
        Self {
            wanted: wanted.clone(),
            offered: own
                .into_iter()
                .filter(|own| !own.is_unnamed())
                .map(Platform::normalised)
                .collect(),
        }
    }
}

fn list(platforms: &[Platform]) -> String {
    if platforms.is_empty() {
        return "none".to_owned();
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
    use crate::oci::digest::Digest;
    use serde_json::{Value, json};

    /// Returns an entry whose digest is that of a text.
    fn entry(text: &str) -> Value {
        json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "size": 1,
            "digest": Digest::of(text.as_bytes()),
        })
    }

    /// Returns an entry for a platform, whose digest is that of the platform's text.
    fn for_platform(text: &str) -> Value {
        let mut parts = text.split('/');
        let mut entry = entry(text);
        entry["platform"] = json!({
            "os": parts.next(),
            "architecture": parts.next(),
            "variant": parts.next().unwrap_or_default(),
        });
        entry
    }

    fn with(mut entry: Value, key: &str, value: Value) -> Value {
        entry[key] = value;
        entry
    }

    fn index(entries: &[Value]) -> Document<Index> {
        let text = json!({ "schemaVersion": 2, "manifests": entries }).to_string();
        Document::parse(text.into_bytes(), None).unwrap()
    }

    fn of_platforms(platforms: &[&str]) -> Document<Index> {
        index(
            &platforms
                .iter()
                .map(|text| for_platform(text))
                .collect::<Vec<_>>(),
        )
    }

    /// Returns the digests of the selected entries.
    fn selected(index: &Index, wanted: &str) -> Result<Vec<Digest>, SelectError> {
        let selected = index.select(&wanted.parse().unwrap())?;
        Ok(match selected {
            Selected::One(entry) => vec![entry.digest],
            Selected::Unnamed(entries) => entries.iter().map(|entry| entry.digest).collect(),
        })
    }

    #[test]
    fn selects_the_nearest_variant_and_never_an_attestation() {
        let index = of_platforms(&[
            "unknown/unknown",
            "linux/386",
            "linux/amd64",
            "linux/arm/v5",
            "linux/arm/v6",
            "linux/arm64/v8",
        ]);
        for (wanted, expected) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/386", "linux/386"),
            ("linux/arm/v7", "linux/arm/v6"),
            ("linux/arm/v5", "linux/arm/v5"),
            ("linux/arm64", "linux/arm64/v8"),
            ("linux/arm64/v9.2", "linux/arm64/v8"),
        ] {
            assert_eq!(
                selected(&index, wanted).unwrap(),
                [Digest::of(expected.as_bytes())],
                "{wanted}"
            );
        }
    }

    #[test]
    fn says_which_platforms_there_are() {
        let index = of_platforms(&["linux/amd64", "unknown/unknown", "linux/arm/v7"]);
        assert_eq!(
            selected(&index, "linux/s390x").unwrap_err().to_string(),
            "no image for linux/s390x; available: linux/amd64, linux/arm/v7"
        );
    }

    #[test]
    fn entries_without_a_platform_are_for_the_images_to_tell_apart() {
        let empty = json!({"os": "", "architecture": ""});
        let attestation = json!({REFERENCE_TYPE: "attestation-manifest"});
        let (a, b) = (entry("a"), with(entry("b"), "platform", empty));
        let named = for_platform("linux/arm64");
        let described = with(entry("c"), "annotations", attestation);
        for (entries, wanted, expected) in [
            (vec![&a], "linux/amd64", vec!["a"]),
            (vec![&b], "linux/amd64", vec!["b"]),
            (vec![&described, &b], "linux/amd64", vec!["b"]),
            (vec![&a, &a], "linux/amd64", vec!["a"]),
            (vec![&a, &b], "linux/amd64", vec!["a", "b"]),
            (vec![&b, &named, &a], "linux/amd64", vec!["b", "a"]),
            (vec![&b, &named, &a], "linux/arm64", vec!["linux/arm64"]),
        ] {
            let entries: Vec<_> = entries.into_iter().cloned().collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|text| Digest::of(text.as_bytes()))
                .collect();
            assert_eq!(selected(&index(&entries), wanted).unwrap(), expected);
        }
    }

    #[test]
    fn an_entry_that_is_not_chosen_spoils_nothing() {
        let sibling = || for_platform("linux/s390x");
        let sha384 = json!(format!("sha384:{}", "0".repeat(96)));
        for unusable in [
            with(sibling(), "digest", sha384),
            with(sibling(), "digest", json!(7)),
            with(sibling(), "size", json!(-1)),
            with(sibling(), "size", json!("1")),
            with(sibling(), "mediaType", json!({})),
            with(sibling(), "annotations", json!({"a": 1})),
            with(sibling(), "urls", json!("x")),
            with(sibling(), "data", json!(7)),
            with(sibling(), "platform", json!("linux/s390x")),
            with(
                sibling(),
                "platform",
                json!({"os": "linux", "architecture": 7}),
            ),
            json!(null),
            json!("x"),
        ] {
            for entries in [
                [unusable.clone(), for_platform("linux/amd64")],
                [for_platform("linux/amd64"), unusable.clone()],
            ] {
                let index = index(&entries);
                assert_eq!(
                    selected(&index, "linux/amd64").unwrap(),
                    [Digest::of(b"linux/amd64")],
                    "{unusable}"
                );
            }
        }
    }

    #[test]
    fn an_odd_entry_that_is_chosen_is_refused_and_no_other_taken_for_it() {
        let unusable = |platform: &str| with(for_platform(platform), "size", json!(-1));
        let unnamed = with(entry("a"), "size", json!(-1));
        let named = "the index's entry for linux/amd64 cannot be used";
        for (entries, said) in [
            (vec![unusable("linux/amd64")], named),
            (
                vec![unusable("linux/amd64"), for_platform("linux/amd64")],
                named,
            ),
            (
                vec![for_platform("linux/386"), unusable("linux/amd64")],
                named,
            ),
            (vec![unnamed.clone()], "the index's entry cannot be used"),
            (
                vec![unnamed, for_platform("linux/arm64")],
                "the index's entry cannot be used",
            ),
        ] {
            let index = index(&entries);
            let error = selected(&index, "linux/amd64").unwrap_err();
            assert_eq!(error.to_string(), said, "{entries:?}");
            assert_eq!(index.require_all().unwrap_err().to_string(), said);
        }
        let index = index(&[for_platform("linux/amd64"), unusable("linux/amd64")]);
        assert!(selected(&index, "linux/amd64").is_ok());
    }
}
