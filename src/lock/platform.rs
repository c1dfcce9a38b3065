//! A locked image on one platform: its manifest.

use std::collections::BTreeMap;

use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{self, Document};
use crate::oci::manifest::Manifest;
use crate::oci::timestamp::Timestamp;
use crate::safe_url::has_user_information;

/// A locked image on one platform.
#[derive(Clone, Debug)]
pub struct LockedPlatform {
    /// The creation time that the config states.
    pub created: Option<Timestamp>,
    /// The manifest.
    pub manifest: Document<Manifest>,
}

impl PartialEq for LockedPlatform {
    fn eq(&self, other: &Self) -> bool {
        self.created == other.created && self.manifest.digest() == other.manifest.digest()
    }
}

impl Eq for LockedPlatform {}

impl LockedPlatform {
    /// Returns all blobs that a host needs: the config, and the layers, lowest first.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        std::iter::once(&self.manifest.config).chain(&self.manifest.layers)
    }

    /// Returns the size in bytes of the distinct layers.
    #[must_use]
    pub fn size(&self) -> u64 {
        let layers = self.manifest.layers.iter();
        let sizes: BTreeMap<_, _> = layers.map(|layer| (layer.digest, layer.size)).collect();
        sizes.values().sum()
    }

    /// Fails if Nix cannot fetch the image, if it contains a secret that all users of the store could read, or if a
    /// JSON string cannot contain its manifest.
    pub(super) fn require_fetchable(&self) -> Result<(), document::ParseError> {
        let unsupported = |text: String| Err(document::ParseError::Unsupported(text));
        self.manifest.require_image()?;
        if let Some(Digest::Sha512(_)) = self
            .blobs()
            .map(|blob| blob.digest)
            .find(|digest| digest.algorithm() != "sha256")
        {
            return unsupported(
                "has blobs with sha512 digests, but Nix fetches by sha256".to_owned(),
            );
        }
        let mut urls = self.manifest.layers.iter().flat_map(|layer| &layer.urls);
        if urls.any(|url| has_user_information(url)) {
            return unsupported("has a layer with credentials in its URL".to_owned());
        }
        if std::str::from_utf8(self.manifest.bytes()).is_err() {
            return unsupported("is not UTF-8, but a lock file is".to_owned());
        }
        Ok(())
    }
}
