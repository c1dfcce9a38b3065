//! The registry client: manifests, indexes, configurations and blobs of one registry, verified.
//!
//! [`Registry`] sends requests and answers challenges, and [`access`](Registry::access) tells how that goes; [`resolve`](Registry::resolve) finds an image's
//! manifest; [`Blob`] is content on its way, with the error instead of the end if it is not what it should
//! be.
//!
//! Source: OCI distribution specification, section "Pull".

mod access;
mod blob;
mod error;
mod mirrors;
mod resolve;

pub use self::access::{Access, Greeting};
pub use self::blob::{Blob, Destination, DownloadError, Progress, Silent};
pub use self::error::{Cause, Error, Object, Role};
pub use self::resolve::{Found, Resolved};

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::Semaphore;
use url::Url;

use crate::auth::{self, Authenticator, Credentials};
use crate::endpoint::Endpoint;
use crate::http::header::{HeaderMap, WWW_AUTHENTICATE};
use crate::http::{self, Client, Purpose, Request, Response, StatusCode};
use crate::reference::Repository;

/// A registry, and what is known of how to talk to it.
#[derive(Debug)]
pub struct Registry {
    endpoint: Endpoint,
    client: Client,
    authenticator: Authenticator,
    extra_connections: Arc<Semaphore>,
    mirrors: Vec<mirrors::Mirror>,
    /// Whether a blob came with the promise that parts of it can be asked for.
    serves_ranges: AtomicBool,
}

/// How often a request is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// As often as the policy says.
    AsThePolicySays,
    /// Once.
    Once,
}

impl Registry {
    /// The registry at `endpoint`, as the user with `credentials` sees it: without them if they are not for it.
    #[must_use]
    pub fn new(client: Client, endpoint: Endpoint, credentials: Option<Credentials>) -> Self {
        let credentials = credentials.filter(|credentials| credentials.are_for(&endpoint));
        Self {
            authenticator: Authenticator::new(client.clone(), endpoint.clone(), credentials),
            client,
            endpoint,
            extra_connections: Arc::new(Semaphore::new(blob::EXTRA_CONNECTIONS)),
            mirrors: Vec::new(),
            serves_ranges: AtomicBool::new(false),
        }
    }

    /// Where this registry is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Asks for something of a repository.
    async fn send(
        &self,
        repository: &Repository,
        url: Url,
        headers: HeaderMap,
        purpose: Purpose,
        patience: Patience,
    ) -> Result<Response, Cause> {
        let request = Request {
            headers,
            purpose,
            ..Request::get(url)
        };
        self.send_to(Some(repository), request, patience).await
    }

    /// Sends a request with what authorization there is for a repository, or for the registry as a whole, and once
    /// more if that is challenged. The answer has a status of success.
    async fn send_to(
        &self,
        repository: Option<&Repository>,
        mut request: Request,
        patience: Patience,
    ) -> Result<Response, Cause> {
        request.registry = Some(self.endpoint.clone());
        request.authorization = self.authenticator.authorization(repository).await;
        let mut response = self.round_trip(&request, patience).await?;
        // A host that the registry redirects to may not ask for the registry's credentials.
        let from_registry = response.url().origin() == request.url.origin();
        if response.status() == StatusCode::UNAUTHORIZED && from_registry {
            let challenges = response.texts(WWW_AUTHENTICATE);
            let answer = self
                .authenticator
                .answer(repository, &challenges, request.authorization.as_ref())
                .await?;
            request.authorization = Some(answer);
            response = self.round_trip(&request, patience).await?;
        }
        if response.status().is_success() {
            return Ok(response);
        }
        let sent = request.authorization.as_ref();
        match Cause::of_status(response, &request.url, sent).await {
            Cause::Status {
                status: status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
                redirect: None,
                message,
            } => {
                let answer = auth::Answer { status, message };
                Err(self.authenticator.denied(sent.is_some(), answer).into())
            }
            cause => Err(cause),
        }
    }

    /// Asks for a blob in a place that gets no credentials. The answer has a status of success.
    async fn send_without_credentials(
        &self,
        url: Url,
        headers: HeaderMap,
        patience: Patience,
    ) -> Result<Response, Cause> {
        let request = Request {
            headers,
            registry: Some(self.endpoint.clone()),
            purpose: Purpose::Blob,
            ..Request::get(url)
        };
        let response = self.round_trip(&request, patience).await?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(Cause::of_status(response, &request.url, None).await)
        }
    }

    async fn round_trip(
        &self,
        request: &Request,
        patience: Patience,
    ) -> Result<Response, http::Error> {
        match patience {
            Patience::AsThePolicySays => self.client.send(request.clone()).await,
            Patience::Once => self.client.send_once(request).await,
        }
    }
}
