//! Image manifests: documents that list the config and the layers of one image for one platform.
//!
//! Sources: OCI image specification, `manifest.md`; Docker "Image Manifest Version 2, Schema 2";
//! CVE-2021-41190 for the checks against documents that can be read two ways.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::go_json::{Shape, as_go_reads, null_as_default, texts};
use crate::oci::artifact;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::document::{self, Document, ParseError, View};
use crate::oci::media_type::MediaType;

/// The maximum number of layers of a manifest. Docker's limit is 127.
pub const MAX_LAYERS: usize = 1000;

/// The parsed view of an image manifest of either family.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Docker's or OCI's manifest type.
    pub media_type: MediaType,
    /// The descriptor of the config.
    pub config: Descriptor,
    /// The descriptors of the layers, lowest layer first.
    pub layers: Vec<Descriptor>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    artifact_type: Option<MediaType>,
}

/// The fields that distinguish the kinds of documents. They are read first.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DocumentFields {
    schema_version: Option<u64>,
    media_type: Option<MediaType>,
    manifests: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    config: Option<IgnoredAny>,
    #[serde(rename = "fsLayers")]
    fs_layers: Option<IgnoredAny>,
}

/// The kind of a document under `/manifests/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// The manifest of one image for one platform.
    Manifest,
    /// An index of manifests.
    Index,
}

impl DocumentFields {
    /// The known keys of manifests and indexes. Both are needed, because neither document may look like the other.
    pub(crate) const SHAPE: Shape = Shape::Object(&[
        ("schemaVersion", &Shape::Any),
        ("mediaType", &Shape::Any),
        ("artifactType", &Shape::Any),
        ("config", &Descriptor::SHAPE),
        ("layers", &Shape::List(&Descriptor::SHAPE)),
        ("manifests", &Shape::List(&Descriptor::SHAPE)),
        ("fsLayers", &Shape::Any),
        ("subject", &Descriptor::SHAPE),
        ("annotations", &Shape::Any),
    ]);

    /// Returns the kind and the media type of a document. Refuses a document that contradicts itself.
    pub(crate) fn of(
        bytes: &[u8],
        declared: Option<&MediaType>,
    ) -> Result<(DocumentKind, MediaType), ParseError> {
        let fields: Self =
            serde_json::from_slice(bytes).map_err(|source| ParseError::json(source, bytes))?;
        let declared = declared.filter(|declared| {
            declared.is_manifest() || declared.is_index() || declared.is_schema_1()
        });
        let own = fields.media_type.as_ref().filter(|own| !own.is_empty());
        fields.check(own, declared)?;
        fields.kind(own.or(declared))
    }

    /// Refuses a document that is no manifest or index, or contradicts itself.
    fn check(
        &self,
        own: Option<&MediaType>,
        declared: Option<&MediaType>,
    ) -> Result<(), ParseError> {
        if self.schema_version == Some(1)
            || self.fs_layers.is_some()
            || declared.is_some_and(MediaType::is_schema_1)
        {
            return Err(ParseError::Unsupported(
                "is a Docker schema 1 manifest, which names no config".to_owned(),
            ));
        }
        // Before the schema version, because artifact manifests have none.
        if let Some(own) = own
            && !own.is_manifest()
            && !own.is_index()
        {
            return Err(ParseError::Unsupported(match artifact::name(own) {
                Some(name) => format!("is {name} (media type {own}), not an image"),
                None => {
                    format!("has the media type {own}, not that of an image manifest or index")
                }
            }));
        }
        // A missing version is allowed, as in docker and skopeo.
        if let Some(version) = self
            .schema_version
            .filter(|version| ![0, 2].contains(version))
        {
            return Err(ParseError::Unsupported(format!(
                "has the unknown schema version {version}; hocker knows version 2"
            )));
        }
        if self.manifests.is_some() && (self.layers.is_some() || self.config.is_some()) {
            return Err(ParseError::Contradiction(
                "it is a manifest and an index at once".to_owned(),
            ));
        }
        if let (Some(own), Some(declared)) = (own, declared)
            && own != declared
        {
            return Err(ParseError::Contradiction(format!(
                "its `mediaType` is {own}, but it was sent as {declared}"
            )));
        }
        Ok(())
    }

    /// Returns the kind by the media type, or else by the fields. Refuses a document with the fields of the other kind.
    fn kind(
        &self,
        media_type: Option<&MediaType>,
    ) -> Result<(DocumentKind, MediaType), ParseError> {
        let Some(media_type) = media_type else {
            return match self.built_like() {
                Some(DocumentKind::Manifest) => {
                    Ok((DocumentKind::Manifest, MediaType::OCI_MANIFEST))
                }
                Some(DocumentKind::Index) => Ok((DocumentKind::Index, MediaType::OCI_INDEX)),
                None => Err(ParseError::Unsupported(
                    "is neither a manifest nor an index".to_owned(),
                )),
            };
        };
        let is = if media_type.is_index() {
            DocumentKind::Index
        } else {
            DocumentKind::Manifest
        };
        match self.built_like() {
            Some(other) if other != is => Err(ParseError::Contradiction(format!(
                "its media type is {media_type}, but it has the fields of {}",
                match other {
                    DocumentKind::Manifest => "a manifest",
                    DocumentKind::Index => "an index",
                }
            ))),
            _ => Ok((is, media_type.clone())),
        }
    }

    /// Returns the kind whose fields the document has.
    fn built_like(&self) -> Option<DocumentKind> {
        if self.manifests.is_some() {
            Some(DocumentKind::Index)
        } else if self.layers.is_some() || self.config.is_some() {
            Some(DocumentKind::Manifest)
        } else {
            None
        }
    }
}

/// Returns whether a document under `/manifests/` is a manifest or an index.
pub fn kind_of(bytes: &[u8], declared: Option<&MediaType>) -> Result<DocumentKind, ParseError> {
    let text = as_go_reads(bytes);
    document::check(&DocumentFields::SHAPE, &text)?;
    DocumentFields::of(&text, declared).map(|(kind, _)| kind)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    config: Descriptor,
    #[serde(default, deserialize_with = "null_as_default")]
    layers: Vec<Descriptor>,
    #[serde(default)]
    artifact_type: Option<MediaType>,
    #[serde(default, deserialize_with = "texts")]
    annotations: BTreeMap<String, String>,
}

impl View for Manifest {
    const SHAPE: &'static Shape = &DocumentFields::SHAPE;

    fn parse(bytes: &[u8], declared: Option<&MediaType>) -> Result<Self, ParseError> {
        let (kind, media_type) = DocumentFields::of(bytes, declared)?;
        if kind == DocumentKind::Index {
            return Err(ParseError::IsIndex);
        }
        let raw: Raw =
            serde_json::from_slice(bytes).map_err(|source| ParseError::json(source, bytes))?;
        if raw.layers.len() > MAX_LAYERS {
            return Err(ParseError::Unsupported(format!(
                "has {} layers; the limit is {MAX_LAYERS}",
                raw.layers.len()
            )));
        }
        Ok(Self {
            media_type,
            config: raw.config,
            layers: raw.layers,
            annotations: raw.annotations,
            artifact_type: raw.artifact_type.filter(|named| !named.is_empty()),
        })
    }
}

impl Document<Manifest> {
    /// Returns the descriptor of this manifest.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type.clone(), *self.digest(), self.size())
    }
}

impl Manifest {
    /// Refuses artifacts, such as charts and signatures, which are not container images.
    pub fn require_image(&self) -> Result<(), ParseError> {
        let layer = self
            .layers
            .iter()
            .map(|layer| &layer.media_type)
            .find(|media_type| !media_type.is_layer());
        let config = &self.config.media_type;
        let is_vague = self.media_type == MediaType::DOCKER_MANIFEST && config.is_vague();
        if config.is_image_config() || is_vague {
            // Signatures and attestations have the media type of an image config, but other layers.
            return match layer {
                None => Ok(()),
                Some(layer) if layer.is_empty() => Err(ParseError::Unsupported(
                    "is not a container image: it has a layer without a media type".to_owned(),
                )),
                Some(layer) => Err(ParseError::Unsupported(format!(
                    "is not a container image but {}, with a layer of media type {layer}",
                    artifact::name(layer).unwrap_or("an artifact")
                ))),
            };
        }
        let what = self.artifact_type.as_ref().unwrap_or(config);
        let name = std::iter::once(what)
            .chain(layer)
            .find_map(artifact::name)
            .unwrap_or("an artifact");
        Err(ParseError::Unsupported(format!(
            "is not a container image but {name} (media type {what})"
        )))
    }

    /// Checks that the config has one diff ID for each layer.
    pub fn check_config(&self, config: &ImageConfig) -> Result<(), ParseError> {
        if self.layers.len() == config.diff_ids().len() {
            return Ok(());
        }
        Err(ParseError::Contradiction(format!(
            "the manifest has {} layers, but the config has {} diff IDs",
            self.layers.len(),
            config.diff_ids().len()
        )))
    }
}

#[cfg(test)]
mod tests;
