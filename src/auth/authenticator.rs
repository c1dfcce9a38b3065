//! The state of authentication with one registry: the tokens and passwords in use, for each repository.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::challenge::{self, Challenge};
use super::{Credentials, Error, ErrorResponse, Origin, Proof, token};
use crate::http::{Authorization, Client};
use crate::name::Repository;
use crate::name::endpoint::Endpoint;
use crate::printable::Printable;

/// A token is replaced this long before it expires.
const MARGIN: Duration = Duration::from_secs(5);

/// Answers the challenges of one registry, and keeps the answers for later requests.
#[derive(Debug)]
pub struct Authenticator {
    client: Client,
    registry: Endpoint,
    /// The registry that the user named. It may redirect to `registry`.
    named: Endpoint,
    credentials: Option<Credentials>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The current credentials: a token service may replace an identity token after each use.
    credentials: Option<Credentials>,
    /// The grants by repository; `None` is the registry as a whole.
    granted: HashMap<Option<Repository>, Grant>,
}

#[derive(Debug, Clone)]
struct Grant {
    authorization: Authorization,
    /// `None` for a password, which does not expire.
    renewal: Option<Renewal>,
}

/// When to replace a token, and the challenge for which it was fetched.
#[derive(Debug, Clone)]
struct Renewal {
    due: Option<Instant>,
    challenge: Challenge,
}

impl Authenticator {
    /// Creates an authenticator for a registry that the user named. Ignores credentials that the registry may not get.
    #[must_use]
    pub fn new(client: Client, registry: Endpoint, credentials: Option<Credentials>) -> Self {
        Self::for_redirect_target(client, registry.clone(), registry, credentials)
    }

    /// Creates an authenticator for a registry to which the registry `named` redirects.
    #[must_use]
    pub fn for_redirect_target(
        client: Client,
        named: Endpoint,
        registry: Endpoint,
        credentials: Option<Credentials>,
    ) -> Self {
        let credentials = credentials.filter(|credentials| credentials.are_for(&registry));
        Self {
            client,
            registry,
            named,
            state: Mutex::new(State {
                credentials: credentials.clone(),
                granted: HashMap::new(),
            }),
            credentials,
        }
    }

    /// Returns the authorization for the first attempt of a request: the user's bearer token, or the token or password
    /// of an earlier request. Renews a token that expires soon. A password is not sent before a challenge. `None` as
    /// repository means the registry as a whole.
    pub async fn authorization(&self, repository: Option<&Repository>) -> Option<Authorization> {
        if let Some(Proof::Bearer(token)) = self.proof() {
            return Some(Authorization::Bearer(token.clone()));
        }
        let mut state = self.state.lock().await;
        let grant = state.granted.get(&repository.cloned())?;
        if grant.is_valid() {
            return Some(grant.authorization.clone());
        }
        let challenge = grant.renewal.clone()?.challenge;
        // If this fails, the answer to the next challenge fails too and reports the error.
        self.renew(&mut state, repository, &challenge).await.ok()
    }

    /// Answers the challenges of a 401 response. `rejected` is the authorization of the request. Concurrent requests
    /// wait for the same token.
    ///
    /// # Errors
    ///
    /// [`Error`] if no challenge can be answered, or the token service issues no token.
    pub async fn answer(
        &self,
        repository: Option<&Repository>,
        headers: &[String],
        rejected: Option<&Authorization>,
    ) -> Result<Authorization, Error> {
        if let Some(Proof::Bearer(_)) = self.proof() {
            return Err(self.exhausted());
        }
        let mut state = self.state.lock().await;
        let granted = state.granted.get(&repository.cloned()).cloned();
        if let Some(grant) = &granted
            && grant.is_valid()
            && rejected != Some(&grant.authorization)
        {
            return Ok(grant.authorization.clone());
        }
        let challenges: Vec<_> = headers
            .iter()
            .flat_map(|header| challenge::parse(header))
            .collect();
        let last = granted.and_then(|grant| grant.renewal);
        let answer = match self.choose(&challenges, last)? {
            Choice::Token(challenge) => self.renew(&mut state, repository, &challenge).await?,
            Choice::Password(authorization) => {
                let grant = Grant {
                    authorization: authorization.clone(),
                    renewal: None,
                };
                state.granted.insert(repository.cloned(), grant);
                authorization
            }
        };
        if rejected == Some(&answer) {
            return Err(self.exhausted());
        }
        Ok(answer)
    }

    /// Returns the error for a denied request. `was_authorized` is false if the request had no authorization.
    #[must_use]
    pub fn denied(&self, was_authorized: bool, answer: ErrorResponse) -> Error {
        match self.origin() {
            Some(credentials) if !was_authorized => Error::DeniedUnasked {
                credentials,
                answer,
            },
            credentials => Error::Denied {
                credentials,
                answer: Some(answer),
            },
        }
    }

    /// Returns the error for a challenge to which no other answer is possible.
    fn exhausted(&self) -> Error {
        Error::Denied {
            credentials: self.origin(),
            answer: None,
        }
    }

    fn origin(&self) -> Option<Origin> {
        let credentials = self.credentials.as_ref()?;
        Some(credentials.origin.clone())
    }

    /// Returns whether the credentials can answer a challenge. A bearer token cannot: it is sent without a challenge.
    #[must_use]
    pub fn can_answer(&self) -> bool {
        matches!(self.proof(), Some(Proof::Basic { .. } | Proof::Identity(_)))
    }

    fn proof(&self) -> Option<&Proof> {
        self.credentials
            .as_ref()
            .map(|credentials| &credentials.proof)
    }

    /// Chooses the challenge to answer. `last` belongs to the token that the registry refused.
    fn choose(&self, challenges: &[Challenge], last: Option<Renewal>) -> Result<Choice, Error> {
        let offered = |scheme: &str| {
            challenges
                .iter()
                .find(|challenge| challenge.scheme == scheme)
        };
        let bearer = offered("bearer");
        // A token is preferred: then only the token service gets the password.
        if let Some(bearer) = bearer.filter(|bearer| bearer.parameter("realm").is_some()) {
            return Ok(Choice::Token(bearer.clone()));
        }
        if let (Some(_), Some(Proof::Basic { username, password })) =
            (offered("basic"), self.proof())
        {
            return Ok(Choice::Password(Authorization::Basic {
                username: username.clone(),
                password: password.clone(),
            }));
        }
        // After an expired token, some registries send a challenge without a realm, or, like Harbor, ask for a
        // password, although they accept a new token.
        if let Some(last) = last {
            return Ok(Choice::Token(last.challenge));
        }
        if let Some(bearer) = bearer {
            return Ok(Choice::Token(bearer.clone()));
        }
        if offered("basic").is_some() {
            return Err(self.exhausted());
        }
        Err(challenges.first().map_or(Error::NoChallenge, |challenge| {
            Error::Scheme(Printable::at_most(40, &challenge.scheme))
        }))
    }

    async fn renew(
        &self,
        state: &mut State,
        repository: Option<&Repository>,
        challenge: &Challenge,
    ) -> Result<Authorization, Error> {
        let scope = repository.map(|repository| format!("repository:{repository}:pull"));
        let token = token::fetch(
            &self.client,
            token::Registries {
                challenging: &self.registry,
                named: &self.named,
            },
            challenge,
            scope.as_deref(),
            state.credentials.as_ref(),
        )
        .await?;
        if let (Some(Proof::Identity(identity)), Some(new)) = (
            state
                .credentials
                .as_mut()
                .map(|credentials| &mut credentials.proof),
            token.identity,
        ) {
            *identity = new;
        }
        let margin = MARGIN.min(token.lifetime / 2);
        let grant = Grant {
            authorization: Authorization::Bearer(token.secret),
            renewal: Some(Renewal {
                due: Instant::now().checked_add(token.lifetime.saturating_sub(margin)),
                challenge: challenge.clone(),
            }),
        };
        let authorization = grant.authorization.clone();
        state.granted.insert(repository.cloned(), grant);
        Ok(authorization)
    }
}

/// How to answer a challenge.
enum Choice {
    /// With a token from the service in this challenge.
    Token(Challenge),
    /// With a password.
    Password(Authorization),
}

impl Grant {
    fn is_valid(&self) -> bool {
        self.renewal
            .as_ref()
            .and_then(|renewal| renewal.due)
            .is_none_or(|due| Instant::now() < due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use url::Url;

    use crate::http::{Roots, Settings};
    use crate::secret::Secret;

    /// Answers one request with a token, and returns the head of the request.
    fn token_service(token: &'static str) -> (Url, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let service = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") {
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let body = format!(r#"{{"token":"{token}"}}"#);
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .unwrap();
            String::from_utf8(head).unwrap()
        });
        (url.parse().unwrap(), service)
    }

    #[tokio::test]
    async fn a_token_is_replaced_before_it_ends() {
        let (registry, service) = token_service("new");
        let repository: Repository = "team/app".parse().unwrap();
        let client = Client::new(Roots::of_the_system(), Settings::default());
        let authenticator = Authenticator::new(client, registry.as_str().parse().unwrap(), None);
        let challenges = challenge::parse(&format!("Bearer realm=\"{registry}token\""));
        let grant = |due| Grant {
            authorization: Authorization::Bearer(Secret::new("old")),
            renewal: Some(Renewal {
                due: Some(due),
                challenge: challenges[0].clone(),
            }),
        };
        let set = async |due| {
            let mut state = authenticator.state.lock().await;
            state.granted.insert(Some(repository.clone()), grant(due));
        };
        let bearer = |token: &str| Some(Authorization::Bearer(Secret::new(token)));

        set(Instant::now() + Duration::from_secs(600)).await;
        assert_eq!(
            authenticator.authorization(Some(&repository)).await,
            bearer("old")
        );
        set(Instant::now()).await;
        assert_eq!(
            authenticator.authorization(Some(&repository)).await,
            bearer("new")
        );
        // The new token stays valid for some time.
        assert_eq!(
            authenticator.authorization(Some(&repository)).await,
            bearer("new")
        );
        let asked = service.join().unwrap();
        assert!(asked.starts_with("GET /token?scope="), "{asked}");
    }
}
