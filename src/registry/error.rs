//! The errors of fetching an object from a registry.

use std::fmt;

use url::Url;

use super::tags_error::TagsError;
use crate::class::Class;
use crate::http::{self, Authorization, Response, StatusCode};
use crate::name::{Reference, Repository};
use crate::oci::digest::Digest;
use crate::oci::document::ParseError;
use crate::oci::index::{NoSuchPlatform, SelectError};
use crate::printable::Printable;
use crate::safe_url::SafeUrl;
use crate::{auth, error_body, verify};

/// The maximum size of an error body: 64 KiB.
const BODY_LIMIT: usize = 64 << 10;

/// A failure to fetch an object.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch {object} from {registry}")]
pub struct Error {
    pub(super) object: Object,
    pub(super) registry: String,
    #[source]
    pub(super) cause: Cause,
}

impl Error {
    /// Returns the cause.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Returns the class of the error.
    #[must_use]
    pub fn class(&self) -> Class {
        self.cause.class()
    }

    /// Returns the name of the registry, or the host of a foreign layer's URL.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns whether the object does not exist, is not for the platform, or is not an image.
    pub(super) fn is_of_content(&self) -> bool {
        self.is_absent() || matches!(self.cause, Cause::Document(_) | Cause::Platform(_))
    }

    /// Returns whether the registry states that the object does not exist.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(&self.cause, Cause::Status { status, .. }
            if matches!(*status, StatusCode::NOT_FOUND | StatusCode::GONE))
    }
}

/// An object in a registry.
#[derive(Debug, Clone)]
pub enum Object {
    /// The manifest or index of a reference.
    Manifest(Box<Reference>),
    /// The list of a repository's tags.
    Tags(Repository),
    /// The list of the referrers of a manifest or index.
    Referrers {
        /// The digest of the manifest or index.
        subject: Digest,
        /// The repository.
        repository: Repository,
    },
    /// The attestations of a manifest or index in GitHub's API.
    Attestations {
        /// The digest of the manifest or index.
        subject: Digest,
        /// The repository or owner whose workflows attested it.
        by: String,
    },
    /// The base of the API, `/v2/`.
    Interface,
    /// A blob.
    Blob {
        /// The role of the blob in the image.
        role: Role,
        /// The digest of the blob.
        digest: Digest,
        /// The repository of the blob.
        repository: Repository,
    },
}

/// The role of a blob in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The config.
    Config,
    /// A layer.
    Layer,
    /// A config or a layer: the derivation does not state it.
    Blob,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface => f.write_str("/v2/"),
            Self::Tags(repository) => write!(f, "the tags of {repository}"),
            Self::Manifest(reference) => write!(f, "the manifest of {reference}"),
            Self::Referrers {
                subject,
                repository,
            } => write!(f, "the referrers of {repository}@{subject}"),
            Self::Attestations { subject, by } => {
                write!(f, "the attestations of {subject} by {by}")
            }
            Self::Blob {
                role,
                digest,
                repository,
            } => {
                let role = match role {
                    Role::Config => "config",
                    Role::Layer => "layer",
                    Role::Blob => "blob",
                };
                write!(f, "the {role} {digest} of {repository}")
            }
        }
    }
}

/// The cause of a failure to fetch an object.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The HTTP request failed.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// The authentication with the registry failed.
    #[error(transparent)]
    Auth(#[from] auth::Error),
    /// The authentication with a registry to which the registry redirects failed.
    #[error("cannot get access to {registry}, to which the registry redirects")]
    Redirected {
        /// The base URL of that registry.
        registry: SafeUrl,
        /// The error of the authentication.
        #[source]
        source: auth::Error,
    },
    /// The registry, or the host to which it redirects, answers with an error status.
    #[error("{} answers {status}{}", responder(redirect.as_ref()), message_suffix(message.as_ref()))]
    Status {
        /// The status.
        status: StatusCode,
        /// The URL of the response, if it is on another host.
        redirect: Option<SafeUrl>,
        /// The message in the body, if it has one.
        message: Option<Printable>,
    },
    /// The server expects https, but the request was plain http.
    #[error("{0} expects https, but the request was http")]
    WantsTls(SafeUrl),
    /// The content does not match its digest or size.
    #[error(transparent)]
    Verify(#[from] verify::Error),
    /// The content is not a valid document of the expected kind.
    #[error("the registry's response cannot be used")]
    Document(#[from] ParseError),
    /// The list of tags cannot be used.
    #[error(transparent)]
    Tags(#[from] TagsError),
    /// The image does not exist for the platform.
    #[error(transparent)]
    Platform(#[from] NoSuchPlatform),
    /// The registry sends a part for a request for the whole blob, or an invalid response to a range request.
    #[error("the registry's responses to range requests are invalid")]
    Ranges,
    /// The temporary file for a blob cannot be written.
    #[error("cannot write a temporary file")]
    Scratch(#[source] std::io::Error),
    /// The registry lacks a foreign layer, and none of the layer's URLs may be used.
    #[error(
        "the registry lacks the layer, and none of the layer's URLs may be used: {}",
        .0.join("; ")
    )]
    Foreign(Vec<String>),
    /// Indexes contain indexes beyond the limit.
    #[error("indexes are nested more than {0} deep")]
    Nesting(usize),
}

impl From<SelectError> for Cause {
    fn from(error: SelectError) -> Self {
        match error {
            SelectError::Platform(error) => Self::Platform(error),
            SelectError::Entry(error) => Self::Document(error),
        }
    }
}

fn responder(redirect: Option<&SafeUrl>) -> String {
    redirect.map_or_else(
        || "the registry".to_owned(),
        |url| format!("{url}, to which the registry redirects,"),
    )
}

fn message_suffix(message: Option<&Printable>) -> String {
    message
        .map(|message| format!(": {message}"))
        .unwrap_or_default()
}

/// Returns whether an error body states that the server expects TLS. The texts are those of Go's server, nginx and
/// Apache.
fn wants_tls(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    [
        "HTTP request to an HTTPS server",
        "plain HTTP request was sent to HTTPS port",
        "speaking plain HTTP to an SSL-enabled server port",
    ]
    .iter()
    .any(|words| text.contains(words))
}

impl Cause {
    /// Returns the class of the error.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Http(error) => error.class(),
            Self::Auth(error) | Self::Redirected { source: error, .. } => error.class(),
            Self::Tags(_)
            | Self::Nesting(_)
            | Self::Ranges
            | Self::Foreign(_)
            | Self::WantsTls(_) => Class::Unsupported,
            Self::Status { status, .. } => match *status {
                StatusCode::NOT_FOUND | StatusCode::GONE => Class::NotFound,
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Class::Denied,
                status if http::retry::is_transient(status) || status.is_server_error() => {
                    Class::Unavailable
                }
                _ => Class::Unsupported,
            },
            Self::Verify(error) => error.class(),
            Self::Document(error) => error.class(),
            Self::Platform(_) => Class::NotFound,
            Self::Scratch(_) => Class::Other,
        }
    }

    /// Returns whether this is a transient failure.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Http(error) => error.is_transient(),
            Self::Auth(error) | Self::Redirected { source: error, .. } => error.is_transient(),
            Self::Status { status, .. } => http::retry::is_transient(*status),
            _ => false,
        }
    }

    /// Returns whether the server refuses the request. Another form of the request may succeed.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Status { status, .. } => {
                *status == StatusCode::NOT_IMPLEMENTED || !http::retry::is_transient(*status)
            }
            Self::Auth(error) | Self::Redirected { source: error, .. } => error.is_forbidden(),
            _ => false,
        }
    }

    /// Reads an error response to a request for `asked`. Omits a message that contains the authorization that was sent.
    pub(super) async fn of_status(
        response: Response,
        asked: &Url,
        sent: Option<&Authorization>,
    ) -> Self {
        let status = response.status();
        let answered = response.url();
        let redirect = (answered.origin() != asked.origin()).then(|| SafeUrl::new(answered));
        let is_plain = answered.scheme() == "http";
        let shown = SafeUrl::new(answered);
        let body = response.start_of_body(BODY_LIMIT).await;
        if is_plain && status == StatusCode::BAD_REQUEST && wants_tls(&body) {
            return Self::WantsTls(shown);
        }
        let is_echo = |words: &Printable| sent.is_some_and(|sent| sent.appears_in(words.as_str()));
        Self::Status {
            status,
            redirect,
            message: error_body::message(&body).filter(|words| !is_echo(words)),
        }
    }
}
