//! An image as podman's storage knows it, from documents that are verified already.

use super::error::Error;
use super::id::{LayerId, sha256};
use crate::archive::names::Names;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::{DiffId, Digest};
use crate::oci::document::Document;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;

/// An image that a store can have.
#[derive(Clone, Debug)]
pub struct StoreImage {
    pub(super) names: Vec<String>,
    pub(super) manifest: Document<Manifest>,
    pub(super) index: Option<Document<Index>>,
    pub(super) config: Document<ImageConfig>,
    layers: Vec<Layer>,
}

/// One layer of the image.
#[derive(Clone, Debug)]
pub struct Layer {
    pub(super) id: LayerId,
    pub(super) parent: Option<LayerId>,
    /// The digest of the decompressed layer.
    pub diff_id: DiffId,
    /// The layer in the registry.
    pub blob: Descriptor,
}

impl StoreImage {
    /// Takes the documents of an image and its names.
    ///
    /// # Errors
    ///
    /// Fails if the documents do not belong together, if a name is no reference, or if the image ID or a diff ID is not
    /// SHA-256.
    pub fn new(
        names: &Names,
        manifest: Document<Manifest>,
        index: Option<Document<Index>>,
        config: Document<ImageConfig>,
    ) -> Result<Self, Error> {
        names.check().map_err(Error::Name)?;
        manifest.require_image().map_err(Error::Manifest)?;
        manifest.check_config(&config).map_err(Error::Manifest)?;
        sha256(&manifest.config.digest)?;
        if manifest.config.digest != *config.digest() {
            return Err(Error::OtherConfig {
                config: Box::new(*config.digest()),
                expected: Box::new(manifest.config.digest),
            });
        }
        let own = *manifest.digest();
        if let Some(index) = &index
            && !index.manifests.iter().any(|entry| entry.digest == own)
        {
            return Err(Error::NotInIndex {
                index: Box::new(*index.digest()),
                manifest: Box::new(own),
            });
        }
        let mut layers: Vec<Layer> = Vec::new();
        for (blob, diff_id) in manifest.layers.iter().zip(config.diff_ids()) {
            let parent = layers.last().map(|layer| layer.id);
            layers.push(Layer {
                id: LayerId::of(diff_id, parent)?,
                parent,
                diff_id: *diff_id,
                blob: blob.clone(),
            });
        }
        Ok(Self {
            names: names_in_full(names, &own, index.as_ref()),
            manifest,
            index,
            config,
            layers,
        })
    }

    /// The layers, lowest first. The same content may occur twice.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The digest by which the image's author names it: that of the index if there is one.
    pub(super) fn digest(&self) -> &Digest {
        match &self.index {
            Some(index) => index.digest(),
            None => self.manifest.digest(),
        }
    }

    /// The documents by their names in podman's storage. Podman finds an image by the digest of each one whose name
    /// begins with `manifest`, and takes `manifest` for the image's own.
    ///
    /// Source: containers/storage, `images.go`, `recomputeDigests`.
    pub(super) fn documents(&self) -> Vec<(String, Digest, &[u8])> {
        let manifest = &self.manifest;
        let config = self.config.digest();
        let mut documents = vec![
            (config.to_string(), *config, self.config.bytes()),
            ("manifest".to_owned(), *manifest.digest(), manifest.bytes()),
            of_digest(manifest.digest(), manifest.bytes()),
        ];
        if let Some(index) = &self.index {
            documents.push(of_digest(index.digest(), index.bytes()));
        }
        documents
    }
}

fn of_digest<'d>(digest: &Digest, bytes: &'d [u8]) -> (String, Digest, &'d [u8]) {
    (format!("manifest-{digest}"), *digest, bytes)
}

/// The names as podman writes them: `docker.io/library/debian:12`. An image without a tag has its digests there, as
/// after `podman pull NAME@DIGEST`.
fn names_in_full(names: &Names, manifest: &Digest, index: Option<&Document<Index>>) -> Vec<String> {
    let mut all = names.full_tags();
    if let Some(reference) = &names.reference {
        match reference.split_once('@') {
            Some((name, _)) => {
                let digests = index.map(|index| *index.digest());
                let digests = digests.into_iter().chain([*manifest]);
                all.extend(digests.map(|digest| format!("{name}@{digest}")));
            }
            None => all.push(reference.clone()),
        }
    }
    // Podman refuses a store in which a name occurs twice.
    let mut seen = std::collections::HashSet::new();
    all.retain(|name| seen.insert(name.clone()));
    all
}
