//! Endpoints: the URL of a registry's HTTP API. References name registries (`docker.io`, `localhost:5000`), the option
//! `--registry` takes URLs (`https://registry-1.docker.io/v2/`); both become an endpoint.
//!
//! Source: OCI distribution specification, section "Endpoints".

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::address::is_loopback;
use super::docker_hub::{self, DOCKER_HUB};
use super::{RegistryName, Repository};
use crate::oci::digest::Digest;
use crate::safe_url::{self, SafeUrl};

/// The base URL of a registry's API. It ends in `/v2/` and has no user information and no query.
///
/// ```
/// use hocker::name::Endpoint;
///
/// let endpoint: Endpoint = "ghcr.io".parse()?;
/// assert_eq!(endpoint.to_string(), "https://ghcr.io/v2/");
///
/// // Plain http is the default only for loopback.
/// let local: Endpoint = "localhost:5000".parse()?;
/// assert_eq!(local.to_string(), "http://localhost:5000/v2/");
/// # Ok::<(), hocker::name::endpoint::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    base: Url,
    name: RegistryName,
    channel: Channel,
}

/// Whether others can read the requests to a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Only the registry can read them: https, or a registry on this machine.
    Secure,
    /// Plain http, and the user wrote `http://`. Everyone on the network path can read the requests.
    PlainByUser,
    /// Plain http, but a file (such as a lock file) or a server wrote `http://`. The user may not know it.
    PlainByOthers,
}

impl Endpoint {
    /// Returns the endpoint of a registry in a reference: https, but plain http for loopback names.
    pub fn of(name: &RegistryName) -> Result<Self, ParseError> {
        let host = if name.is_docker_hub() {
            docker_hub::HOST
        } else {
            name.as_str()
        };
        let https: Url =
            format!("https://{host}/v2/")
                .parse()
                .map_err(|source| ParseError::Url {
                    text: name.to_string(),
                    source,
                })?;
        let base = if is_loopback(&https) {
            format!("http://{host}/v2/")
                .parse()
                .map_err(|source| ParseError::Url {
                    text: name.to_string(),
                    source,
                })?
        } else {
            https
        };
        Ok(Self {
            base,
            name: name.clone(),
            // Here plain http is possible only for loopback.
            channel: Channel::Secure,
        })
    }

    /// Parses a URL or name from a file, such as a lock file. `http://` in it is not the user's decision, see
    /// [`Channel::PlainByOthers`].
    pub fn in_file(text: &str) -> Result<Self, ParseError> {
        text.parse().map(Self::by_others)
    }

    /// Returns the registry and repository of a URL to which another registry redirects. `None` if the URL does not
    /// have the form of the registry API, such as the URL of an object store.
    #[must_use]
    pub fn of_redirect(url: &Url) -> Option<(Self, Repository)> {
        let (base, rest) = url.path().split_once("/v2/")?;
        let (repository, noun) = rest.rsplit_once('/')?.0.rsplit_once('/')?;
        if !matches!(noun, "manifests" | "blobs" | "tags") {
            return None;
        }
        let origin = url.origin().ascii_serialization();
        let endpoint = Self::in_file(&format!("{origin}{base}/v2/")).ok()?;
        Some((endpoint, repository.parse().ok()?))
    }

    fn by_others(mut self) -> Self {
        if self.channel == Channel::PlainByUser {
            self.channel = Channel::PlainByOthers;
        }
        self
    }

    /// Returns whether others can read the requests to this endpoint.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Returns the base URL.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Returns the name of this registry in references.
    #[must_use]
    pub fn registry_name(&self) -> &RegistryName {
        &self.name
    }

    /// Returns the URL of a manifest or index. `reference` is a tag or a digest.
    #[must_use]
    pub fn manifest_url(&self, repository: &Repository, reference: &str) -> Url {
        self.join(&format!("{repository}/manifests/{reference}"))
    }

    /// Returns the URL of a blob.
    #[must_use]
    pub fn blob_url(&self, repository: &Repository, digest: &Digest) -> Url {
        self.join(&format!("{repository}/blobs/{digest}"))
    }

    /// Returns the URL of the list of the referrers of a manifest or index.
    #[must_use]
    pub fn referrers_url(&self, repository: &Repository, subject: &Digest) -> Url {
        self.join(&format!("{repository}/referrers/{subject}"))
    }

    /// Returns the URL of the list of tags, with at most `count` of them on a page.
    #[must_use]
    pub fn tags_url(&self, repository: &Repository, count: u32) -> Url {
        let mut url = self.join(&format!("{repository}/tags/list"));
        url.set_query(Some(&format!("n={count}")));
        url
    }

    /// Appends a path. Repositories, tags and digests contain no characters with a meaning in a URL's path.
    fn join(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url
    }

    /// Returns the name that the classic tools gave an image: the URL without its scheme, then the repository.
    #[must_use]
    pub fn classic_name(&self, repository: &Repository) -> String {
        let url = self.base.as_str();
        let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
        format!("{bare}{repository}")
    }
}

/// Returns the name of a registry in references if it differs from the URL's host: only for Docker Hub.
#[must_use]
pub fn alias(url: &Url) -> Option<&'static str> {
    // Another scheme or port is another server, which must not get Docker Hub's credentials.
    let is_docker_hub =
        url.scheme() == "https" && url.host_str() == Some(docker_hub::HOST) && url.port().is_none();
    is_docker_hub.then_some(DOCKER_HUB)
}

impl FromStr for Endpoint {
    type Err = ParseError;

    /// Parses a URL or a registry's name from the user. `/v2` or `/v2/` may follow a name.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if !text.contains("://") {
            if let Some((_, registry)) = text.rsplit_once('@') {
                return Err(ParseError::Credentials(registry.to_owned()));
            }
            let name = text.trim_end_matches('/');
            return Self::of(&name.strip_suffix("/v2").unwrap_or(name).parse()?);
        }
        let mut base: Url = text.parse().map_err(|source| ParseError::Url {
            text: safe_url::shown(text),
            source,
        })?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(ParseError::Scheme(base.scheme().to_owned()));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(ParseError::Credentials(SafeUrl::new(&base).to_string()));
        }
        // No registry has an `@` in its path, but a password with a slash ends up there.
        if base.path().contains('@') {
            return Err(ParseError::Credentials(safe_url::shown(text)));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(ParseError::Query(SafeUrl::new(&base).to_string()));
        }
        let path = base.path().trim_end_matches('/');
        let path = if path.ends_with("/v2") {
            format!("{path}/")
        } else {
            format!("{path}/v2/")
        };
        base.set_path(&path);
        let channel = if base.scheme() == "https" || is_loopback(&base) {
            Channel::Secure
        } else {
            Channel::PlainByUser
        };
        let host = base.host_str().unwrap_or_default();
        let name = match (alias(&base), base.port()) {
            (Some(alias), _) => alias.to_owned(),
            (None, Some(port)) => format!("{host}:{port}"),
            (None, None) => host.to_owned(),
        };
        Ok(Self {
            name: name.parse()?,
            base,
            channel,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str())
    }
}

/// A text that is not the endpoint of a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The text is not a URL.
    #[error("`{text}` is not the URL of a registry")]
    Url {
        /// The text, without credentials.
        text: String,
        /// The error of the URL parser.
        #[source]
        source: url::ParseError,
    },
    /// The text is not the name of a registry.
    #[error(transparent)]
    Name(#[from] super::ParseError),
    /// The URL's scheme is neither http nor https.
    #[error("the URL of a registry starts with https or http, not with `{0}`")]
    Scheme(String),
    /// The URL contains a user name or password, which logs would show.
    #[error("the URL of {0} contains credentials; give them with --username and --password-stdin")]
    Credentials(String),
    /// The URL contains a query or fragment.
    #[error("the URL of a registry has no query or fragment: {0}")]
    Query(String),
}

#[cfg(test)]
mod tests;
