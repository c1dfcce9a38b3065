//! Resolution of a reference to a manifest, through an index if the reference names one.
//!
//! Source: OCI distribution specification, section "Pulling manifests".

use super::send::Attempts;
use super::{Cause, Error, Object, Registry};
use crate::http::header::{ACCEPT, HeaderMap, HeaderValue};
use crate::http::{Method, Request, Response};
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

/// The maximum depth of indexes in indexes.
const MAX_NESTING: usize = 4;

/// The maximum number of entries without a platform whose configs are fetched.
const MAX_UNNAMED: usize = 32;

/// The value of the `Accept` header. It omits schema 1, so that a registry with nothing else answers with an error.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// Returns the headers of a request for a manifest or index.
pub(super) fn accepting() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
    headers
}

/// The header with the digest of a manifest (OCI distribution specification).
const DIGEST_HEADER: &str = "Docker-Content-Digest";

/// The result of resolving a reference for one platform.
#[derive(Debug)]
pub struct Resolved {
    /// The index, if the reference names one.
    pub index: Option<Document<Index>>,
    /// The manifest for the platform.
    pub manifest: Document<Manifest>,
}

/// The document of a reference.
#[derive(Debug)]
pub enum ManifestOrIndex {
    /// An index of manifests.
    Index(Document<Index>),
    /// The manifest of one image.
    Manifest(Box<Document<Manifest>>),
}

impl Registry {
    /// Resolves a reference to the manifest that serves `platform` best. If the reference names a manifest, returns it
    /// without checking its platform.
    ///
    /// # Errors
    ///
    /// [`Cause::Platform`] if no manifest serves the platform; other causes if a request fails or a document is
    /// invalid.
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

    /// Resolves a reference for a platform that the user requires: [`resolve`](Self::resolve), but an image without an
    /// index must be for this platform, too. Its config names the platform, so this takes one more request.
    ///
    /// # Errors
    ///
    /// Those of [`resolve`](Self::resolve), and those of a config that cannot be used.
    pub async fn resolve_for(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Resolved, Error> {
        let resolved = self.resolve(reference, platform).await?;
        if resolved.index.is_none() && resolved.manifest.require_image().is_ok() {
            let config = self.config(reference, &resolved.manifest).await?;
            let own = config.platform();
            if !own.is_unnamed() && platform.distance_to(own).is_none() {
                let cause = NoSuchPlatform::of_single(platform, own).into();
                return Err(self.failed(reference, cause));
            }
        }
        Ok(resolved)
    }

    /// Fetches the manifest or index of a reference.
    pub async fn find(&self, reference: &Reference) -> Result<ManifestOrIndex, Error> {
        let found = self.found(reference, None).await;
        found.map_err(|cause| self.failed(reference, cause))
    }

    /// Fetches the config of `manifest`, which must be the manifest of `reference`.
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

    /// Selects and fetches the manifest for `platform` from the index of `reference`.
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

    /// Fetches the document of an entry from the index of `reference`.
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

    /// Finds the entry that serves `platform` best among entries without a platform, by their images' configs, as
    /// containerd does. Ignores entries that are absent or not images, if there are others.
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

    /// Fetches the document of an entry and the platform of its image. An index has no platform, but must have an entry
    /// for `platform`.
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

    /// Fetches the index of a reference.
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

    /// Fetches the bytes and the `Content-Type` of a reference's document. Verifies the bytes if the reference has a
    /// digest. Mirrors are used only for digests, because only the registry knows its tags.
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
        let request = Request {
            headers: accepting(),
            ..Request::get(url)
        };
        let (declared, bytes) = self
            .document(
                &reference.repository,
                request,
                MAX_DOCUMENT_SIZE,
                Response::media_type,
            )
            .await?;
        // Docker-Content-Digest is not checked: it comes from the same server as the bytes, and some registries send a
        // wrong one for tags.
        if let Some(digest) = reference.digest {
            Verifier::check(digest, size, &bytes)?;
        }
        Ok((bytes, declared))
    }

    /// Returns the digest of a reference's manifest or index by a HEAD request, which Docker Hub does not count as a
    /// pull. Returns `None` if the registry sends no valid digest or refuses the request; some registries refuse every
    /// HEAD. Then the document must be fetched.
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
