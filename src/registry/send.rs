//! Sending requests to the registry, with answers to its challenges.

use super::{Cause, Registry};
use crate::auth;
use crate::http::header::WWW_AUTHENTICATE;
use crate::http::retry::{Backoff, Failure};
use crate::http::{self, ConnectionUse, Purpose, Request, Response, StatusCode};
use crate::name::Repository;

/// How often to try a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempts {
    /// With the retries of the policy.
    ByPolicy,
    /// Without retries.
    Once,
}

impl Registry {
    /// Sends a request with the authorization for a repository, or for the registry as a whole. If the registry sends a
    /// challenge, answers it and sends the request once more. Returns a successful response.
    pub(super) async fn send_to(
        &self,
        repository: Option<&Repository>,
        mut request: Request,
        attempts: Attempts,
    ) -> Result<Response, Cause> {
        request.registry = Some(self.endpoint.clone());
        request.authorization = self.authenticator.authorization(repository).await;
        let mut response = self.round_trip(&request, attempts).await?;
        if let Some(challenges) = self.challenges(&request, &response, attempts).await? {
            let answer = self
                .authenticator
                .answer(repository, &challenges, request.authorization.as_ref())
                .await?;
            request.authorization = Some(answer);
            response = self.round_trip(&request, attempts).await?;
        }
        if response.status() == StatusCode::UNAUTHORIZED && !is_own(&request, &response) {
            return self
                .send_to_redirect_target(request, response, attempts)
                .await;
        }
        if response.status().is_success() {
            return Ok(response);
        }
        let answer = denial(response, &request).await?;
        let sent = request.authorization.is_some();
        Err(self.authenticator.denied(sent, answer).into())
    }

    /// Fetches a document of at most `limit` bytes, and what `head` takes from the response before its body. If the
    /// transfer of the body fails, requests the document again, by the policy.
    pub(super) async fn document<T>(
        &self,
        repository: &Repository,
        mut request: Request,
        limit: usize,
        head: impl Fn(&Response) -> T,
    ) -> Result<(T, Vec<u8>), Cause> {
        let mut backoff = Backoff::new(self.client.settings().policy.clone());
        loop {
            let response = self
                .send_to(Some(repository), request.clone(), Attempts::ByPolicy)
                .await?;
            let taken = head(&response);
            match response.bytes(limit).await {
                Ok(bytes) => return Ok((taken, bytes)),
                Err(error) => {
                    if !backoff.pause(Failure::of_error(&error), None).await {
                        return Err(error.into());
                    }
                    request.connection = ConnectionUse::Dedicated;
                }
            }
        }
    }

    /// Returns the challenges to answer, if the request must be sent again. Ignores those of a host to which the
    /// registry redirects, because it may not get the registry's credentials.
    async fn challenges(
        &self,
        request: &Request,
        response: &Response,
        attempts: Attempts,
    ) -> Result<Option<Vec<String>>, Cause> {
        if !is_own(request, response) {
            return Ok(None);
        }
        let challenges = response.texts(WWW_AUTHENTICATE);
        match response.status() {
            StatusCode::UNAUTHORIZED if !challenges.is_empty() => Ok(Some(challenges)),
            // Some registries answer 403 or 404 to requests without credentials, and send a challenge only for `/v2/`.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
                if request.authorization.is_none()
                    && self.authenticator.can_answer()
                    && request.url != *self.endpoint.base() =>
            {
                let base = Request {
                    registry: Some(self.endpoint.clone()),
                    ..Request::get(self.endpoint.base().clone())
                };
                let response = self.round_trip(&base, attempts).await?;
                let asks =
                    response.status() == StatusCode::UNAUTHORIZED && is_own(&base, &response);
                Ok(asks.then(|| response.texts(WWW_AUTHENTICATE)))
            }
            StatusCode::UNAUTHORIZED => Ok(Some(challenges)),
            _ => Ok(None),
        }
    }

    /// Requests a blob from a URL in a manifest, without credentials. Returns a successful response.
    pub(super) async fn send_without_credentials(
        &self,
        mut request: Request,
        attempts: Attempts,
    ) -> Result<Response, Cause> {
        request.registry = Some(self.endpoint.clone());
        request.purpose = Purpose::ForeignBlob;
        let response = self.round_trip(&request, attempts).await?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(Cause::of_status(response, &request.url, None).await)
        }
    }

    pub(super) async fn round_trip(
        &self,
        request: &Request,
        attempts: Attempts,
    ) -> Result<Response, http::Error> {
        match attempts {
            Attempts::ByPolicy => self.client.send(request.clone()).await,
            Attempts::Once => self.client.send_once(request).await,
        }
    }
}

/// Returns whether the response is from the scheme, host and port of the request.
pub(super) fn is_own(request: &Request, response: &Response) -> bool {
    response.url().origin() == request.url.origin()
}

/// Reads a response that denies access. Any other error status is an error.
pub(super) async fn denial(
    response: Response,
    request: &Request,
) -> Result<auth::ErrorResponse, Cause> {
    let sent = request.authorization.as_ref();
    match Cause::of_status(response, &request.url, sent).await {
        Cause::Status {
            status: status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
            redirect: None,
            message,
        } => Ok(auth::ErrorResponse { status, message }),
        cause => Err(cause),
    }
}
