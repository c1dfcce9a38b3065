//! An image in the form that containerd keeps: the document that its names mean, the names, and the labels by which the
//! garbage collector finds its parts.
//!
//! Source: containerd 1.6, `docs/garbage-collection.md` and `images/mediatypes.go` (`ChildGCLabels`).

use super::messages::Labels;
use super::namespace::Namespace;
use super::snapshots::chain_ids;
use crate::daemon::load::find::FoundImage;
use crate::daemon::tag::TagName;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;

/// The first part of labels that refer to content.
const CONTENT: &str = "containerd.io/gc.ref.content";
/// The first part of labels that refer to snapshots.
const SNAPSHOT: &str = "containerd.io/gc.ref.snapshot";
/// The label of a layer with its diff ID. containerd's clients set it after they unpacked the layer.
pub(super) const UNCOMPRESSED: &str = "containerd.io/uncompressed";

/// The first part of labels with the registry from which containerd's clients fetched a blob.
const SOURCE: &str = "containerd.io/distribution.source.";

/// A manifest or an index, its bytes, and its labels.
pub(super) struct DocumentBlob<'a> {
    pub(super) kind: &'static str,
    pub(super) blob: Descriptor,
    pub(super) bytes: &'a [u8],
    pub(super) labels: Labels,
}

/// Returns what the names of an image mean: its index if that is known, as after a pull, otherwise its manifest.
pub(super) fn target(found: &FoundImage) -> Descriptor {
    match found.index() {
        Some(index) => index.descriptor(),
        None => found.composition.manifest().descriptor(),
    }
}

/// Returns the documents of an image: the config, the manifest, and the index if it is known.
pub(super) fn documents<'a>(found: &'a FoundImage, snapshotter: &str) -> Vec<DocumentBlob<'a>> {
    let manifest = found.composition.manifest();
    let chain = chain_ids(found.config.diff_ids()).last().copied();
    let config = DocumentBlob {
        kind: "config",
        blob: manifest.config.clone(),
        bytes: found.config.bytes(),
        labels: chain
            .map(|chain| (format!("{SNAPSHOT}.{snapshotter}"), chain.to_string()))
            .into_iter()
            .collect(),
    };
    let layers = manifest.layers.iter().enumerate();
    let labels = layers.map(|(number, layer)| content_label(&format!("l.{number}"), layer));
    let of_manifest = DocumentBlob {
        kind: "manifest",
        blob: manifest.descriptor(),
        bytes: manifest.bytes(),
        labels: labels
            .chain([content_label("config", &manifest.config)])
            .collect(),
    };
    let mut documents = vec![config, of_manifest];
    if let Some(index) = found.index() {
        // The other manifests are absent.
        let mut entries = index.manifests.iter().enumerate();
        let own = entries.find(|(_, entry)| entry.digest == *manifest.digest());
        documents.push(DocumentBlob {
            kind: "index",
            blob: index.descriptor(),
            bytes: index.bytes(),
            labels: own
                .map(|(number, entry)| content_label(&format!("m.{number}"), entry))
                .into_iter()
                .collect(),
        });
    }
    documents
}

/// Returns whether a client pulled the blob with these labels from a registry, also if containerd had it before.
///
/// Source: containerd 1.6, `remotes/docker/handler.go`.
pub(super) fn is_of_registry(labels: &Labels) -> bool {
    labels.keys().any(|key| key.starts_with(SOURCE))
}

/// Returns the labels that a blob lacks of those that it needs. A label by which other content is kept stays: a client
/// that imported another platform alone numbers the manifests of the index in its own way.
pub(super) fn missing_labels(needed: &Labels, present: &Labels) -> Labels {
    let is_reference = |key: &str| key.starts_with(CONTENT);
    let is_kept = |digest: &String| {
        let mut present = present.iter();
        present.any(|(key, value)| is_reference(key) && value == digest)
    };
    let mut missing = Labels::new();
    for (key, value) in needed {
        let key = match present.get(key) {
            Some(found) if found == value => continue,
            _ if is_reference(key) && is_kept(value) => continue,
            Some(_) if is_reference(key) => {
                let (_, hex) = value.split_once(':').unwrap_or_default();
                format!("{key}.{hex}")
            }
            _ => key.clone(),
        };
        missing.insert(key, value.clone());
    }
    missing
}

fn content_label(name: &str, child: &Descriptor) -> (String, String) {
    (format!("{CONTENT}.{name}"), child.digest.to_string())
}

/// A name of an image, and what it means: the index or the manifest.
#[derive(Clone, Debug)]
pub(super) struct TargetName {
    pub(super) name: String,
    pub(super) target: Descriptor,
}

/// Returns the names that an image gets: its tags in full, and by digest where containerd's clients look for it so.
///
/// In the namespace of Kubernetes these are the names that a pull by its runtime interface leaves, with the digest of the
/// config first. In other namespaces an image has names by digest only if its index is known, if its own name is one by
/// digest, or if it has no tag. With an index, the image has a name by the digest of its manifest too, because containerd
/// finds only what a name means.
pub(super) fn names(found: &FoundImage, namespace: &Namespace) -> Vec<TargetName> {
    let target = target(found);
    let manifest = found.composition.manifest().descriptor();
    let is_of_kubernetes = namespace.is_of_kubernetes();
    let mut names: Vec<TargetName> = Vec::new();
    let mut add = |name: String, target: &Descriptor| {
        if names.iter().all(|known| known.name != name) {
            let target = target.clone();
            names.push(TargetName { name, target });
        }
    };
    if is_of_kubernetes {
        add(manifest_config(found), &target);
    }
    for tag in &found.tags {
        add(full_name(tag), &target);
    }
    let has_index = found.index().is_some();
    let by_digest = if is_of_kubernetes || has_index || found.tags.is_empty() {
        repositories(found)
    } else {
        let own = found.digest_name.iter();
        own.map(|name| name.full_name().to_owned()).collect()
    };
    for repository in by_digest {
        for target in [&target, &manifest] {
            add(format!("{repository}@{}", target.digest), target);
        }
    }
    if names.is_empty() {
        let name = unnamed(&target.digest);
        names.push(TargetName { name, target });
    }
    names
}

/// Returns whether a name is one by this digest.
pub(super) fn is_by_digest(name: &str, target: &Digest) -> bool {
    name.split_once('@')
        .is_some_and(|(_, digest)| digest == target.to_string())
}

/// Returns a tag as containerd has it.
pub(super) fn full_name(tag: &TagName) -> String {
    format!("{}:{}", tag.full_name(), tag.tag())
}

/// Returns the digest of the config, by which Kubernetes knows the image.
fn manifest_config(found: &FoundImage) -> String {
    found.composition.manifest().config.digest.to_string()
}

/// Returns the name of an image that has no other.
fn unnamed(target: &Digest) -> String {
    target.to_string()
}

/// Returns the repositories of the names of an image, in full.
fn repositories(found: &FoundImage) -> Vec<String> {
    let by_digest = found.names.reference.as_deref();
    let by_digest = by_digest.and_then(|name| Some(name.split_once('@')?.0.to_owned()));
    let of_tags = found.tags.iter().map(TagName::full_name);
    let mut repositories: Vec<String> = Vec::new();
    for repository in of_tags.chain(by_digest) {
        if !repositories.contains(&repository) {
            repositories.push(repository);
        }
    }
    repositories
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        let pairs = pairs.iter();
        pairs
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_blob_gets_the_labels_that_it_lacks_and_keeps_others() {
        let own = ("containerd.io/gc.ref.content.m.0", "sha256:aa");
        let chain = ("containerd.io/gc.ref.snapshot.overlayfs", "sha256:cc");
        let needed = labels(&[own, chain]);
        for (present, missing) in [
            (&[][..], &[own, chain][..]),
            (&[own, chain, ("other", "label")], &[]),
            // Another client counts in another way.
            (
                &[("containerd.io/gc.ref.content.m.7", "sha256:aa"), chain],
                &[],
            ),
            (
                &[("containerd.io/gc.ref.content.m.0", "sha256:bb"), chain],
                &[("containerd.io/gc.ref.content.m.0.aa", "sha256:aa")],
            ),
            (
                &[
                    ("containerd.io/gc.ref.snapshot.overlayfs", "sha256:bb"),
                    own,
                ],
                &[chain],
            ),
            (&[("other", "sha256:aa"), chain], &[own]),
        ] {
            let found = missing_labels(&needed, &labels(present));
            assert_eq!(found, labels(missing), "{present:?}");
        }
    }
}
