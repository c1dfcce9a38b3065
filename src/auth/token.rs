//! Bearer tokens from the token service of a challenge.
//!
//! For a user name and password the request is a GET, which every token service supports. For an identity token it is a
//! POST, as in OAuth2.
//!
//! Sources: distribution's `docs/spec/auth/token.md` and `oauth.md`; CVE-2020-15157 and
//! github.com/google/go-containerregistry/issues/2193 for the rules about where credentials may go.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::challenge::Challenge;
use super::{Credentials, Error, Proof};
use crate::error_body;
use crate::http::{
    self, Authorization, BufferedResponse, Client, Purpose, Request, StatusCode, admits,
};
use crate::name::endpoint::Endpoint;
use crate::oci::document::ParseError;
use crate::printable::Printable;
use crate::safe_url::SafeUrl;
use crate::secret::Secret;

/// The maximum size of a token service's response: 1 MiB.
const LIMIT: usize = 1 << 20;

/// The lifetime of a token if the response states none (`docs/spec/auth/token.md`).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);

/// The client's name, which OAuth2 requires.
const CLIENT_ID: &str = "hocker";

/// A bearer token and its lifetime.
#[derive(Debug)]
pub(super) struct Token {
    /// The token.
    pub secret: Secret,
    /// The time until the token expires.
    pub lifetime: Duration,
    /// A new identity token, which replaces the old one.
    pub identity: Option<Secret>,
}

/// The registries for which a token is fetched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registries<'a> {
    /// The registry that sent the challenge.
    pub challenging: &'a Endpoint,
    /// The registry that the user named. It may redirect to `challenging`.
    pub named: &'a Endpoint,
}

/// Fetches a token. `scope` is used if the challenge names none. Without both, the token has no scope.
pub(super) async fn fetch(
    client: &Client,
    registries: Registries<'_>,
    challenge: &Challenge,
    scope: Option<&str>,
    credentials: Option<&Credentials>,
) -> Result<Token, Error> {
    let realm = realm(registries.challenging, challenge)?;
    let shown = SafeUrl::new(&realm);
    // A bearer token is for the registry, not for the token service.
    let credentials =
        credentials.filter(|credentials| !matches!(credentials.proof, Proof::Bearer(_)));
    let proof = credentials.map(|credentials| &credentials.proof);
    let BufferedResponse { status, body, .. } =
        ask(client, registries, realm, challenge, scope, proof).await?;
    match status {
        status if status.is_success() => {}
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST) => {
            let is_echo = |words: &Printable| {
                proof.is_some_and(|proof| contains_secret(proof, words.as_str()))
            };
            let message = error_body::message(&body).filter(|words| !is_echo(words));
            return Err(Error::TokenDenied {
                realm: shown,
                answer: super::ErrorResponse { status, message },
                credentials: credentials.map(|credentials| credentials.origin.clone()),
            });
        }
        status => {
            return Err(Error::Status {
                realm: shown,
                status,
            });
        }
    }
    let no_token = |source| Error::NoToken {
        realm: shown,
        source,
    };
    let answer: TokenResponse = match serde_json::from_slice(&body) {
        Ok(answer) => answer,
        // Such an error may quote the response, and so the token.
        Err(source) if source.is_data() => return Err(no_token(None)),
        Err(source) => return Err(no_token(Some(ParseError::json(source, &body)))),
    };
    let token = [answer.token, answer.access_token]
        .into_iter()
        .flatten()
        .find(|token| !token.is_empty());
    Ok(Token {
        secret: Secret::new(token.ok_or_else(|| no_token(None))?),
        lifetime: answer
            .expires_in
            .as_ref()
            .and_then(Value::as_u64)
            .filter(|seconds| *seconds > 0)
            .map_or(DEFAULT_LIFETIME, Duration::from_secs),
        identity: answer
            .refresh_token
            .filter(|token| !token.is_empty())
            .map(Secret::new),
    })
}

/// Returns whether a text contains the password or token. A server may echo the request in an error message.
fn contains_secret(proof: &Proof, text: &str) -> bool {
    let authorization = match proof.clone() {
        Proof::Basic { username, password } => Authorization::Basic { username, password },
        Proof::Bearer(token) => Authorization::Bearer(token),
        Proof::Identity(token) => Authorization::Basic {
            username: String::new(),
            password: token,
        },
    };
    authorization.appears_in(text)
}

#[derive(Deserialize)]
struct TokenResponse {
    token: Option<String>,
    access_token: Option<String>,
    /// Services send different types. An invalid value is no reason to refuse the token.
    expires_in: Option<Value>,
    refresh_token: Option<String>,
}

async fn ask(
    client: &Client,
    registries: Registries<'_>,
    realm: Url,
    challenge: &Challenge,
    scope: Option<&str>,
    proof: Option<&Proof>,
) -> Result<BufferedResponse, http::Error> {
    let of_token = |request| Request {
        registry: Some(registries.named.clone()),
        purpose: Purpose::Token(Box::new(registries.challenging.clone())),
        ..request
    };
    let authorization = match proof {
        Some(Proof::Identity(token)) => {
            let form = form(challenge, scope, token);
            let request = of_token(Request::get(realm.clone()));
            let answer = client.post_form(&request, &form, LIMIT).await?;
            if !matches!(
                answer.status,
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
            ) {
                return Ok(answer);
            }
            // Some token services support only GET. They accept the token as a password with an empty user name;
            // containerd does the same.
            Some(Authorization::Basic {
                username: String::new(),
                password: token.clone(),
            })
        }
        Some(Proof::Basic { username, password }) => Some(Authorization::Basic {
            username: username.clone(),
            password: password.clone(),
        }),
        Some(Proof::Bearer(_)) | None => None,
    };
    let request = of_token(request(realm, challenge, scope, authorization));
    client.send_buffered(&request, LIMIT).await
}

/// Returns the fields of the form for a POST request.
fn form<'a>(
    challenge: &'a Challenge,
    scope: Option<&'a str>,
    token: &'a Secret,
) -> Vec<(&'static str, &'a str)> {
    let mut form = vec![
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT_ID),
        ("refresh_token", token.expose()),
    ];
    if let Some(scope) = challenge.parameter("scope").or(scope) {
        form.push(("scope", scope));
    }
    if let Some(service) = challenge.parameter("service") {
        form.push(("service", service));
    }
    form
}

fn request(
    mut realm: Url,
    challenge: &Challenge,
    scope: Option<&str>,
    authorization: Option<Authorization>,
) -> Request {
    {
        let mut query = realm.query_pairs_mut();
        if let Some(service) = challenge.parameter("service") {
            query.append_pair("service", service);
        }
        // The challenge has all scopes in one parameter; the URL has one parameter for each scope.
        let scopes = challenge.parameter("scope").or(scope).unwrap_or_default();
        for scope in scopes.split_ascii_whitespace() {
            query.append_pair("scope", scope);
        }
        if let Some(Authorization::Basic { username, .. }) = &authorization
            && !username.is_empty()
        {
            query.append_pair("account", username);
        }
    }
    Request {
        authorization,
        ..Request::get(realm)
    }
}

/// Returns the URL of the token service, if it may get credentials.
fn realm(registry: &Endpoint, challenge: &Challenge) -> Result<Url, Error> {
    let text = challenge.parameter("realm").unwrap_or_default();
    let refused = |reason: String| Error::Realm {
        realm: text.parse().map_or_else(
            |_| format!("{text:?}"),
            |url| SafeUrl::new(&url).to_string(),
        ),
        reason,
    };
    let realm: Url = text
        .parse()
        .map_err(|_| refused("which is not a URL".to_owned()))?;
    admits(registry, &realm).map_err(|refusal| refused(refusal.to_string()))?;
    Ok(realm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::challenge;

    #[test]
    fn credentials_go_to_no_realm_that_is_not_a_url_or_not_admitted() {
        let registry: Endpoint = "https://r.example/v2/".parse().unwrap();
        for (text, admitted) in [
            ("https://auth.example/token", true),
            ("http://auth.example/token", false),
            ("https://me:pw@auth.example/token", false),
            ("//auth.example/token", false),
            ("/token", false),
            ("", false),
        ] {
            let challenges = challenge::parse(&format!("Bearer realm=\"{text}\""));
            let realm = realm(&registry, &challenges[0]);
            assert_eq!(realm.is_ok(), admitted, "{text}");
        }
    }

    #[test]
    fn asks_for_the_scope_of_the_challenge_else_for_ours() {
        let ask = |header: &str| {
            let challenges = challenge::parse(header);
            request(
                "https://t.example/token?x=1".parse().unwrap(),
                &challenges[0],
                Some("repository:a/b:pull"),
                None,
            )
            .url
            .to_string()
        };
        assert_eq!(
            ask(r#"Bearer realm="", service="r", scope="repository:c:pull""#),
            "https://t.example/token?x=1&service=r&scope=repository%3Ac%3Apull"
        );
        assert_eq!(
            ask(r#"Bearer realm="", scope="repository:c:pull  repository:d:pull""#),
            "https://t.example/token?x=1&scope=repository%3Ac%3Apull&scope=repository%3Ad%3Apull"
        );
        assert_eq!(
            ask("Bearer"),
            "https://t.example/token?x=1&scope=repository%3Aa%2Fb%3Apull"
        );
    }
}
