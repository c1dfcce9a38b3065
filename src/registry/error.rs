//! What can go wrong with a registry, in terms of the object that was wanted.

use std::fmt;

use url::Url;

use crate::class::Class;
use crate::http::{self, Authorization, Response, StatusCode};
use crate::name::{Reference, Repository};
use crate::oci::digest::Digest;
use crate::oci::document::ParseError;
use crate::oci::index::{NoSuchPlatform, SelectError};
use crate::printable::Printable;
use crate::safe_url::SafeUrl;
use crate::{auth, error_body, verify};

/// Error bodies are read up to this many bytes (64 KiB).
const BODY_LIMIT: usize = 64 << 10;

/// An object that could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch {object} from {registry}")]
pub struct Error {
    pub(super) object: Object,
    pub(super) registry: String,
    #[source]
    pub(super) cause: Cause,
}

impl Error {
    /// Why.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The kind of failure.
    #[must_use]
    pub fn class(&self) -> Class {
        self.cause.class()
    }

    /// Who was asked: a registry, or the host that has a foreign layer.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Whether there is nothing, or nothing for the platform, or something else than an image.
    pub(super) fn is_of_content(&self) -> bool {
        self.is_absent() || matches!(self.cause, Cause::Document(_) | Cause::Platform(_))
    }

    /// Whether the registry says that there is no such thing.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(&self.cause, Cause::Status { status, .. }
            if matches!(*status, StatusCode::NOT_FOUND | StatusCode::GONE))
    }
}

/// What one can want from a registry.
#[derive(Debug, Clone)]
pub enum Object {
    /// The manifest or index that a reference names.
    Manifest(Box<Reference>),
    /// The base of the interface, which every registry has.
    Interface,
    /// Content that is asked for by its digest.
    Blob {
        /// What it is to the image.
        role: Role,
        /// Its digest.
        digest: Digest,
        /// The repository to ask.
        repository: Repository,
    },
}

/// What a blob is to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The configuration.
    Config,
    /// A layer.
    Layer,
    /// Either; the derivation that asks does not say.
    Blob,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface => f.write_str("/v2/"),
            Self::Manifest(reference) => write!(f, "the manifest of {reference}"),
            Self::Blob {
                role,
                digest,
                repository,
            } => {
                let role = match role {
                    Role::Config => "configuration",
                    Role::Layer => "layer",
                    Role::Blob => "blob",
                };
                write!(f, "the {role} {digest} of {repository}")
            }
        }
    }
}

/// Why an object could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The connection, or the way there.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// The registry does not let the user in.
    #[error(transparent)]
    Auth(#[from] auth::Error),
    /// A registry that the registry redirects to does not let the user in.
    #[error("cannot get access to {registry}, to which the registry redirects")]
    Redirected {
        /// That registry.
        registry: SafeUrl,
        /// Why.
        #[source]
        source: auth::Error,
    },
    /// The registry answers with an error, or the host that it redirects to, such as an object store.
    #[error("{} answers {status}{}", who(redirect.as_ref()), says(message.as_ref()))]
    Status {
        /// The status.
        status: StatusCode,
        /// Who answered, where it was not the one that was asked.
        redirect: Option<SafeUrl>,
        /// What is said of it.
        message: Option<Printable>,
    },
    /// Plain http was spoken to a port for https.
    #[error("{0} expects https, but the request was http")]
    WantsTls(SafeUrl),
    /// The content is not what its digest or size says.
    #[error(transparent)]
    Verify(#[from] verify::Error),
    /// The content is not a document of the kind that was expected.
    #[error("the registry's response cannot be used")]
    Document(#[from] ParseError),
    /// The index has no image for the platform.
    #[error(transparent)]
    Platform(#[from] NoSuchPlatform),
    /// A part came where the whole was asked for, or nonsense for a part.
    #[error("the registry's responses to range requests are invalid")]
    Ranges,
    /// There is no room for what a mirror sends.
    #[error("cannot write a temporary file")]
    Scratch(#[source] std::io::Error),
    /// A foreign layer, and none of its URLs may be asked.
    #[error(
        "the registry lacks the layer, and none of the layer's URLs may be used: {}",
        .0.join("; ")
    )]
    Foreign(Vec<String>),
    /// Indexes within indexes without end.
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

fn who(redirect: Option<&SafeUrl>) -> String {
    redirect.map_or_else(
        || "the registry".to_owned(),
        |url| format!("{url}, to which the registry redirects,"),
    )
}

fn says(message: Option<&Printable>) -> String {
    message
        .map(|message| format!(": {message}"))
        .unwrap_or_default()
}

/// Whether a server says that it was spoken to without TLS: Go's, nginx and Apache's httpd, each in its words.
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
    /// The kind of failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Http(error) => error.class(),
            Self::Auth(error) | Self::Redirected { source: error, .. } => error.class(),
            Self::Nesting(_) | Self::Ranges | Self::Foreign(_) | Self::WantsTls(_) => {
                Class::Unsupported
            }
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

    /// Whether the same may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Http(error) => error.is_transient(),
            Self::Auth(error) | Self::Redirected { source: error, .. } => error.is_transient(),
            Self::Status { status, .. } => http::retry::is_transient(*status),
            _ => false,
        }
    }

    /// Whether a server does not want to do what it was asked, be it because of how it was asked.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Status { status, .. } => {
                *status == StatusCode::NOT_IMPLEMENTED || !http::retry::is_transient(*status)
            }
            Self::Auth(error) | Self::Redirected { source: error, .. } => error.is_forbidden(),
            _ => false,
        }
    }

    /// Reads an answer with a status of failure to a request for `asked`. What was sent is not told, should the
    /// server echo it.
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
