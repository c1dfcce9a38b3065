//! One repository: its tags, documents and blobs. Documents are verified and kept in memory; blobs stay files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::blob::Blob;
use super::error::Error;
use super::layout_name::LayoutName;
use super::referrers::Referrers;
use crate::archive::oci_layout::{self, LayoutReader};
use crate::name::{DOCKER_HUB, Tag};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::Document;
use crate::oci::index::{Index, Selected};
use crate::oci::manifest::Manifest;
use crate::oci::media_type::MediaType;
use crate::oci::platform::Platform;

/// The repositories of one registry by their paths, in the lexical order that the specification demands of lists.
pub(super) type Repositories = BTreeMap<String, ServedRepository>;

/// One repository, or several of different registries under one short name.
#[derive(Debug, Default)]
pub(super) struct ServedRepository {
    tags: BTreeMap<String, Vec<Tagged>>,
    documents: HashMap<Digest, ServedDocument>,
    blobs: HashMap<Digest, Arc<Blob>>,
    foreign: HashSet<Digest>,
    referrers: Referrers,
}

/// An image with a tag. A tag may have several images, of several registries or of several layouts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tagged {
    digest: Digest,
    /// The full name of the image.
    name: String,
    is_docker_hub: bool,
}

/// The result of looking up a tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TagLookup {
    /// The digest of the document.
    One(Digest),
    /// The repository has no such tag.
    Unknown,
    /// Several registries, none of them Docker Hub, have different images with this tag, or one registry has. These are
    /// their names, with digests if the names are equal.
    Ambiguous(Vec<String>),
}

/// A manifest or index, with the exact bytes that clients get.
#[derive(Clone, Debug)]
pub(super) struct ServedDocument {
    pub(super) media_type: MediaType,
    pub(super) bytes: Bytes,
    /// For an index: the manifest for clients that do not read indexes.
    pub(super) single: Option<Digest>,
    /// The documents and blobs that it names.
    below: Arc<[Digest]>,
}

impl From<&Document<Index>> for ServedDocument {
    fn from(index: &Document<Index>) -> Self {
        Self {
            media_type: index.media_type.clone(),
            bytes: Bytes::copy_from_slice(index.bytes()),
            single: single(index),
            below: index.manifests.iter().map(|entry| entry.digest).collect(),
        }
    }
}

impl From<&Document<Manifest>> for ServedDocument {
    fn from(manifest: &Document<Manifest>) -> Self {
        Self {
            media_type: manifest.media_type.clone(),
            bytes: Bytes::copy_from_slice(manifest.bytes()),
            single: None,
            below: blobs(manifest).map(|blob| blob.digest).collect(),
        }
    }
}

impl ServedRepository {
    /// Creates a repository with one manifest, whose blobs are in these files, and with an index that names it.
    pub(super) fn of_image<'a>(
        manifest: &Document<Manifest>,
        index: Option<&Document<Index>>,
        files: impl Iterator<Item = (&'a Descriptor, &'a Path)>,
    ) -> Result<Self, Error> {
        let mut contents = Self::default();
        contents.insert(*manifest.digest(), manifest.into());
        if let Some(index) = index {
            contents.insert(*index.digest(), index.into());
        }
        for (descriptor, path) in files {
            let blob = file_without_links(path, descriptor.size)
                .and_then(|path| Blob::new(path, descriptor.digest, descriptor.size))
                .map_err(|source| oci_layout::Error::Read {
                    path: path.to_owned(),
                    source,
                })?;
            contents.blobs.insert(descriptor.digest, Arc::new(blob));
        }
        Ok(contents)
    }

    /// Returns the tags that are not ambiguous.
    pub(super) fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags
            .iter()
            .filter(|(_, candidates)| matches!(choose(candidates), TagLookup::One(_)))
            .map(|(tag, _)| tag.as_str())
    }

    /// Returns the ambiguous tags, each with the names of its images.
    pub(super) fn ambiguous(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.tags
            .iter()
            .filter_map(|(tag, candidates)| match choose(candidates) {
                TagLookup::Ambiguous(names) => Some((tag.as_str(), names)),
                _ => None,
            })
    }

    pub(super) fn tagged(&self, tag: &Tag) -> TagLookup {
        self.tags
            .get(tag.as_str())
            .map_or(TagLookup::Unknown, |candidates| choose(candidates))
    }

    pub(super) fn document(&self, digest: &Digest) -> Option<&ServedDocument> {
        self.documents.get(digest)
    }

    pub(super) fn blob(&self, digest: &Digest) -> Option<&Arc<Blob>> {
        self.blobs.get(digest)
    }

    /// Whether clients must fetch a layer from the URLs in its manifest.
    pub(super) fn is_foreign(&self, digest: &Digest) -> bool {
        self.foreign.contains(digest)
    }

    /// The referrers among the documents.
    pub(super) fn referrers(&self) -> &Referrers {
        &self.referrers
    }

    /// Returns the digests of all documents.
    pub(super) fn documents(&self) -> impl Iterator<Item = &Digest> {
        self.documents.keys()
    }

    /// Whether every tag of `self` has the same image in `other`.
    pub(super) fn is_part_of(&self, other: &Self) -> bool {
        self.tags.iter().all(|(tag, candidates)| {
            other
                .tags
                .get(tag)
                .is_some_and(|others| choose(others) == choose(candidates))
        })
    }

    /// Adds the tags, documents and blobs of another repository.
    pub(super) fn merge(&mut self, other: &Self) {
        for (tag, candidates) in &other.tags {
            let own = self.tags.entry(tag.clone()).or_default();
            for candidate in candidates {
                if !own.contains(candidate) {
                    own.push(candidate.clone());
                }
            }
        }
        let documents = other.documents.iter();
        self.documents
            .extend(documents.map(|(digest, document)| (*digest, document.clone())));
        let blobs = other.blobs.iter();
        self.blobs
            .extend(blobs.map(|(digest, blob)| (*digest, Arc::clone(blob))));
        self.foreign.extend(&other.foreign);
        self.referrers.merge(&other.referrers);
    }

    /// Copies a document of another repository, and all documents and blobs below it. Returns the digests of the
    /// documents that are new here.
    pub(super) fn copy(&mut self, other: &Self, root: &Digest) -> Vec<Digest> {
        let mut copied = Vec::new();
        let mut pending = vec![*root];
        while let Some(digest) = pending.pop() {
            if let Some(blob) = other.blobs.get(&digest) {
                self.blobs.insert(digest, Arc::clone(blob));
            }
            if other.foreign.contains(&digest) {
                self.foreign.insert(digest);
            }
            if let Some(document) = other.documents.get(&digest)
                && !self.documents.contains_key(&digest)
            {
                pending.extend(document.below.iter());
                self.insert(digest, document.clone());
                copied.push(digest);
            }
        }
        copied
    }

    fn insert(&mut self, digest: Digest, document: ServedDocument) {
        self.referrers
            .add(&document.media_type, digest, &document.bytes);
        self.documents.insert(digest, document);
    }

    /// Adds the tag of an image. If the tag already has another image, it is ambiguous: clients fetch both by digest.
    pub(super) fn tag(&mut self, name: &LayoutName, digest: Digest) {
        let Some(tag) = &name.tag else {
            return;
        };
        let tagged = Tagged {
            digest,
            name: name.to_string(),
            is_docker_hub: name.registry_text() == DOCKER_HUB,
        };
        let candidates = self.tags.entry(tag.to_string()).or_default();
        if !candidates.contains(&tagged) {
            candidates.push(tagged);
        }
    }

    /// Adds an index whose manifests the repository has already.
    pub(super) fn add_index(&mut self, index: &Document<Index>) {
        self.insert(*index.digest(), index.into());
    }

    /// Adds a document, and all documents and blobs below it. Indexes may be nested to any depth, so this uses a list of
    /// pending documents, not recursion, and reads each digest once.
    ///
    /// A manifest of an index is left out if a blob of it is absent: containerd copies the manifests of all platforms and
    /// the layers of one. Fails if no manifest is complete then.
    pub(super) fn add(&mut self, layout: &LayoutReader, root: &Descriptor) -> Result<(), Error> {
        let mut pending = vec![root.clone()];
        let (mut incomplete, mut is_complete) = (None, false);
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
                ServedDocument::from(&index)
            } else if descriptor.media_type.is_manifest() {
                let Some(manifest) = layout.document::<Manifest>(&descriptor)? else {
                    require_optional(layout, &descriptor, root)?;
                    continue;
                };
                let added = blobs(&manifest).try_for_each(|blob| self.add_blob(layout, blob));
                match added {
                    Ok(()) => is_complete = true,
                    Err(Error::Layout(oci_layout::Error::Absent { path }))
                        if descriptor.digest != root.digest =>
                    {
                        incomplete.get_or_insert(path);
                        continue;
                    }
                    Err(error) => return Err(error),
                }
                ServedDocument::from(&manifest)
            } else {
                // An index may list other media types, which clients cannot request as manifests.
                continue;
            };
            self.insert(descriptor.digest, found);
        }
        match incomplete {
            Some(path) if !is_complete => Err(oci_layout::Error::Absent { path }.into()),
            _ => Ok(()),
        }
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
            // Clients fetch a foreign layer from its URLs.
            None if !descriptor.urls.is_empty() => {
                self.foreign.insert(descriptor.digest);
                Ok(())
            }
            None => Err(layout.absent(&descriptor.digest).into()),
        }
    }
}

fn blobs(manifest: &Manifest) -> impl Iterator<Item = &Descriptor> {
    manifest.layers.iter().chain([&manifest.config])
}

/// Fails if an absent document must exist. Documents that `index.json` itself lists must exist. Documents that an index
/// below it lists may be absent: a copy for one platform lacks the others (OCI image specification, `image-index.md`).
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

fn choose(candidates: &[Tagged]) -> TagLookup {
    let of_docker_hub = candidates.iter().filter(|found| found.is_docker_hub);
    let mut found: Vec<&Tagged> = of_docker_hub.collect();
    if found.is_empty() {
        found = candidates.iter().collect();
    }
    let Some(first) = found.first() else {
        return TagLookup::Unknown;
    };
    if found.iter().all(|other| other.digest == first.digest) {
        return TagLookup::One(first.digest);
    }
    let have_one_name = found.iter().all(|other| other.name == first.name);
    let label = |found: &&Tagged| {
        if have_one_name {
            format!("{}@{}", found.name, found.digest)
        } else {
            found.name.clone()
        }
    };
    TagLookup::Ambiguous(found.iter().map(label).collect())
}

/// Returns the manifest for clients that do not read indexes: the one for linux/amd64, as in docker-registry.
fn single(index: &Index) -> Option<Digest> {
    let platform = Platform::linux("amd64");
    let Ok(Selected::One(entry)) = index.select(&platform) else {
        return None;
    };
    entry.media_type.is_manifest().then_some(entry.digest)
}
/// Returns the path of a file of this size with all links resolved.
fn file_without_links(path: &Path, size: u64) -> io::Result<PathBuf> {
    let path = path.canonicalize()?;
    let metadata = path.metadata()?;
    if metadata.is_file() && metadata.len() == size {
        Ok(path)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("expected a file of {size} bytes"),
        ))
    }
}
