//! Whether a registry still has what a digest names. Nothing is fetched, unless the registry refuses `HEAD` requests.

use super::resolve::accepting;
use super::send::Attempts;
use super::{Cause, Error, Object, Registry, Role};
use crate::http::header::{HeaderMap, HeaderValue, RANGE};
use crate::http::{Method, Purpose, Request};
use crate::name::{Reference, Repository};
use crate::oci::digest::Digest;

impl Registry {
    /// Returns whether the registry has the manifest or index of a reference.
    pub async fn has_manifest(&self, reference: &Reference) -> Result<bool, Error> {
        let url = self
            .endpoint()
            .manifest_url(&reference.repository, &reference.manifest_reference());
        let request = Request {
            headers: accepting(),
            ..Request::get(url)
        };
        let object = Object::Manifest(Box::new(reference.clone()));
        self.has(&reference.repository, request, object).await
    }

    /// Returns whether a repository has a blob.
    pub async fn has_blob(
        &self,
        repository: &Repository,
        role: Role,
        digest: Digest,
    ) -> Result<bool, Error> {
        let mut headers = HeaderMap::new();
        // Without a HEAD request, one byte shows as much as the whole blob.
        headers.insert(RANGE, HeaderValue::from_static("bytes=0-0"));
        let request = Request {
            headers,
            purpose: Purpose::Blob,
            ..Request::get(self.endpoint().blob_url(repository, &digest))
        };
        let object = Object::Blob {
            role,
            digest,
            repository: repository.clone(),
        };
        self.has(repository, request, object).await
    }

    /// Sends a HEAD request. If the registry refuses it, sends the GET request, because some registries answer 404, 403
    /// or 405 to every HEAD.
    async fn has(
        &self,
        repository: &Repository,
        request: Request,
        object: Object,
    ) -> Result<bool, Error> {
        let mut head = Request {
            method: Method::Head,
            ..request.clone()
        };
        head.headers.remove(RANGE);
        let mut answer = self
            .send_to(Some(repository), head, Attempts::ByPolicy)
            .await;
        if answer.as_ref().is_err_and(Cause::is_refusal) {
            // The body of a response that is dropped is not read.
            answer = self
                .send_to(Some(repository), request, Attempts::ByPolicy)
                .await;
        }
        let error = match answer {
            Ok(_) => return Ok(true),
            Err(cause) => Error {
                object,
                registry: self.endpoint().registry_name().to_string(),
                cause,
            },
        };
        if error.is_absent() {
            Ok(false)
        } else {
            Err(error)
        }
    }
}
