//! One repository: its tags, documents and blobs. Documents are kept in memory, verified; blobs stay files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use super::blob::Blob;
use super::error::Error;
use super::name::Name;
use crate::archive::oci_layout::{self, LayoutReader};
use crate::name::{DOCKER_HUB, Tag};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::index::{Index, Selected};
use crate::oci::manifest::Manifest;
use crate::oci::media_type::MediaType;
use crate::oci::platform::Platform;

/// The repositories of one registry by their paths. As text, which sorts as the specification's "lexical" order
/// wants it.
pub(super) type Repositories = BTreeMap<String, Contents>;

/// One repository.
#[derive(Debug, Default)]
pub(super) struct Contents {
    tags: BTreeMap<String, Vec<Tagged>>,
    documents: HashMap<Digest, ServedDocument>,
    blobs: HashMap<Digest, Arc<Blob>>,
    foreign: HashSet<Digest>,
}

/// What a tag stands for. Where repositories of several registries are one, a tag may have several, those of Docker
/// Hub first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tagged {
    digest: Digest,
    /// The image's name in full.
    name: String,
    is_docker_hub: bool,
}

/// What asking for a tag comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This document.
    One(Digest),
    /// There is no such tag.
    Nothing,
    /// Different images of several registries, none of them of Docker Hub, with these names.
    Several(Vec<String>),
}

/// A manifest or index, as it goes out.
#[derive(Clone, Debug)]
pub(super) struct ServedDocument {
    pub(super) media_type: MediaType,
    pub(super) bytes: Bytes,
    /// Of an index: the manifest for clients that know no indexes.
    pub(super) single: Option<Digest>,
}

impl Contents {
    /// The tags that mean one image.
    pub(super) fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags
            .iter()
            .filter(|(_, candidates)| matches!(choose(candidates), Found::One(_)))
            .map(|(tag, _)| tag.as_str())
    }

    /// The tags that mean several, with the names of those.
    pub(super) fn ambiguous(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.tags
            .iter()
            .filter_map(|(tag, candidates)| match choose(candidates) {
                Found::Several(names) => Some((tag.as_str(), names)),
                _ => None,
            })
    }

    pub(super) fn tagged(&self, tag: &Tag) -> Found {
        self.tags
            .get(tag.as_str())
            .map_or(Found::Nothing, |candidates| choose(candidates))
    }

    pub(super) fn document(&self, digest: &Digest) -> Option<&ServedDocument> {
        self.documents.get(digest)
    }

    pub(super) fn blob(&self, digest: &Digest) -> Option<&Arc<Blob>> {
        self.blobs.get(digest)
    }

    /// Whether a layer is to be fetched from the URLs in its manifest.
    pub(super) fn is_foreign(&self, digest: &Digest) -> bool {
        self.foreign.contains(digest)
    }

    /// Whether every tag of `self` means the same in `other`.
    pub(super) fn is_part_of(&self, other: &Self) -> bool {
        self.tags.iter().all(|(tag, candidates)| {
            other
                .tags
                .get(tag)
                .is_some_and(|others| choose(others) == choose(candidates))
        })
    }

    /// Takes in what another repository has.
    pub(super) fn merge(&mut self, other: &Self) {
        for (tag, candidates) in &other.tags {
            let own = self.tags.entry(tag.clone()).or_default();
            own.extend(candidates.iter().cloned());
            own.sort_by_key(|candidate| !candidate.is_docker_hub);
        }
        let documents = other.documents.iter();
        self.documents
            .extend(documents.map(|(digest, document)| (*digest, document.clone())));
        let blobs = other.blobs.iter();
        self.blobs
            .extend(blobs.map(|(digest, blob)| (*digest, Arc::clone(blob))));
        self.foreign.extend(&other.foreign);
    }

    /// Notes what an image is called.
    pub(super) fn tag(&mut self, name: &Name, digest: Digest) -> Result<(), Error> {
        let Some(tag) = &name.tag else {
            return Ok(());
        };
        let tagged = Tagged {
            digest,
            name: name.to_string(),
            is_docker_hub: name.registry_text() == DOCKER_HUB,
        };
        let candidates = self.tags.entry(tag.to_string()).or_default();
        if candidates.iter().any(|first| first.digest != digest) {
            return Err(Error::TwoImages {
                name: tagged.name,
                digest,
            });
        }
        if candidates.is_empty() {
            candidates.push(tagged);
        }
        Ok(())
    }

    /// Takes in a document and all that it leads to. A list of what is still to be looked at, rather than
    /// recursion, and each digest once: indexes may be nested as deeply as someone likes.
    pub(super) fn add(&mut self, layout: &LayoutReader, root: &Descriptor) -> Result<(), Error> {
        let mut pending = vec![root.clone()];
        while let Some(descriptor) = pending.pop() {
            if self.documents.contains_key(&descriptor.digest) {
                continue;
            }
            let found = if descriptor.media_type.is_index() {
                let Some(index) = layout.document::<Index>(&descriptor)? else {
                    require_optional(layout, &descriptor, root)?;
                    continue;
                };
                pending.extend(index.manifests.iter().cloned());
                ServedDocument {
                    media_type: index.media_type.clone(),
                    bytes: Bytes::copy_from_slice(index.bytes()),
                    single: single(&index),
                }
            } else if descriptor.media_type.is_manifest() {
                let Some(manifest) = layout.document::<Manifest>(&descriptor)? else {
                    require_optional(layout, &descriptor, root)?;
                    continue;
                };
                for blob in manifest.layers.iter().chain([&manifest.config]) {
                    self.add_blob(layout, blob)?;
                }
                ServedDocument {
                    media_type: manifest.media_type.clone(),
                    bytes: Bytes::copy_from_slice(manifest.bytes()),
                    single: None,
                }
            } else {
                // An index may list anything; a registry's clients could not ask for it as a manifest.
                continue;
            };
            self.documents.insert(descriptor.digest, found);
        }
        Ok(())
    }

    fn add_blob(&mut self, layout: &LayoutReader, descriptor: &Descriptor) -> Result<(), Error> {
        if self.blobs.contains_key(&descriptor.digest) {
            return Ok(());
        }
        match layout.blob(descriptor)? {
            Some(path) => {
                let blob = Blob::new(path.clone(), descriptor.digest, descriptor.size)
                    .map_err(|source| oci_layout::Error::Read { path, source })?;
                self.blobs.insert(descriptor.digest, Arc::new(blob));
                Ok(())
            }
            // Foreign layers are fetched from where their URLs say.
            None if !descriptor.urls.is_empty() => {
                self.foreign.insert(descriptor.digest);
                Ok(())
            }
            None => Err(layout.absent(&descriptor.digest).into()),
        }
    }
}

/// What `index.json` itself lists must be there. What an index below it lists may be absent: copying an image for
/// one platform leaves the others out (OCI image specification, `image-index.md`).
fn require_optional(
    layout: &LayoutReader,
    descriptor: &Descriptor,
    root: &Descriptor,
) -> Result<(), Error> {
    if descriptor.digest != root.digest {
        return Ok(());
    }
    Err(layout.absent(&descriptor.digest).into())
}

fn choose(candidates: &[Tagged]) -> Found {
    let Some(first) = candidates.first() else {
        return Found::Nothing;
    };
    if first.is_docker_hub || candidates.iter().all(|other| other.digest == first.digest) {
        return Found::One(first.digest);
    }
    Found::Several(candidates.iter().map(|found| found.name.clone()).collect())
}

/// What docker-registry, too, gives clients that know no indexes.
fn single(index: &Index) -> Option<Digest> {
    let platform = Platform::linux("amd64");
    let Ok(Selected::One(entry)) = index.select(&platform) else {
        return None;
    };
    entry.media_type.is_manifest().then_some(entry.digest)
}
