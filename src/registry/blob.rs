//! Blobs: content that is asked for by its digest, and held against it as it passes.

use bytes::Bytes;

use super::{Cause, Error, Object, Registry, Role};
use crate::descriptor::{Descriptor, MAX_BLOB_SIZE};
use crate::digest::Digest;
use crate::document::{Document, MAX_DOCUMENT_SIZE, ParseError, View};
use crate::http::Response;
use crate::http::header::HeaderMap;
use crate::reference::Repository;
use crate::verify::{self, Verifier};

/// A blob on its way from the registry.
pub struct Blob {
    response: Response,
    /// Gone once the end was reached and found good.
    verifier: Option<Verifier>,
    expected_size: Option<u64>,
    object: Object,
    registry: String,
}

impl Registry {
    /// Starts to fetch a blob. Its size in bytes is checked where it is known.
    pub async fn blob(
        &self,
        repository: &Repository,
        role: Role,
        digest: Digest,
        size: Option<u64>,
    ) -> Result<Blob, Error> {
        let object = Object::Blob {
            role,
            digest,
            repository: repository.clone(),
        };
        let registry = self.endpoint.registry_name().to_string();
        match self.open(repository, digest, size).await {
            Ok((response, expected_size)) => Ok(Blob {
                response,
                verifier: Some(Verifier::new(digest, expected_size)),
                expected_size,
                object,
                registry,
            }),
            Err(cause) => Err(Error {
                object,
                registry,
                cause,
            }),
        }
    }

    /// Fetches an image's configuration: the document that `descriptor` describes.
    pub async fn config<T: View>(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
    ) -> Result<Document<T>, Error> {
        let size = Some(descriptor.size);
        let mut blob = self
            .blob(repository, Role::Config, descriptor.digest, size)
            .await?;
        if descriptor.size > MAX_DOCUMENT_SIZE as u64 {
            return Err(blob.failed(ParseError::TooLarge));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = blob.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Document::parse(bytes, Some(&descriptor.media_type)).map_err(|cause| blob.failed(cause))
    }

    async fn open(
        &self,
        repository: &Repository,
        digest: Digest,
        size: Option<u64>,
    ) -> Result<(Response, Option<u64>), Cause> {
        let url = self.endpoint.blob_url(repository, &digest);
        let response = self.send(repository, url, HeaderMap::new()).await?;
        let announced = response.content_length();
        if let (Some(size), Some(announced)) = (size, announced)
            && announced != size
        {
            return Err(if announced > size {
                verify::Error::TooLong {
                    expected: digest,
                    size,
                }
            } else {
                verify::Error::TooShort {
                    expected: digest,
                    size,
                    seen: announced,
                }
            }
            .into());
        }
        if announced.is_some_and(|announced| announced > MAX_BLOB_SIZE) {
            return Err(verify::Error::TooLong {
                expected: digest,
                size: MAX_BLOB_SIZE,
            }
            .into());
        }
        Ok((response, size.or(announced)))
    }
}

impl Blob {
    /// The size in bytes, where the descriptor or the registry says it.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.expected_size
    }

    /// The next piece; `None` only after all of it came and was found good.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.next().await.map_err(|cause| self.failed(cause))
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Cause> {
        let Some(verifier) = &mut self.verifier else {
            return Ok(None);
        };
        if let Some(chunk) = self.response.chunk().await? {
            verifier.update(&chunk)?;
            return Ok(Some(chunk));
        }
        if let Some(verifier) = self.verifier.take() {
            verifier.finish()?;
        }
        Ok(None)
    }

    fn failed(&self, cause: impl Into<Cause>) -> Error {
        Error {
            object: self.object.clone(),
            registry: self.registry.clone(),
            cause: cause.into(),
        }
    }
}
