//! Why a registry's challenge could not be answered.

use std::fmt;

use super::Origin;
use crate::class::Class;
use crate::http::{self, StatusCode};
use crate::oci::document::ParseError;
use crate::printable::Printable;
use crate::safe_url::SafeUrl;

/// A challenge that could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry denies access with the credentials given, or without any.
    #[error("the registry denies access {}{}", with(credentials.as_ref()), says(answer.as_ref()))]
    Denied {
        /// Where the credentials came from, if there were any.
        credentials: Option<Origin>,
        /// Its answer, where it is more than another challenge.
        answer: Option<ErrorResponse>,
    },
    /// The registry denies access before it has asked for the credentials that there are.
    #[error(
        "the registry denies access and does not ask for the credentials from {credentials}{}",
        says(Some(answer))
    )]
    DeniedUnasked {
        /// Where the credentials came from.
        credentials: Origin,
        /// Its answer.
        answer: ErrorResponse,
    },
    /// The token service denies a token.
    #[error("{realm} denies a token {}{}", with(credentials.as_ref()), says(Some(answer)))]
    TokenDenied {
        /// The token service.
        realm: SafeUrl,
        /// Its answer.
        answer: ErrorResponse,
        /// Where the credentials came from, if there were any.
        credentials: Option<Origin>,
    },
    /// No scheme that this program speaks.
    #[error("the registry requires authentication by {0}; hocker supports Basic and Bearer")]
    Scheme(Printable),
    /// A 401 without a challenge.
    #[error("the registry denies access and offers no way to authenticate")]
    NoChallenge,
    /// A token service at a place where no credentials may be sent.
    #[error("the registry names {realm} as its token service, {reason}")]
    Realm {
        /// The service.
        realm: String,
        /// Why nothing is sent there.
        reason: String,
    },
    /// The token service gave no answer.
    #[error("cannot fetch a token")]
    Http(#[from] http::Error),
    /// The token service answers with an error.
    #[error("{realm} answers {status} instead of a token")]
    Status {
        /// The service.
        realm: SafeUrl,
        /// Its answer.
        status: StatusCode,
    },
    /// The token service's answer holds no token.
    #[error("the response from {realm} contains no token")]
    NoToken {
        /// The service.
        realm: SafeUrl,
        /// What is wrong with it, if it could not be read at all.
        #[source]
        source: Option<ParseError>,
    },
}

/// A refusal in a server's own words.
#[derive(Clone, Debug)]
pub struct ErrorResponse {
    /// The status.
    pub status: StatusCode,
    /// What the server says.
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

fn says(answer: Option<&ErrorResponse>) -> String {
    answer.map_or_else(String::new, |answer| format!(" ({answer})"))
}

fn with(credentials: Option<&Origin>) -> String {
    credentials.map_or_else(
        || "without credentials".to_owned(),
        |origin| format!("with the credentials from {origin}"),
    )
}

impl Error {
    /// The kind of failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Http(error) => error.class(),
            error if error.is_denial() => Class::Denied,
            error if error.is_transient() => Class::Unavailable,
            _ => Class::Unsupported,
        }
    }

    /// Whether this is a refusal, not a failure.
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

    /// Whether the registry understands who is asking, and refuses all the same.
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

    /// Whether this is a refusal of somebody who had no credentials at all.
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

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Http(error) => error.is_transient(),
            Self::Status { status, .. } => http::retry::is_transient(*status),
            _ => false,
        }
    }
}
