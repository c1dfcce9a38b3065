//! An image whose layers are still at their source.

use std::path::Path;
use std::sync::Arc;

use super::source::Source;
use super::{Error, ImageProgress};
use crate::archive::names::Names;
use crate::archive::on_disk::Unpacked;
use crate::archive::stored_image::{self, Selection};
use crate::name::Reference;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::document::Document;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;
use crate::oci::platform::Platform;
use crate::registry::{Registry, Resolved};

/// An image whose layers are still at their source.
pub struct Image {
    pub(super) source: Source,
    pub(super) progress: Arc<dyn ImageProgress>,
    pub(super) manifest: Document<Manifest>,
    /// The index, if the names belong to it.
    pub(super) index: Option<Document<Index>>,
    /// The names that the sink gives the image.
    pub names: Names,
    config: Config,
    /// Keeps the files of an archive until the sink is complete.
    _unpacked: Option<Unpacked>,
}

/// The configuration of an image.
enum Config {
    /// It is read already.
    Read(Document<ImageConfig>),
    /// It is in a registry, under the manifest of this reference.
    Remote(Arc<Registry>, Reference),
}

impl Image {
    /// Finds an image for `platform` in a registry.
    pub async fn in_registry(
        registry: Arc<Registry>,
        reference: Reference,
        platform: &Platform,
        progress: Arc<dyn ImageProgress>,
    ) -> Result<Self, Error> {
        let resolved = registry.resolve(&reference, platform).await?;
        Ok(Self::of_resolved(registry, reference, resolved, progress))
    }

    /// Creates the image of a reference from what a registry has for it.
    #[must_use]
    pub fn of_resolved(
        registry: Arc<Registry>,
        reference: Reference,
        resolved: Resolved,
        progress: Arc<dyn ImageProgress>,
    ) -> Self {
        let Resolved { index, manifest } = resolved;
        // A tag names the manifest of one platform in the result. Only the digest of an index needs its index.
        let index = index.filter(|index| {
            reference.digest == Some(*index.digest()) && index.names(manifest.digest())
        });
        let digest = index.as_ref().map_or(manifest.digest(), Document::digest);
        Self {
            names: Names::of_reference(&reference).with_digest(digest),
            source: Source::Registry {
                registry: Arc::clone(&registry),
                repository: reference.repository.clone(),
            },
            progress,
            manifest,
            index,
            config: Config::Remote(registry, reference),
            _unpacked: None,
        }
    }

    /// Opens an image on disk: an OCI image layout, or the result of `fetchdocker`.
    pub fn on_disk(
        path: &Path,
        selection: &Selection<'_>,
        progress: Arc<dyn ImageProgress>,
    ) -> Result<Self, Error> {
        let composition = stored_image::open(path, selection)?;
        let config = composition.image_config()?;
        Ok(Self {
            _unpacked: composition.unpacked(),
            source: Source::of_files(&composition),
            progress,
            manifest: composition.manifest().clone(),
            index: composition.named_index().cloned(),
            names: composition.names,
            config: Config::Read(config),
        })
    }

    /// The configuration, which belongs to the manifest. A sink may fetch layers at the same time, but is never complete
    /// without it.
    pub(super) async fn config(&self) -> Result<Document<ImageConfig>, Error> {
        match &self.config {
            Config::Read(config) => Ok(config.clone()),
            Config::Remote(registry, reference) => {
                Ok(registry.config(reference, &self.manifest).await?)
            }
        }
    }

    /// Whether a blob is the configuration.
    pub(super) fn is_config(&self, blob: &Descriptor) -> bool {
        blob.digest == self.manifest.config.digest
    }
}
