//! GitHub's own API, which has the attestations of workflows that did not push them to the registry. It is asked only for
//! images that a workflow of GitHub must have signed. What it answers is verified like every other proof.
//!
//! Source: docs.github.com, "REST API endpoints for artifact attestations"; the program `gh`, `attestation verify`.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::send::Attempts;
use super::{Cause, Error, Object, Registry};
use crate::http::header::{ACCEPT, HeaderValue};
use crate::http::{Authorization, Request, StatusCode};
use crate::name::address::is_loopback;
use crate::oci::digest::Digest;
use crate::oci::document::ParseError;
use crate::secret::Secret;
use crate::signature::Signer;

/// The base of the API.
const API: &str = "https://api.github.com/";

/// The issuer of the identities of workflows.
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// The start of the identities of workflows.
const WORKFLOWS: &str = "https://github.com/";

/// The number of attestations that are requested. GitHub sends the newest first.
const COUNT: usize = 30;

/// The size limit of an answer in bytes. An attestation has about 15 KiB.
const MAX_SIZE: usize = 4 << 20;

/// The address of GitHub's API, and the token for it.
#[derive(Clone, Debug)]
pub struct GitHubApi {
    url: Url,
    /// Only the server of `url` gets it.
    token: Option<Secret>,
}

impl GitHubApi {
    /// Creates the address of an API; without a URL, of the public one. `None` if the URL is not https, or not http to
    /// loopback, or contains user information.
    #[must_use]
    pub fn new(url: Option<&str>, token: Option<Secret>) -> Option<Self> {
        let mut url: Url = url.unwrap_or(API).parse().ok()?;
        let is_encrypted = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
        if !is_encrypted || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        url.set_query(None);
        url.set_fragment(None);
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Some(Self { url, token })
    }
}

/// Whose attestations are requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttestedBy {
    /// Those of the workflows of one repository.
    Repository {
        /// The owner of the repository.
        owner: String,
        /// The name of the repository.
        name: String,
    },
    /// Those of all repositories of a user or an organisation.
    Owner(String),
}

impl AttestedBy {
    /// Returns whose workflows a signer can be. `None` if the signer is no workflow of GitHub, or if its identity names no
    /// owner.
    #[must_use]
    pub fn of(signer: &Signer) -> Option<Self> {
        let Signer::Certificate { identity, issuer } = signer else {
            return None;
        };
        let path = identity.as_str().strip_prefix(WORKFLOWS)?;
        let mut parts = path.split('/');
        let owner = parts.next().filter(|owner| is_name(owner))?.to_owned();
        let (name, rest) = (parts.next()?, parts.next());
        if issuer.as_str() != ISSUER {
            return None;
        }
        Some(match rest {
            Some(_) if is_name(name) => Self::Repository {
                owner,
                name: name.to_owned(),
            },
            _ => Self::Owner(owner),
        })
    }

    /// Returns the paths of the list, below the base of the API. The first that exists counts.
    fn paths(&self, subject: &Digest) -> Vec<String> {
        let of = |place: String| format!("{place}/attestations/{subject}?per_page={COUNT}");
        match self {
            Self::Repository { owner, name } => vec![of(format!("repos/{owner}/{name}"))],
            Self::Owner(owner) => vec![of(format!("orgs/{owner}")), of(format!("users/{owner}"))],
        }
    }
}

impl fmt::Display for AttestedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository { owner, name } => write!(f, "{owner}/{name}"),
            Self::Owner(owner) => f.write_str(owner),
        }
    }
}

/// Returns whether a text can be the name of an owner or repository. It becomes a part of a URL.
fn is_name(text: &str) -> bool {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    (1..=100).contains(&text.len()) && text.chars().all(is_allowed) && !matches!(text, "." | "..")
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    attestations: Vec<Attestation<'a>>,
}

#[derive(Deserialize)]
struct Attestation<'a> {
    #[serde(borrow, default)]
    bundle: Option<&'a RawValue>,
}

impl Registry {
    /// Uses another address of GitHub's API, or none.
    #[must_use]
    pub fn with_github(mut self, github: Option<GitHubApi>) -> Self {
        self.github = github;
        self
    }

    /// Fetches the texts of the newest attestations of a manifest or index from GitHub's API. There are none if GitHub does
    /// not know the owner or the manifest.
    pub async fn github_attestations(
        &self,
        by: &AttestedBy,
        subject: &Digest,
    ) -> Result<Vec<String>, Error> {
        let Some(github) = &self.github else {
            return Ok(Vec::new());
        };
        for path in by.paths(subject) {
            let answer = self.github_answer(github, &path).await;
            let bytes = answer.map_err(|cause| Error {
                object: Object::Attestations {
                    subject: *subject,
                    by: by.to_string(),
                },
                registry: github.url.host_str().unwrap_or_default().to_owned(),
                cause,
            })?;
            if let Some(bundles) = bytes {
                return Ok(bundles);
            }
        }
        Ok(Vec::new())
    }

    async fn github_answer(
        &self,
        github: &GitHubApi,
        path: &str,
    ) -> Result<Option<Vec<String>>, Cause> {
        let Ok(url) = github.url.join(path) else {
            return Ok(None);
        };
        let mut request = Request::get(url);
        let kind = HeaderValue::from_static("application/vnd.github+json");
        request.headers.insert(ACCEPT, kind);
        request.authorization = github.token.clone().map(Authorization::Bearer);
        // An image without another proof is refused in any case, so this is not worth long waits.
        let response = self.round_trip(&request, Attempts::Once).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => {
                let sent = request.authorization.as_ref();
                return Err(Cause::of_status(response, &request.url, sent).await);
            }
        }
        let bytes = response.bytes(MAX_SIZE).await?;
        let bundles = bundles(&bytes).map_err(|error| ParseError::json(error, &bytes))?;
        Ok(Some(bundles))
    }
}

/// Takes the bundles from an answer, unchanged.
fn bundles(answer: &[u8]) -> Result<Vec<String>, serde_json::Error> {
    let answer: Answer<'_> = serde_json::from_slice(answer)?;
    let bundles = answer.attestations.iter().take(COUNT);
    let bundles = bundles.filter_map(|one| one.bundle);
    Ok(bundles.map(|bundle| bundle.get().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_workflow_is_in_its_identity() {
        let by = |identity: &str, issuer: &str| {
            let signer = Signer::Certificate {
                identity: identity.parse().unwrap(),
                issuer: issuer.parse().unwrap(),
            };
            AttestedBy::of(&signer).map(|by| by.to_string())
        };
        for (identity, expected) in [
            (
                "https://github.com/team/app/.github/workflows/x.yml@refs/tags/*",
                Some("team/app"),
            ),
            ("https://github.com/team/app/*", Some("team/app")),
            ("https://github.com/team/app*", Some("team")),
            ("https://github.com/team/*", Some("team")),
            (
                "https://github.com/team/*/.github/workflows/x.yml@*",
                Some("team"),
            ),
            ("https://github.com/team/../x", Some("team")),
            ("https://github.com/team", None),
            ("https://github.com/te*", None),
            ("https://github.com/*/app/x", None),
            ("https://github.com/../../x/y", None),
            ("https://github.com/a?b/c/d", None),
            ("https://github.com.evil.example/a/b/c", None),
            ("dev@example.com", None),
        ] {
            assert_eq!(by(identity, ISSUER).as_deref(), expected, "{identity}");
            assert_eq!(by(identity, "https://accounts.google.com"), None);
        }
    }

    #[test]
    fn bundles_are_taken_unchanged() {
        let answer = r#"{"attestations": [{"bundle": {"b" : 1,"a":2}, "repository_id": 1}, {"bundle": null}, {}]}"#;
        assert_eq!(bundles(answer.as_bytes()).unwrap(), [r#"{"b" : 1,"a":2}"#]);
        assert!(bundles(b"{\"attestations\": []}").unwrap().is_empty());
        for text in [
            "",
            "{}",
            "[]",
            "{\"attestations\": {}}",
            "{\"attestations\": [1]}",
        ] {
            assert!(bundles(text.as_bytes()).is_err(), "{text}");
        }
    }
}
