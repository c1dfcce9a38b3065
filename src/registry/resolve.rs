//! From a reference to an image's manifest, through an index where there is one.
//!
//! Source: OCI distribution specification, section "Pulling manifests".

use super::send::Attempts;
use super::{Cause, Error, Object, Registry};
use crate::http::header::{ACCEPT, HeaderMap, HeaderValue};
use crate::http::retry::{Backoff, Failure};
use crate::http::{ConnectionUse, Method, Request};
use crate::name::Reference;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{Document, MAX_DOCUMENT_SIZE, ParseError};
use crate::oci::index::{Index, NoSuchPlatform, Selected};
use crate::oci::manifest::{DocumentKind, Manifest, kind_of};
use crate::oci::media_type::MediaType;
use crate::oci::platform::Platform;
use crate::verify::Verifier;

/// Indexes may hold indexes; this deep.
const MAX_NESTING: usize = 4;

/// Of the entries of an index that name no platform, this many are looked at.
const MAX_UNNAMED: usize = 32;

/// Without schema 1, so that a registry that could send it says instead that it has nothing else.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// The headers of a request for a manifest or index.
pub(super) fn accepting() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
    headers
}

/// The distribution specification's header.
const DIGEST_HEADER: &str = "Docker-Content-Digest";

/// What a reference stands for on one platform.
#[derive(Debug)]
pub struct Resolved {
    /// The outermost index, if the reference names one.
    pub index: Option<Document<Index>>,
    /// The manifest of the one image.
    pub manifest: Document<Manifest>,
}

/// What a reference names.
#[derive(Debug)]
pub enum ManifestOrIndex {
    /// Images for several platforms.
    Index(Document<Index>),
    /// One image.
    Manifest(Box<Document<Manifest>>),
}

impl Registry {
    /// Finds the manifest that serves `platform`. An image that is not in an index is taken as it is.
    pub async fn resolve(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Resolved, Error> {
        match self.find(reference).await? {
            ManifestOrIndex::Manifest(manifest) => Ok(Resolved {
                index: None,
                manifest: *manifest,
            }),
            ManifestOrIndex::Index(index) => {
                let manifest = self.manifest_in(reference, &index, platform).await?;
                Ok(Resolved {
                    index: Some(index),
                    manifest,
                })
            }
        }
    }

    /// Fetches the manifest or index that a reference names.
    pub async fn find(&self, reference: &Reference) -> Result<ManifestOrIndex, Error> {
        let found = self.found(reference, None).await;
        found.map_err(|cause| self.failed(reference, cause))
    }

    /// Fetches the configuration of the image that `reference` names and `manifest` describes. The two must belong
    /// together.
    pub async fn config(
        &self,
        reference: &Reference,
        manifest: &Document<Manifest>,
    ) -> Result<Document<ImageConfig>, Error> {
        let unusable = |error: ParseError| self.failed(reference, error.into());
        manifest.require_image().map_err(unusable)?;
        let config = self
            .config_blob(&reference.repository, &manifest.config)
            .await?;
        manifest.check_config(&config).map_err(unusable)?;
        Ok(config)
    }

    /// Finds the manifest that serves `platform` among those of the index that `reference` named.
    pub async fn manifest_in(
        &self,
        reference: &Reference,
        index: &Document<Index>,
        platform: &Platform,
    ) -> Result<Document<Manifest>, Error> {
        let mut current = reference.clone();
        let mut inner = None;
        for _ in 0..MAX_NESTING {
            let selected = inner.as_ref().unwrap_or(index).select(platform);
            let selected = selected.map_err(|cause| self.failed(&current, cause.into()))?;
            let (digest, found) = match selected {
                Selected::One(entry) => (entry.digest, self.entry(&current, entry).await?),
                Selected::Unnamed(entries) => self.unnamed(&current, &entries, platform).await?,
            };
            current.digest = Some(digest);
            match found {
                ManifestOrIndex::Manifest(manifest) => return Ok(*manifest),
                ManifestOrIndex::Index(index) => inner = Some(index),
            }
        }
        Err(self.failed(reference, Cause::Nesting(MAX_NESTING)))
    }

    /// Fetches what an entry of the index that `reference` named describes.
    async fn entry(
        &self,
        reference: &Reference,
        entry: &Descriptor,
    ) -> Result<ManifestOrIndex, Error> {
        let mut reference = reference.clone();
        reference.digest = Some(entry.digest);
        let found = self.found(&reference, Some(entry.size)).await;
        found.map_err(|cause| self.failed(&reference, cause))
    }

    /// Finds the entry that serves `platform` best among those whose platform only their images' configurations
    /// say, as containerd does. What is absent, or no image, is passed over, unless nothing else is there.
    async fn unnamed(
        &self,
        reference: &Reference,
        entries: &[&Descriptor],
        platform: &Platform,
    ) -> Result<(Digest, ManifestOrIndex), Error> {
        let mut best: Option<(usize, Digest, ManifestOrIndex)> = None;
        let mut offered = Vec::new();
        let mut unusable = None;
        for entry in entries.iter().take(MAX_UNNAMED) {
            let looked_at = self.look_into(reference, entry, platform).await;
            let (found, distance) = match looked_at {
                Ok((found, own)) => {
                    let distance = own
                        .as_ref()
                        .map_or(Some(0), |own| platform.distance_to(own));
                    offered.extend(own);
                    (found, distance)
                }
                Err(error) if error.is_of_content() => {
                    unusable.get_or_insert(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(distance) = distance else { continue };
            if best.as_ref().is_none_or(|(least, ..)| distance < *least) {
                best = Some((distance, entry.digest, found));
            }
            if distance == 0 {
                break;
            }
        }
        let cause = match (best, unusable) {
            (Some((_, digest, found)), _) => return Ok((digest, found)),
            (None, Some(error)) if offered.is_empty() => return Err(error),
            _ if entries.len() > MAX_UNNAMED => {
                let count = entries.len();
                let what = format!(
                    "is an index with {count} entries without a platform; the limit is {MAX_UNNAMED}"
                );
                ParseError::Unsupported(what).into()
            }
            _ => NoSuchPlatform::among(platform, &offered).into(),
        };
        Err(self.failed(reference, cause))
    }

    /// Fetches what an entry describes, and the platform of its image. An index that has something for the platform
    /// has no platform of its own.
    async fn look_into(
        &self,
        reference: &Reference,
        entry: &Descriptor,
        platform: &Platform,
    ) -> Result<(ManifestOrIndex, Option<Platform>), Error> {
        let failed = |cause| self.failed(reference, cause);
        match self.entry(reference, entry).await? {
            ManifestOrIndex::Index(index) => {
                index
                    .select(platform)
                    .map_err(|cause| failed(cause.into()))?;
                Ok((ManifestOrIndex::Index(index), None))
            }
            ManifestOrIndex::Manifest(manifest) => {
                manifest
                    .require_image()
                    .map_err(|cause| failed(cause.into()))?;
                let config: Document<ImageConfig> = self
                    .config_blob(&reference.repository, &manifest.config)
                    .await?;
                Ok((
                    ManifestOrIndex::Manifest(manifest),
                    Some(config.platform().clone()),
                ))
            }
        }
    }

    /// The index that a reference names.
    pub async fn index(&self, reference: &Reference) -> Result<Document<Index>, Error> {
        let failed = |cause| self.failed(reference, cause);
        let (bytes, declared) = self.manifest_bytes(reference, None).await.map_err(failed)?;
        Document::parse(bytes, declared.as_ref()).map_err(|cause| failed(cause.into()))
    }

    async fn found(
        &self,
        reference: &Reference,
        size: Option<u64>,
    ) -> Result<ManifestOrIndex, Cause> {
        let (bytes, declared) = self.manifest_bytes(reference, size).await?;
        Ok(match kind_of(&bytes, declared.as_ref())? {
            DocumentKind::Index => {
                ManifestOrIndex::Index(Document::parse(bytes, declared.as_ref())?)
            }
            DocumentKind::Manifest => {
                ManifestOrIndex::Manifest(Box::new(Document::parse(bytes, declared.as_ref())?))
            }
        })
    }

    /// The bytes under a reference, verified where it has a digest, and the media type that they came with.
    /// Mirrors are asked for digests alone: what a tag stands for only the registry knows.
    async fn manifest_bytes(
        &self,
        reference: &Reference,
        size: Option<u64>,
    ) -> Result<(Vec<u8>, Option<MediaType>), Cause> {
        let mirrors = reference.digest.map(|_| self.usable_mirrors());
        for mirror in mirrors.into_iter().flatten() {
            let registry = mirror.registry();
            match registry.own_manifest_bytes(reference, size).await {
                Ok(found) => return Ok(found),
                Err(cause) => mirror.failed(&registry.failed(reference, cause)),
            }
        }
        self.own_manifest_bytes(reference, size).await
    }

    async fn own_manifest_bytes(
        &self,
        reference: &Reference,
        size: Option<u64>,
    ) -> Result<(Vec<u8>, Option<MediaType>), Cause> {
        let url = self
            .endpoint
            .manifest_url(&reference.repository, &reference.manifest_reference());
        let mut request = Request {
            headers: accepting(),
            ..Request::get(url)
        };
        let mut backoff = Backoff::new(self.client.settings().policy.clone());
        let (declared, bytes) = loop {
            let repository = Some(&reference.repository);
            let response = self
                .send_to(repository, request.clone(), Attempts::ByPolicy)
                .await?;
            let declared = response.media_type();
            match response.bytes(MAX_DOCUMENT_SIZE).await {
                Ok(bytes) => break (declared, bytes),
                Err(error) => {
                    if !backoff.pause(Failure::of_error(&error), None).await {
                        return Err(error.into());
                    }
                    request.connection = ConnectionUse::Dedicated;
                }
            }
        };
        // The header Docker-Content-Digest proves nothing that the connection does not: it comes from the
        // same hand, and some registries get it wrong for tags.
        if let Some(digest) = reference.digest {
            Verifier::check(digest, size, &bytes)?;
        }
        Ok((bytes, declared))
    }

    /// What a registry says that a tag stands for now, without fetching it, which Docker Hub does not count as a pull.
    /// `None` where it does not say it, or in a way of its own, or refuses: some registries do that to every HEAD. Then
    /// the document has to be fetched.
    pub async fn digest_of(&self, reference: &Reference) -> Result<Option<Digest>, Error> {
        let url = self
            .endpoint
            .manifest_url(&reference.repository, &reference.manifest_reference());
        let request = Request {
            method: Method::Head,
            headers: accepting(),
            ..Request::get(url)
        };
        let repository = Some(&reference.repository);
        let answer = self.send_to(repository, request, Attempts::ByPolicy).await;
        match answer {
            Ok(response) => Ok(response
                .header(DIGEST_HEADER)
                .and_then(|digest| digest.parse().ok())),
            Err(cause) if cause.is_refusal() => Ok(None),
            Err(cause) => Err(self.failed(reference, cause)),
        }
    }

    fn failed(&self, reference: &Reference, cause: Cause) -> Error {
        Error {
            object: Object::Manifest(Box::new(reference.clone())),
            registry: self.endpoint.registry_name().to_string(),
            cause,
        }
    }
}
