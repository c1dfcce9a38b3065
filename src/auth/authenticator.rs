//! The state of authentication with one registry: what was granted, for which repository, until when.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use url::Url;

use super::{Credentials, Error, challenge, token};
use crate::http::{Authorization, Client};
use crate::reference::Repository;

/// A token this close to its end is not used any more.
const MARGIN: Duration = Duration::from_secs(5);

/// Answers the challenges of one registry, and remembers the answers.
#[derive(Debug)]
pub struct Authenticator {
    client: Client,
    registry: Url,
    credentials: Option<Credentials>,
    granted: Mutex<HashMap<Repository, Grant>>,
}

#[derive(Debug, Clone)]
struct Grant {
    authorization: Authorization,
    /// The end of a token's life; a password has none.
    until: Option<Instant>,
}

impl Authenticator {
    /// For the registry whose base URL is `registry`.
    #[must_use]
    pub fn new(client: Client, registry: Url, credentials: Option<Credentials>) -> Self {
        Self {
            client,
            registry,
            credentials,
            granted: Mutex::default(),
        }
    }

    /// What to send with the first try of a request: what was granted before, or the token that the user
    /// gave for just this. A password is not sent before the registry asks for one.
    pub async fn authorization(&self, repository: &Repository) -> Option<Authorization> {
        if let Some(Credentials::Bearer(token)) = &self.credentials {
            return Some(Authorization::Bearer(token.clone()));
        }
        let granted = self.granted.lock().await;
        granted
            .get(repository)
            .filter(|grant| grant.is_good())
            .map(|grant| grant.authorization.clone())
    }

    /// Answers a 401. `rejected` is what the request was sent with. Requests that are challenged at the same
    /// time wait for one token.
    pub async fn answer(
        &self,
        repository: &Repository,
        headers: &[&str],
        rejected: Option<&Authorization>,
    ) -> Result<Authorization, Error> {
        let mut granted = self.granted.lock().await;
        if let Some(grant) = granted.get(repository)
            && grant.is_good()
            && rejected != Some(&grant.authorization)
        {
            return Ok(grant.authorization.clone());
        }
        let grant = self.grant(repository, headers).await?;
        if rejected == Some(&grant.authorization) {
            return Err(self.denied());
        }
        let authorization = grant.authorization.clone();
        granted.insert(repository.clone(), grant);
        Ok(authorization)
    }

    /// The error for a request that was denied with the best answer there is.
    #[must_use]
    pub fn denied(&self) -> Error {
        Error::Denied {
            with_credentials: self.credentials.is_some(),
        }
    }

    async fn grant(&self, repository: &Repository, headers: &[&str]) -> Result<Grant, Error> {
        if let Some(Credentials::Bearer(_)) = &self.credentials {
            return Err(self.denied());
        }
        let challenges: Vec<_> = headers
            .iter()
            .flat_map(|header| challenge::parse(header))
            .collect();
        let offered = |scheme: &str| {
            challenges
                .iter()
                .find(|challenge| challenge.scheme == scheme)
        };
        // A token is preferred: the password then goes to the token service alone.
        if let Some(bearer) = offered("bearer") {
            let scope = format!("repository:{repository}:pull");
            let credentials = self.credentials.as_ref();
            let token =
                token::fetch(&self.client, &self.registry, bearer, &scope, credentials).await?;
            return Ok(Grant {
                authorization: Authorization::Bearer(token.secret),
                until: Instant::now().checked_add(token.lifetime),
            });
        }
        match (offered("basic"), &self.credentials) {
            (Some(_), Some(Credentials::Basic { username, password })) => Ok(Grant {
                authorization: Authorization::Basic {
                    username: username.clone(),
                    password: password.clone(),
                },
                until: None,
            }),
            (Some(_), _) => Err(self.denied()),
            (None, _) => Err(challenges.first().map_or(Error::NoChallenge, |challenge| {
                Error::Scheme(challenge.scheme.clone())
            })),
        }
    }
}

impl Grant {
    fn is_good(&self) -> bool {
        self.until
            .is_none_or(|until| Instant::now() + MARGIN < until)
    }
}
