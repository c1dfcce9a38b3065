//! The state of authentication with one registry: what was granted, for which repository, until when.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::challenge::{self, Challenge};
use super::{Credentials, Error, ErrorResponse, Origin, Proof, token};
use crate::http::{Authorization, Client};
use crate::name::Repository;
use crate::name::endpoint::Endpoint;
use crate::printable::Printable;

/// A token this close to its end is replaced before it is used.
const MARGIN: Duration = Duration::from_secs(5);

/// Answers the challenges of one registry, and remembers the answers.
#[derive(Debug)]
pub struct Authenticator {
    client: Client,
    registry: Endpoint,
    /// The registry that the user named, which may have redirected to this one.
    named: Endpoint,
    credentials: Option<Credentials>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// As they are now: token services may replace an identity token whenever it is used.
    credentials: Option<Credentials>,
    /// By repository; by none for the registry as a whole.
    granted: HashMap<Option<Repository>, Grant>,
}

#[derive(Debug, Clone)]
struct Grant {
    authorization: Authorization,
    /// For a token; a password is good for ever.
    renewal: Option<Renewal>,
}

/// When to replace a token, and the challenge that got it.
#[derive(Debug, Clone)]
struct Renewal {
    due: Option<Instant>,
    challenge: Challenge,
}

impl Authenticator {
    /// For a registry that the user named. Credentials that are not for it are not used.
    #[must_use]
    pub fn new(client: Client, registry: Endpoint, credentials: Option<Credentials>) -> Self {
        Self::for_redirect_target(client, registry.clone(), registry, credentials)
    }

    /// For a registry that `named` has redirected to.
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

    /// What to send with the first try of a request: what was granted before, renewed if it is about to
    /// end, or the token that the user gave for just this. A password is not sent before the registry asks
    /// for one. Without a repository it is for the registry as a whole.
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
        // If this fails, the registry's next challenge is answered, and that failure told.
        self.renew(&mut state, repository, &challenge).await.ok()
    }

    /// Answers a 401. `rejected` is what the request was sent with. Requests that are challenged at the same
    /// time wait for one token.
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

    /// The error for a request that was denied, with some authorization or before the registry asked for any.
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

    /// The error for a challenge for which there is no better answer than what was refused.
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

    /// Whether there are credentials with which to answer a challenge. A bearer token is sent without one.
    #[must_use]
    pub fn can_answer(&self) -> bool {
        matches!(self.proof(), Some(Proof::Basic { .. } | Proof::Identity(_)))
    }

    fn proof(&self) -> Option<&Proof> {
        self.credentials
            .as_ref()
            .map(|credentials| &credentials.proof)
    }

    /// Which challenge to answer. `last` is how the token was got that is refused now.
    fn choose(&self, challenges: &[Challenge], last: Option<Renewal>) -> Result<Choice, Error> {
        let offered = |scheme: &str| {
            challenges
                .iter()
                .find(|challenge| challenge.scheme == scheme)
        };
        let bearer = offered("bearer");
        // A token is preferred: the password then goes to the token service alone.
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
        // Registries that are sent an old token may say only that it is one, or ask for a password, as
        // Harbor does, where a new token is all that it takes.
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
    /// With a token from the service that this names.
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

    /// Answers one request with a token, and tells what was asked.
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
        // And is good for a while.
        assert_eq!(
            authenticator.authorization(Some(&repository)).await,
            bearer("new")
        );
        let asked = service.join().unwrap();
        assert!(asked.starts_with("GET /token?scope="), "{asked}");
    }
}
