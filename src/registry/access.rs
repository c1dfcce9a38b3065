//! Access: whether a registry allows a user to fetch an image, and which challenges it sends. The requests are the same
//! as for fetching, so the result explains a denial.

use super::resolve::accepting;
use super::send::Attempts;
use super::{Cause, Error, Object, Registry};
use crate::auth::challenge::{self, Challenge};
use crate::http::header::WWW_AUTHENTICATE;
use crate::http::{Method, Request, StatusCode};
use crate::name::Reference;

/// The response of a registry to a request without credentials.
#[derive(Debug)]
pub struct AnonymousResponse {
    /// The status.
    pub status: StatusCode,
    /// The challenges: the ways to authenticate.
    pub challenges: Vec<Challenge>,
}

/// The access that a registry allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The user may fetch the image, or use the registry.
    Granted,
    /// The user may read the repository, but it has no such tag or digest.
    NoSuchImage,
}

impl Registry {
    /// Requests the manifest of an image without credentials, or without an image the base of the API. Returns the
    /// response with any status.
    pub async fn ask_anonymously(
        &self,
        image: Option<&Reference>,
    ) -> Result<AnonymousResponse, Error> {
        let response = self
            .client
            .send(self.probe(image))
            .await
            .map_err(|error| self.access_error(image, error.into()))?;
        let headers = response.texts(WWW_AUTHENTICATE);
        Ok(AnonymousResponse {
            status: response.status(),
            challenges: headers
                .iter()
                .flat_map(|header| challenge::parse(header))
                .collect(),
        })
    }

    /// Checks with the user's credentials whether an image may be fetched, or without an image whether the registry may
    /// be used. Fetches no content, except the manifest if the registry refuses HEAD requests.
    ///
    /// # Errors
    ///
    /// An error of [`Class::Denied`](crate::class::Class::Denied) if the registry denies access.
    pub async fn access(&self, image: Option<&Reference>) -> Result<Access, Error> {
        let repository = image.map(|image| &image.repository);
        let ask = |request| self.send_to(repository, request, Attempts::ByPolicy);
        let mut answer = ask(self.probe(image)).await;
        // Some registries refuse every HEAD.
        if let (Some(image), Err(cause)) = (image, &answer)
            && cause.is_refusal()
        {
            answer = ask(self.manifest_request(image)).await;
        }
        let missing = match answer {
            Ok(_) => return Ok(Access::Granted),
            Err(cause @ Cause::Status { status, .. }) if status == StatusCode::NOT_FOUND => cause,
            Err(cause) => return Err(self.access_error(image, cause)),
        };
        // Many registries answer 404 if the user may not read the repository. If the registry lists the tags, the user
        // may read it.
        if let Some(repository) = repository
            && let tags = Request::get(self.endpoint.tags_url(repository, 1))
            && ask(tags).await.is_ok()
        {
            return Ok(Access::NoSuchImage);
        }
        Err(self.access_error(image, missing))
    }

    /// Creates a HEAD request, which no registry counts as a pull.
    fn probe(&self, image: Option<&Reference>) -> Request {
        match image {
            Some(image) => Request {
                method: Method::Head,
                ..self.manifest_request(image)
            },
            None => Request::get(self.endpoint.base().clone()),
        }
    }

    fn manifest_request(&self, image: &Reference) -> Request {
        let reference = image.manifest_reference();
        Request {
            headers: accepting(),
            ..Request::get(self.endpoint.manifest_url(&image.repository, &reference))
        }
    }

    fn access_error(&self, image: Option<&Reference>, cause: Cause) -> Error {
        Error {
            object: image.map_or(Object::Interface, |image| {
                Object::Manifest(Box::new(image.clone()))
            }),
            registry: self.endpoint.registry_name().to_string(),
            cause,
        }
    }
}
