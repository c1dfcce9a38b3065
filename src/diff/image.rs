//! The difference between two images.

use super::config::ConfigChange;
use super::description::{self, Description};
use super::layers::{LayerChanges, ListedLayer};
use super::link::{compare_link, source_link};
use super::packages::{PackageChanges, Packages};
use super::settings::Settings;
use crate::lock::{LockedImage, LockedPlatform};
use crate::oci::config::ImageConfig;
use crate::oci::digest::Digest;
use crate::oci::document::Document;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;
use crate::oci::platform::Platform;

/// One of the two images.
#[derive(Clone, Debug)]
pub struct Side {
    /// The image, as the user names it.
    pub name: String,
    /// The platform of the image.
    pub platform: Platform,
    /// The digest of the index that names the manifest, if there is one.
    pub index: Option<Digest>,
    /// The digest of the manifest.
    pub manifest: Digest,
    /// The size of all layers in bytes, as they are transferred.
    pub size: u64,
    /// What the image states about itself.
    pub description: Description,
    /// The layers, lowest first.
    pub layers: Vec<ListedLayer>,
    /// The settings, if the config is known.
    pub settings: Option<Settings>,
    /// The packages, if the layers were read.
    pub packages: Option<Packages>,
}

impl Side {
    /// Describes an image with its config. The platform is `wanted`, unless the config names another one.
    #[must_use]
    pub fn new(
        name: String,
        wanted: &Platform,
        index: Option<&Document<Index>>,
        manifest: &Document<Manifest>,
        config: &Document<ImageConfig>,
    ) -> Self {
        let mut side = Self {
            name,
            platform: match config.platform() {
                unnamed if unnamed.is_unnamed() => wanted.clone(),
                named => named.normalised(),
            },
            index: index.map(|index| *index.digest()),
            manifest: *manifest.digest(),
            size: manifest.layers.iter().map(|layer| layer.size).sum(),
            description: Description::default(),
            layers: Vec::new(),
            settings: None,
            packages: None,
        };
        let entry = index.and_then(|index| description::entry_of(index, manifest));
        side.add_config(manifest, config);
        let labels = side.settings.as_ref().map(|settings| &settings.labels);
        side.description = Description::of(entry.as_ref(), &manifest.annotations, labels);
        side
    }

    /// Describes a locked image, without its config.
    #[must_use]
    pub fn of_locked(
        name: String,
        platform: &Platform,
        image: &LockedImage,
        locked: &LockedPlatform,
    ) -> Self {
        Self {
            name,
            platform: platform.clone(),
            index: image.index().map(|index| index.descriptor.digest),
            manifest: *locked.manifest.digest(),
            size: locked.manifest.layers.iter().map(|layer| layer.size).sum(),
            description: Description::of_locked(image, locked),
            layers: ListedLayer::list(&locked.manifest.layers, &[], &[]),
            settings: None,
            packages: None,
        }
    }

    /// Adds what a config states: settings, instructions, and statements that no annotation makes.
    pub fn add_config(&mut self, manifest: &Document<Manifest>, config: &Document<ImageConfig>) {
        let settings = Settings::parse(config.bytes());
        self.layers = ListedLayer::list(&manifest.layers, config.diff_ids(), &settings.history);
        let labels = Description::of(None, &settings.labels, None);
        let own = std::mem::take(&mut self.description);
        self.description = Description {
            version: own.version.or(labels.version),
            source: own.source.or(labels.source),
            revision: own.revision.or(labels.revision),
            base_name: own.base_name.or(labels.base_name),
            base_digest: own.base_digest.or(labels.base_digest),
        };
        self.settings = Some(settings);
    }

    /// Returns the digest that identifies the image to people: that of the index, else of the manifest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.index.unwrap_or(self.manifest)
    }
}

/// The difference between two images.
#[derive(Clone, Debug)]
pub struct ImageDiff {
    /// The old image.
    pub from: Side,
    /// The new image.
    pub to: Side,
    /// The difference between the configs, if both are known.
    pub config: Option<ConfigChange>,
    /// The difference between the layers.
    pub layers: LayerChanges,
    /// The difference between the packages, if those of both images are known.
    pub packages: Option<PackageChanges>,
    /// Remarks about what was not compared.
    pub notes: Vec<String>,
}

impl ImageDiff {
    /// Compares two images.
    #[must_use]
    pub fn between(from: Side, to: Side) -> Self {
        let settings = from.settings.as_ref().zip(to.settings.as_ref());
        let packages = from.packages.as_ref().zip(to.packages.as_ref());
        Self {
            config: settings.map(|(old, new)| ConfigChange::between(old, new)),
            layers: LayerChanges::between(&from.layers, &to.layers),
            packages: packages.map(|(old, new)| PackageChanges::between(old, new)),
            from,
            to,
            notes: Vec::new(),
        }
    }

    /// Returns whether both are the same image.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.from.manifest == self.to.manifest
    }

    /// Returns the page that compares the sources of the images.
    #[must_use]
    pub fn compare_link(&self) -> Option<String> {
        let (old, new) = (&self.from.description, &self.to.description);
        let source = new.source.as_ref()?;
        let same = source_link(old.source.as_ref()?) == source_link(source);
        let (from, to) = (old.revision.as_ref()?, new.revision.as_ref()?);
        compare_link(source, from, to).filter(|_| same)
    }

    /// Returns the address of the new image's source.
    #[must_use]
    pub fn source_link(&self) -> Option<String> {
        source_link(self.to.description.source.as_ref()?)
    }
}
