//! The errors of authentication.

use std::fmt;

use super::Origin;
use crate::class::Class;
use crate::http::{self, StatusCode};
use crate::oci::document::ParseError;
use crate::printable::Printable;
use crate::safe_url::SafeUrl;

/// A failure to authenticate with a registry.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry denies access, with or without credentials.
    #[error(
        "the registry denies access {}{}",
        credentials_phrase(credentials.as_ref()),
        response_suffix(answer.as_ref())
    )]
    Denied {
        /// The source of the credentials, if there are any.
        credentials: Option<Origin>,
        /// The registry's response, if it is more than another challenge.
        answer: Option<ErrorResponse>,
    },
    /// The registry denies access without a challenge, so the credentials were not sent.
    #[error(
        "the registry denies access and does not ask for the credentials from {credentials}{}",
        response_suffix(Some(answer))
    )]
    DeniedUnasked {
        /// The source of the credentials.
        credentials: Origin,
        /// The registry's response.
        answer: ErrorResponse,
    },
    /// The token service denies a token.
    #[error(
        "{realm} denies a token {}{}",
        credentials_phrase(credentials.as_ref()),
        response_suffix(Some(answer))
    )]
    TokenDenied {
        /// The token service.
        realm: SafeUrl,
        /// Its response.
        answer: ErrorResponse,
        /// The source of the credentials, if there are any.
        credentials: Option<Origin>,
    },
    /// The registry requires a scheme that hocker does not support.
    #[error("the registry requires authentication by {0}; hocker supports Basic and Bearer")]
    Scheme(Printable),
    /// The registry answers 401 without a challenge.
    #[error("the registry denies access and offers no way to authenticate")]
    NoChallenge,
    /// The registry names a token service that may not get credentials.
    #[error("the registry names {realm} as its token service, {reason}")]
    Realm {
        /// The URL of the token service.
        realm: String,
        /// The reason why it gets no credentials.
        reason: String,
    },
    /// The token service gives no usable response.
    #[error("cannot fetch a token")]
    Http(#[from] http::Error),
    /// The token service answers with an error.
    #[error("{realm} answers {status} instead of a token")]
    Status {
        /// The URL of the token service.
        realm: SafeUrl,
        /// The status of its response.
        status: StatusCode,
    },
    /// The token service's response contains no token.
    #[error("the response from {realm} contains no token")]
    NoToken {
        /// The URL of the token service.
        realm: SafeUrl,
        /// The error of the parser, if the response is not JSON.
        #[source]
        source: Option<ParseError>,
    },
}

/// The response of a server that denies access.
#[derive(Clone, Debug)]
pub struct ErrorResponse {
    /// The status.
    pub status: StatusCode,
    /// The message in the body, if it has one.
    pub message: Option<Printable>,
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{}: {message}", self.status),
            None => self.status.fmt(f),
        }
    }
}

fn response_suffix(answer: Option<&ErrorResponse>) -> String {
    answer.map_or_else(String::new, |answer| format!(" ({answer})"))
}

fn credentials_phrase(credentials: Option<&Origin>) -> String {
    credentials.map_or_else(
        || "without credentials".to_owned(),
        |origin| format!("with the credentials from {origin}"),
    )
}

impl Error {
    /// Returns the class of the error.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Http(error) => error.class(),
            error if error.is_denial() => Class::Denied,
            error if error.is_transient() => Class::Unavailable,
            _ => Class::Unsupported,
        }
    }

    /// Returns whether access is denied; other errors are failures.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        matches!(
            self,
            Self::Denied { .. }
                | Self::DeniedUnasked { .. }
                | Self::TokenDenied { .. }
                | Self::NoChallenge
                | Self::Realm { .. }
        )
    }

    /// Returns whether the registry answers 403: it knows the user, and denies access.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        match self {
            Self::Denied { answer, .. } => answer
                .as_ref()
                .is_some_and(|answer| answer.status == StatusCode::FORBIDDEN),
            Self::DeniedUnasked { answer, .. } => answer.status == StatusCode::FORBIDDEN,
            _ => false,
        }
    }

    /// Returns whether access is denied and hocker has no credentials.
    #[must_use]
    pub fn is_denial_without_credentials(&self) -> bool {
        matches!(
            self,
            Self::Denied {
                credentials: None,
                ..
            } | Self::TokenDenied {
                credentials: None,
                ..
            }
        )
    }

    /// Returns whether this is a transient failure.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Http(error) => error.is_transient(),
            Self::Status { status, .. } => http::retry::is_transient(*status),
            _ => false,
        }
    }
}
