//! What is served: repositories with their tags, documents and blobs, found at start by walking from each
//! `index.json` down. Documents are kept in memory, verified; blobs stay files.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::blob::Blob;
use super::error::Error;
use super::name::Name;
use crate::archive::oci_layout::LayoutReader;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::index::Index;
use crate::manifest::Manifest;
use crate::media_type::MediaType;
use crate::reference::{Repository, Tag};

/// Everything that a server serves.
#[derive(Debug, Default)]
pub struct Catalogue {
    // Keyed by text, which sorts as the specification's "lexical" order wants it.
    repositories: BTreeMap<String, Contents>,
}

/// One repository.
#[derive(Debug, Default)]
pub(super) struct Contents {
    tags: BTreeMap<String, Digest>,
    documents: HashMap<Digest, ServedDocument>,
    blobs: HashMap<Digest, Arc<Blob>>,
}

/// A manifest or index, as it goes out.
#[derive(Clone, Debug)]
pub(super) struct ServedDocument {
    pub(super) media_type: MediaType,
    pub(super) bytes: Bytes,
}

impl Catalogue {
    /// Reads the documents of all layouts. Blobs are only looked up, in the right size, unless they are links that lead
    /// elsewhere: those are read, too.
    pub fn open(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut catalogue = Self::default();
        for path in paths {
            catalogue.add(path)?;
        }
        Ok(catalogue)
    }

    pub(super) fn repositories(&self) -> impl Iterator<Item = &str> {
        self.repositories.keys().map(String::as_str)
    }

    pub(super) fn repository(&self, repository: &Repository) -> Option<&Contents> {
        self.repositories.get(repository.as_str())
    }

    fn add(&mut self, path: &Path) -> Result<(), Error> {
        let layout = LayoutReader::open(path)?;
        let index = layout.index()?;
        let images = || {
            index.manifests.iter().filter(|descriptor| {
                descriptor.media_type.is_manifest() || descriptor.media_type.is_index()
            })
        };
        let only = images().count() == 1;
        for descriptor in images() {
            let name =
                Name::of(&descriptor.annotations, path, only).map_err(|source| Error::Name {
                    path: path.to_owned(),
                    source,
                })?;
            let contents = self
                .repositories
                .entry(name.repository.to_string())
                .or_default();
            contents.tag(&name, descriptor.digest)?;
            contents.add(&layout, descriptor)?;
        }
        Ok(())
    }
}

impl Contents {
    pub(super) fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.keys().map(String::as_str)
    }

    pub(super) fn tagged(&self, tag: &Tag) -> Option<Digest> {
        self.tags.get(tag.as_str()).copied()
    }

    pub(super) fn document(&self, digest: &Digest) -> Option<&ServedDocument> {
        self.documents.get(digest)
    }

    pub(super) fn blob(&self, digest: &Digest) -> Option<&Arc<Blob>> {
        self.blobs.get(digest)
    }

    fn tag(&mut self, name: &Name, digest: Digest) -> Result<(), Error> {
        let Some(tag) = &name.tag else {
            return Ok(());
        };
        match self.tags.insert(tag.to_string(), digest) {
            Some(first) if first != digest => Err(Error::TwoImages {
                name: name.to_string(),
                digest,
            }),
            _ => Ok(()),
        }
    }

    /// Takes in a document and all that it leads to. A list of what is still to be looked at, rather than
    /// recursion, and each digest once: indexes may be nested as deeply as someone likes.
    fn add(&mut self, layout: &LayoutReader, root: &Descriptor) -> Result<(), Error> {
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
                let blob = Blob::new(path, descriptor.size);
                self.blobs.insert(descriptor.digest, Arc::new(blob));
                Ok(())
            }
            // Foreign layers are fetched from where their URLs say.
            None if !descriptor.urls.is_empty() => Ok(()),
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

#[cfg(test)]
mod tests {
    use super::super::fixture::{INDEX, LAYER, LayoutFixture, digest_of};
    use super::*;
    use crate::archive::oci_layout;
    use serde_json::json;

    fn images(catalogue: &Catalogue) -> Vec<String> {
        let tagged = |(repository, contents): (&String, &Contents)| {
            let tags = contents.tags().map(|tag| format!("{repository}:{tag}"));
            tags.collect::<Vec<_>>()
        };
        catalogue.repositories.iter().flat_map(tagged).collect()
    }

    #[test]
    fn serves_several_layouts_and_what_fetchdocker_built() {
        let first = LayoutFixture::with_image("docker.io/library/debian:jessie");
        let second = LayoutFixture::with_image("localhost:5000/team/app:1");
        let built = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(second.path(), built.path().join("oci")).unwrap();
        let catalogue = Catalogue::open(&[first.path(), built.path().to_owned()]).unwrap();
        assert_eq!(images(&catalogue), ["library/debian:jessie", "team/app:1"]);
    }

    #[test]
    fn two_images_under_one_name_are_refused() {
        let mut layout = LayoutFixture::with_image("docker.io/team/app:1");
        let other = layout.manifest(b"another layer");
        layout.list(other, "ghcr.io/team/app:1");
        let error = layout.open().unwrap_err();
        assert!(
            error
                .to_string()
                .contains("two images are named team/app:1")
        );
    }

    #[test]
    fn one_image_under_two_names_is_served_under_both() {
        let mut layout = LayoutFixture::with_image("docker.io/library/app:1");
        let manifest = layout.manifest(LAYER);
        layout.list(manifest, "ghcr.io/team/app:2");
        assert_eq!(
            images(&layout.open().unwrap()),
            ["library/app:1", "team/app:2"]
        );
    }

    #[test]
    fn an_index_may_lack_the_platforms_that_were_not_copied() {
        let mut layout = LayoutFixture::new();
        let here = layout.manifest(LAYER);
        let elsewhere = layout.manifest(b"layer for another platform");
        let index = layout.index(&[here.clone(), elsewhere.clone()]);
        layout.list(index, "a.io/multi:1");
        std::fs::remove_file(layout.blob_path(&digest_of(&elsewhere))).unwrap();
        let catalogue = layout.open().unwrap();
        let contents = catalogue.repository(&"multi".parse().unwrap()).unwrap();
        assert!(contents.document(&digest_of(&here)).is_some());
        assert!(contents.document(&digest_of(&elsewhere)).is_none());
    }

    #[test]
    fn indexes_nested_deeply_do_not_exhaust_the_stack() {
        let mut layout = LayoutFixture::new();
        let mut descriptor = layout.manifest(LAYER);
        for _ in 0..3000 {
            descriptor = layout.index(&[descriptor]);
        }
        layout.list(descriptor, "a.io/deep:1");
        let catalogue = layout.open().unwrap();
        let contents = catalogue.repository(&"deep".parse().unwrap()).unwrap();
        assert!(contents.blob(&Digest::of(LAYER)).is_some());
    }

    type Damage = Box<dyn Fn(&LayoutFixture)>;

    #[test]
    fn refuses_layouts_that_are_not_what_they_say() {
        let manifest =
            |layout: &LayoutFixture| layout.blob_path(&digest_of(&layout.manifest(LAYER)));
        let layer = |layout: &LayoutFixture| layout.blob_path(&Digest::of(LAYER));
        let cases: [(&str, Damage); 9] = [
            (
                "holds no image",
                Box::new(|layout| std::fs::remove_file(layout.path().join("oci-layout")).unwrap()),
            ),
            (
                "of version 2.0.0",
                Box::new(|layout| layout.write("oci-layout", br#"{"imageLayoutVersion":"2.0.0"}"#)),
            ),
            (
                "index.json is not there",
                Box::new(|layout| std::fs::remove_file(layout.path().join("index.json")).unwrap()),
            ),
            (
                "not the document",
                Box::new(|layout| layout.write("index.json", b"<html>")),
            ),
            (
                "not the document",
                Box::new(|layout| layout.write("index.json", &vec![b' '; 5 << 20])),
            ),
            (
                "does not have the digest",
                Box::new(move |layout| std::fs::write(manifest(layout), b"{}").unwrap()),
            ),
            (
                "is not there",
                Box::new(move |layout| std::fs::remove_file(manifest(layout)).unwrap()),
            ),
            (
                "has 3 bytes, and must have 10",
                Box::new(move |layout| std::fs::write(layer(layout), b"012").unwrap()),
            ),
            (
                "is not there",
                Box::new(move |layout| std::fs::remove_file(layer(layout)).unwrap()),
            ),
        ];
        for (message, damage) in cases {
            let layout = LayoutFixture::with_image("a.io/app:1");
            damage(&layout);
            let error = layout.open().unwrap_err().to_string();
            assert!(error.contains(message), "{error}, not {message}");
        }
    }

    #[test]
    fn refuses_digests_that_are_paths() {
        let mut layout = LayoutFixture::new();
        let path =
            json!({ "mediaType": INDEX, "digest": "sha256:../../../../etc/passwd", "size": 1 });
        layout.list(path, "a.io/app:1");
        assert!(matches!(
            layout.open(),
            Err(Error::Layout(oci_layout::Error::Document { .. }))
        ));
    }

    #[test]
    fn a_link_out_of_the_layout_must_lead_to_the_blob_itself() {
        let layout = LayoutFixture::with_image("a.io/app:1");
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        let blob = layout.blob_path(&Digest::of(LAYER));
        std::fs::remove_file(&blob).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), &blob).unwrap();

        std::fs::write(elsewhere.path(), LAYER).unwrap();
        assert!(layout.open().is_ok());
        std::fs::write(elsewhere.path(), b"hunter2222").unwrap();
        assert!(layout.open().unwrap_err().is_integrity());
    }

    #[test]
    fn a_blob_that_is_a_directory_or_a_device_is_refused() {
        let layout = LayoutFixture::with_image("a.io/app:1");
        let blob = layout.blob_path(&Digest::of(LAYER));
        std::fs::remove_file(&blob).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &blob).unwrap();
        assert!(matches!(
            layout.open(),
            Err(Error::Layout(oci_layout::Error::Read { .. }))
        ));
    }
}
