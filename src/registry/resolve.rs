//! From a reference to an image's manifest, through an index where there is one.
//!
//! Source: OCI distribution specification, section "Pulling manifests".

use super::send::Patience;
use super::{Cause, Error, Object, Registry};
use crate::digest::Digest;
use crate::document::{Document, MAX_DOCUMENT_SIZE};
use crate::http::header::{ACCEPT, HeaderMap, HeaderValue};
use crate::http::retry::{Backoff, Failure};
use crate::http::{Method, Purpose, Request};
use crate::index::Index;
use crate::manifest::{DocumentKind, Manifest, kind_of};
use crate::media_type::MediaType;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::verify::Verifier;

/// Indexes may hold indexes; this deep.
const MAX_NESTING: usize = 4;

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
pub enum Found {
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
            Found::Manifest(manifest) => Ok(Resolved {
                index: None,
                manifest: *manifest,
            }),
            Found::Index(index) => {
                let manifest = self.manifest_in(reference, &index, platform).await?;
                Ok(Resolved {
                    index: Some(index),
                    manifest,
                })
            }
        }
    }

    /// Fetches the manifest or index that a reference names.
    pub async fn find(&self, reference: &Reference) -> Result<Found, Error> {
        let found = self.found(reference, None).await;
        found.map_err(|cause| self.failed(reference, cause))
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
            let failed = |cause| self.failed(&current, cause);
            let entry = inner
                .as_ref()
                .unwrap_or(index)
                .select(platform)
                .map_err(|cause| failed(cause.into()))?;
            current.digest = Some(entry.digest);
            let size = Some(entry.size);
            match self.found(&current, size).await {
                Ok(Found::Manifest(manifest)) => return Ok(*manifest),
                Ok(Found::Index(index)) => inner = Some(index),
                Err(cause) => return Err(self.failed(&current, cause)),
            }
        }
        Err(self.failed(reference, Cause::Nesting(MAX_NESTING)))
    }

    /// The index that a reference names.
    pub async fn index(&self, reference: &Reference) -> Result<Document<Index>, Error> {
        let failed = |cause| self.failed(reference, cause);
        let (bytes, declared) = self.manifest_bytes(reference, None).await.map_err(failed)?;
        Document::parse(bytes, declared.as_ref()).map_err(|cause| failed(cause.into()))
    }

    async fn found(&self, reference: &Reference, size: Option<u64>) -> Result<Found, Cause> {
        let (bytes, declared) = self.manifest_bytes(reference, size).await?;
        Ok(match kind_of(&bytes, declared.as_ref())? {
            DocumentKind::Index => Found::Index(Document::parse(bytes, declared.as_ref())?),
            DocumentKind::Manifest => {
                Found::Manifest(Box::new(Document::parse(bytes, declared.as_ref())?))
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
        let headers = accepting();
        let mut backoff = Backoff::new(self.client.settings().policy.clone());
        let (declared, bytes) = loop {
            let (url, headers) = (url.clone(), headers.clone());
            let response = self
                .send(
                    &reference.repository,
                    url,
                    headers,
                    Purpose::Document,
                    Patience::AsThePolicySays,
                )
                .await?;
            let declared = response.media_type();
            match response.bytes(MAX_DOCUMENT_SIZE).await {
                Ok(bytes) => break (declared, bytes),
                Err(error) => {
                    if !backoff.pause(Failure::of_error(&error), None).await {
                        return Err(error.into());
                    }
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
        let answer = self
            .send_to(repository, request, Patience::AsThePolicySays)
            .await;
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
