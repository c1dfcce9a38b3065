//! The decision what to send to a daemon. The module does no input or output.

use std::collections::HashSet;

use super::client::DaemonImage;
use super::digest_name::DigestName;
use super::tag::TagName;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::{DiffId, Digest};

/// The work that is necessary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// The daemon has the image under all of its names.
    Nothing,
    /// The daemon has the image but lacks these names.
    Tag(Vec<TagName>),
    /// The daemon lacks the image.
    Send,
}

/// Decides what to do for an image with these names. `present` is the daemon's image with the same ID. A name with a
/// digest arrives only with the image.
#[must_use]
pub(super) fn plan(
    present: Option<&DaemonImage>,
    names: &[TagName],
    digest_name: Option<&DigestName>,
) -> Plan {
    let Some(image) = present else {
        return Plan::Send;
    };
    if digest_name.is_some_and(|name| !image.digest_names.contains(name)) {
        return Plan::Send;
    }
    let missing: Vec<_> = names
        .iter()
        .filter(|name| !image.tags.contains(name))
        .cloned()
        .collect();
    if missing.is_empty() {
        Plan::Nothing
    } else {
        Plan::Tag(missing)
    }
}

/// Returns the number of layers, starting with the lowest, that two images share. Shared layers form one chain (OCI
/// image specification, `config.md`, section "Layer `ChainID`"), by which Docker's own store identifies layers.
#[must_use]
pub(super) fn shared_layers(one: &[DiffId], other: &[DiffId]) -> usize {
    one.iter()
        .zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

/// Returns the blobs that a daemon does not need because it has the `known` lowest of these layers. If a blob occurs
/// again above them, the daemon needs it: on other layers it belongs to another chain.
#[must_use]
pub(super) fn left_out(layers: &[Descriptor], known: usize) -> HashSet<Digest> {
    let (known, unknown) = layers.split_at(known.min(layers.len()));
    let needed: HashSet<_> = unknown.iter().map(|layer| layer.digest).collect();
    known
        .iter()
        .map(|layer| layer.digest)
        .filter(|digest| !needed.contains(digest))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::media_type::MediaType;

    fn name(text: &str) -> TagName {
        text.parse().unwrap()
    }

    fn digest_name(repository: &str) -> DigestName {
        let digest = Digest::of(b"");
        format!("{repository}@{digest}").parse().unwrap()
    }

    fn diff_ids(text: &str) -> Vec<DiffId> {
        text.chars()
            .map(|layer| DiffId::new(Digest::of(layer.to_string().as_bytes())))
            .collect()
    }

    #[test]
    fn an_image_that_the_daemon_has_is_not_sent() {
        let image = DaemonImage {
            id: Digest::of(b""),
            tags: HashSet::from([name("docker.io/library/a:1"), name("other:2")]),
            digest_names: HashSet::from([digest_name("docker.io/library/a")]),
            layers: Vec::new(),
            has_invalid_names: false,
            in_registry: false,
        };
        for (names, expected) in [
            (vec![], Plan::Nothing),
            (vec![name("a:1")], Plan::Nothing),
            (vec![name("a:1"), name("b:1")], Plan::Tag(vec![name("b:1")])),
        ] {
            assert_eq!(plan(Some(&image), &names, None), expected);
            let named = digest_name("a");
            assert_eq!(plan(Some(&image), &names, Some(&named)), expected);
            let other = digest_name("b");
            assert_eq!(plan(Some(&image), &names, Some(&other)), Plan::Send);
            assert_eq!(plan(None, &names, None), Plan::Send);
        }
    }

    #[test]
    fn layers_are_shared_from_the_lowest_up() {
        for (one, other, shared) in [
            ("abc", "abc", 3),
            ("abc", "abd", 2),
            ("abc", "ab", 2),
            ("ab", "abc", 2),
            ("abc", "xbc", 0),
            ("", "abc", 0),
            ("aab", "aba", 1),
        ] {
            let shared_of = shared_layers(&diff_ids(one), &diff_ids(other));
            assert_eq!(shared_of, shared, "{one} {other}");
        }
    }

    #[test]
    fn a_layer_that_occurs_again_above_is_sent() {
        let layers = |text: &str| -> Vec<Descriptor> {
            diff_ids(text)
                .iter()
                .map(|id| Descriptor::new(MediaType::OCI_LAYER, *id.digest(), 1))
                .collect()
        };
        for (image, known, expected) in [
            ("abc", 2, "ab"),
            ("abc", 0, ""),
            ("aba", 2, "b"),
            ("aab", 2, "a"),
            ("abc", 3, "abc"),
            ("a", 9, "a"),
        ] {
            let expected: HashSet<_> = layers(expected).iter().map(|layer| layer.digest).collect();
            assert_eq!(left_out(&layers(image), known), expected, "{image} {known}");
        }
    }
}
