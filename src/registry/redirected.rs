//! Registries to which a registry redirects: names such as `lscr.io` only redirect to another registry, which sends its
//! own challenges. hocker answers them with the credentials for that registry, or without any. It never gets those of
//! the first registry.
//!
//! Source: what docker and containerd do (github.com/containerd/containerd/pull/5504).

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::send::{Attempts, denial, is_own};
use super::{Cause, Registry};
use crate::auth::{Authenticator, Sources};
use crate::http::header::WWW_AUTHENTICATE;
use crate::http::{Request, Response, StatusCode};
use crate::name::Repository;
use crate::name::endpoint::Endpoint;
use crate::safe_url::SafeUrl;

/// The maximum number of answers to a challenge: with an existing token, then with a new one.
const ANSWERS: usize = 2;

/// A repository in a registry.
type Place = (Endpoint, Repository);

/// The registries to which a registry redirects.
#[derive(Debug, Default)]
pub(super) struct RedirectTargets {
    sources: Option<Sources>,
    known: Mutex<HashMap<Place, Arc<Authenticator>>>,
}

impl RedirectTargets {
    /// Uses the credentials from `sources` for them.
    pub(super) fn new(sources: Sources) -> Self {
        Self {
            sources: Some(sources),
            known: Mutex::default(),
        }
    }
}

impl Registry {
    /// Continues a request after a redirect to a host that sends a challenge. Returns a successful response.
    pub(super) async fn send_to_redirect_target(
        &self,
        mut request: Request,
        mut response: Response,
        attempts: Attempts,
    ) -> Result<Response, Cause> {
        let Some(place) = Endpoint::of_redirect(response.url()) else {
            return Err(Cause::of_status(response, &request.url, None).await);
        };
        let shown = SafeUrl::new(place.0.base());
        let refused = |source| Cause::Redirected {
            registry: shown.clone(),
            source,
        };
        let authenticator = self.redirect_authenticator(&place).await;
        let repository = Some(&place.1);
        request.url = response.url().clone();
        request.authorization = None;
        for _ in 0..ANSWERS {
            if response.status() != StatusCode::UNAUTHORIZED || !is_own(&request, &response) {
                break;
            }
            let challenges = response.texts(WWW_AUTHENTICATE);
            let answer = authenticator
                .answer(repository, &challenges, request.authorization.as_ref())
                .await
                .map_err(refused)?;
            request.authorization = Some(answer);
            response = self.round_trip(&request, attempts).await?;
        }
        if response.status().is_success() {
            return Ok(response);
        }
        match denial(response, &request).await {
            Ok(answer) => {
                let sent = request.authorization.is_some();
                Err(refused(authenticator.denied(sent, answer)))
            }
            Err(Cause::Status {
                status, message, ..
            }) => Err(Cause::Status {
                status,
                redirect: Some(SafeUrl::new(&request.url)),
                message,
            }),
            Err(cause) => Err(cause),
        }
    }

    async fn redirect_authenticator(&self, place: &Place) -> Arc<Authenticator> {
        let mut known = self.redirect_targets.known.lock().await;
        if let Some(authenticator) = known.get(place) {
            return Arc::clone(authenticator);
        }
        let (endpoint, repository) = place;
        let credentials = match &self.redirect_targets.sources {
            // The search for the first registry's own credentials reports a file that cannot be read.
            Some(sources) => sources
                .find(endpoint.registry_name(), Some(repository))
                .await
                .unwrap_or_default(),
            None => None,
        };
        let (client, named) = (self.client.clone(), self.endpoint.clone());
        let authenticator =
            Authenticator::for_redirect_target(client, named, endpoint.clone(), credentials);
        let authenticator = Arc::new(authenticator);
        known.insert(place.clone(), Arc::clone(&authenticator));
        authenticator
    }
}
