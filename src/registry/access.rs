//! Access: what a registry asks of whoever comes, and whether it lets a user in. For those who are denied and want
//! to know why: the way is the one of every other request.

use super::resolve::accepting;
use super::send::Attempts;
use super::{Cause, Error, Object, Registry};
use crate::auth::challenge::{self, Challenge};
use crate::http::header::WWW_AUTHENTICATE;
use crate::http::{Method, Request, StatusCode};
use crate::name::Reference;

/// What a registry says to somebody who does not say who they are.
#[derive(Debug)]
pub struct AnonymousResponse {
    /// The status.
    pub status: StatusCode,
    /// The ways to authenticate that it offers.
    pub challenges: Vec<Challenge>,
}

/// How a user is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To what was asked for.
    Granted,
    /// To the repository, which has no such tag or digest.
    NoSuchImage,
}

impl Registry {
    /// What this registry says to somebody who asks for an image, or just for the registry, and does not say who
    /// they are.
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

    /// Asks, as the user with the credentials given, whether an image may be fetched, or just for the registry. No
    /// content is asked for, but a manifest where the registry refuses to say without that.
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
        // Many registries hide what a user must not see. One that lists tags does not.
        if let Some(repository) = repository
            && let tags = Request::get(self.endpoint.tags_url(repository))
            && ask(tags).await.is_ok()
        {
            return Ok(Access::NoSuchImage);
        }
        Err(self.access_error(image, missing))
    }

    /// HEAD, which no registry counts as a pull.
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
