//! Media types of manifests, indexes, configs and layers.
//!
//! Sources: OCI image specification, `media-types.md`; Docker "Image Manifest Version 2, Schema 2".

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A media type, in lowercase and without parameters. It is empty for documents and descriptors that name none.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct MediaType(Cow<'static, str>);

/// The compression of a layer's tar stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// An uncompressed tar stream.
    None,
    /// One or more gzip members (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl MediaType {
    /// Docker schema 2 manifest.
    pub const DOCKER_MANIFEST: Self =
        Self::constant("application/vnd.docker.distribution.manifest.v2+json");
    /// Docker's manifest list, an index.
    pub const DOCKER_MANIFEST_LIST: Self =
        Self::constant("application/vnd.docker.distribution.manifest.list.v2+json");
    /// Docker schema 1 manifest, which has no config and is not supported.
    pub const DOCKER_SCHEMA_1: Self =
        Self::constant("application/vnd.docker.distribution.manifest.v1+json");
    /// Docker schema 1 manifest with signatures, which is not supported.
    pub const DOCKER_SCHEMA_1_SIGNED: Self =
        Self::constant("application/vnd.docker.distribution.manifest.v1+prettyjws");
    /// Docker's image config.
    pub const DOCKER_CONFIG: Self =
        Self::constant("application/vnd.docker.container.image.v1+json");
    /// Docker's gzip layer.
    pub const DOCKER_LAYER_GZIP: Self =
        Self::constant("application/vnd.docker.image.rootfs.diff.tar.gzip");
    /// Docker's uncompressed layer.
    pub const DOCKER_LAYER: Self = Self::constant("application/vnd.docker.image.rootfs.diff.tar");
    /// OCI image manifest.
    pub const OCI_MANIFEST: Self = Self::constant("application/vnd.oci.image.manifest.v1+json");
    /// OCI image index.
    pub const OCI_INDEX: Self = Self::constant("application/vnd.oci.image.index.v1+json");
    /// OCI image config.
    pub const OCI_CONFIG: Self = Self::constant("application/vnd.oci.image.config.v1+json");
    /// OCI uncompressed layer.
    pub const OCI_LAYER: Self = Self::constant("application/vnd.oci.image.layer.v1.tar");
    /// OCI's layer, compressed with gzip.
    pub const OCI_LAYER_GZIP: Self = Self::constant("application/vnd.oci.image.layer.v1.tar+gzip");
    /// OCI zstd layer.
    pub const OCI_LAYER_ZSTD: Self = Self::constant("application/vnd.oci.image.layer.v1.tar+zstd");

    const fn constant(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// Reads the value of a `Content-Type` header or a `mediaType` field. Removes parameters and converts to lowercase
    /// (RFC 9110, section 8.3.1).
    #[must_use]
    pub fn new(text: &str) -> Self {
        let essence = text.split(';').next().unwrap_or_default().trim();
        Self(Cow::Owned(essence.to_ascii_lowercase()))
    }

    /// Returns whether the media type is empty: the document names none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this is the type of a Docker or OCI image manifest.
    #[must_use]
    pub fn is_manifest(&self) -> bool {
        *self == Self::DOCKER_MANIFEST || *self == Self::OCI_MANIFEST
    }

    /// Returns whether this is the type of a Docker or OCI index.
    #[must_use]
    pub fn is_index(&self) -> bool {
        *self == Self::DOCKER_MANIFEST_LIST || *self == Self::OCI_INDEX
    }

    /// Returns whether this is one of the types of Docker's schema 1.
    #[must_use]
    pub fn is_schema_1(&self) -> bool {
        *self == Self::DOCKER_SCHEMA_1 || *self == Self::DOCKER_SCHEMA_1_SIGNED
    }

    /// Returns whether this is the type of a Docker or OCI image config.
    #[must_use]
    pub fn is_image_config(&self) -> bool {
        *self == Self::DOCKER_CONFIG || *self == Self::OCI_CONFIG
    }

    /// Returns whether this is a general type that old Docker clients and registries used for a config. Docker accepts
    /// it in a Docker manifest (moby, `ImageTypes`; python:3.5.1-alpine on Docker Hub has one).
    #[must_use]
    pub fn is_vague(&self) -> bool {
        matches!(
            self.as_str(),
            "" | "application/octet-stream" | "application/json" | "text/html"
        )
    }

    /// Returns whether this is the type of a Docker or OCI file system layer with any compression. Encrypted layers do
    /// not count, because they cannot be used.
    #[must_use]
    pub fn is_layer(&self) -> bool {
        [
            "application/vnd.docker.image.rootfs.",
            "application/vnd.oci.image.layer.",
        ]
        .iter()
        .any(|start| self.0.starts_with(start))
            && !self.0.ends_with("+encrypted")
    }

    /// Returns the compression of a layer of this type; `None` for the type of anything else.
    #[must_use]
    pub fn layer_compression(&self) -> Option<Compression> {
        match self.as_str() {
            "application/vnd.docker.image.rootfs.diff.tar.gzip"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
            | "application/vnd.oci.image.layer.v1.tar+gzip"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" => {
                Some(Compression::Gzip)
            }
            // Docker's type for zstd is not specified; BuildKit and containerd write it.
            "application/vnd.docker.image.rootfs.diff.tar.zstd"
            | "application/vnd.oci.image.layer.v1.tar+zstd"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd" => {
                Some(Compression::Zstd)
            }
            "application/vnd.docker.image.rootfs.diff.tar"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar"
            | "application/vnd.oci.image.layer.v1.tar"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar" => Some(Compression::None),
            _ => None,
        }
    }
}

impl From<String> for MediaType {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<MediaType> for String {
    fn from(media_type: MediaType) -> Self {
        media_type.0.into_owned()
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Compression, MediaType};

    #[test]
    fn parameters_and_case_do_not_make_another_type() {
        let media_type =
            MediaType::new("Application/vnd.OCI.image.manifest.v1+json; charset=utf-8");
        assert_eq!(media_type, MediaType::OCI_MANIFEST);
    }

    #[test]
    fn tells_how_layers_are_compressed() {
        for (media_type, compression) in [
            (MediaType::DOCKER_LAYER_GZIP, Some(Compression::Gzip)),
            (MediaType::OCI_LAYER_ZSTD, Some(Compression::Zstd)),
            (MediaType::OCI_LAYER, Some(Compression::None)),
            (MediaType::OCI_CONFIG, None),
            (
                MediaType::new("application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
                None,
            ),
        ] {
            assert_eq!(media_type.layer_compression(), compression, "{media_type}");
        }
    }
}
