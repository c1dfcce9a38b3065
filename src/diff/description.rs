//! What an image states about itself in annotations and labels: version, source, revision and base image.
//!
//! Annotations take precedence. A label is often inherited from the base image, and then describes that image.
//!
//! Source: OCI image specification, `annotations.md`.

use std::collections::BTreeMap;

use crate::lock::{LockedImage, LockedPlatform};
use crate::oci::digest::Digest;
use crate::oci::document::Document;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;

/// Annotations or labels.
type Texts = BTreeMap<String, String>;

/// The longest version in characters.
const MAX_VERSION: usize = 128;

/// The statements of an image about itself. None of them is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The version, if it looks like one.
    pub version: Option<String>,
    /// The URL of the source, unchanged.
    pub source: Option<String>,
    /// The revision of the source, unchanged.
    pub revision: Option<String>,
    /// The reference of the base image, unchanged.
    pub base_name: Option<String>,
    /// The digest of the base image.
    pub base_digest: Option<Digest>,
}

impl Description {
    /// Reads the statements of an image: the annotations of its entry in the index, those of its manifest, and the labels
    /// of its config.
    #[must_use]
    pub fn of(entry: Option<&Texts>, manifest: &Texts, labels: Option<&Texts>) -> Self {
        let sources = [entry, Some(manifest), labels];
        let text = |name: &str| {
            let key = format!("org.opencontainers.image.{name}");
            let mut found = sources.iter().flatten().filter_map(|texts| texts.get(&key));
            found.find(|text| !text.trim().is_empty()).cloned()
        };
        Self {
            version: text("version").filter(|version| is_version(version)),
            source: text("source"),
            revision: text("revision"),
            base_name: text("base.name"),
            base_digest: text("base.digest").and_then(|digest| digest.parse().ok()),
        }
    }

    /// Reads what a lock has of an image's statements. It does not have the labels.
    #[must_use]
    pub fn of_locked(image: &LockedImage, locked: &LockedPlatform) -> Self {
        let entry = image.index().and_then(|index| {
            let text = index.text.as_ref()?;
            let media_type = &index.descriptor.media_type;
            let index: Document<Index> =
                Document::parse(text.clone().into_bytes(), Some(media_type)).ok()?;
            entry_of(&index, &locked.manifest)
        });
        Self::of(entry.as_ref(), &locked.manifest.annotations, None)
    }
}

/// Returns the annotations of a manifest's entry in an index.
pub(super) fn entry_of(index: &Index, manifest: &Document<Manifest>) -> Option<Texts> {
    let mut entries = index.manifests.iter();
    let entry = entries.find(|entry| entry.digest == *manifest.digest())?;
    Some(entry.annotations.clone())
}

/// Returns whether a text can be a version. Such a text is safe in a commit message, where some hosts read commands
/// such as `fixes #1`.
fn is_version(text: &str) -> bool {
    text.len() <= MAX_VERSION
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._+~:-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(entries: &[(&str, &str)]) -> Texts {
        let entries = entries.iter();
        entries
            .map(|(name, text)| {
                (
                    format!("org.opencontainers.image.{name}"),
                    (*text).to_owned(),
                )
            })
            .collect()
    }

    #[test]
    fn annotations_take_precedence_over_labels() {
        let entry = texts(&[("version", "3")]);
        let manifest = texts(&[("version", "2"), ("revision", "b")]);
        let labels = texts(&[
            ("version", "1"),
            ("revision", "a"),
            ("base.name", "debian:12"),
        ]);
        let description = Description::of(Some(&entry), &manifest, Some(&labels));
        assert_eq!(description.version.as_deref(), Some("3"));
        assert_eq!(description.revision.as_deref(), Some("b"));
        assert_eq!(description.base_name.as_deref(), Some("debian:12"));
    }

    #[test]
    fn a_sentence_is_not_a_version() {
        for (text, expected) in [
            ("1.27.4-alpine", true),
            ("2:1.2~rc1+b", true),
            ("v1", true),
            ("fixes #1", false),
            ("@someone", false),
            ("<b>", false),
            ("", false),
        ] {
            let manifest = texts(&[("version", text)]);
            let version = Description::of(None, &manifest, None).version;
            assert_eq!(version.is_some(), expected, "{text}");
        }
    }
}
