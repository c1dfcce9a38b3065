//! What can go wrong between a request and the end of its answer.

use url::Url;

use super::StatusCode;
use crate::safe_url::SafeUrl;

/// No usable answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// The client cannot be set up.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// No connection, or no answer on it.
    #[error("no answer from {url}{}", reason(source))]
    Send {
        /// What was asked.
        url: SafeUrl,
        /// What went wrong, without the URL.
        #[source]
        source: reqwest::Error,
    },
    /// The answer's body broke off.
    #[error("the answer of {url} broke off{}", reason(source))]
    Body {
        /// What was asked.
        url: SafeUrl,
        /// What went wrong, without the URL.
        #[source]
        source: reqwest::Error,
    },
    /// A body larger than it may be.
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked.
        url: SafeUrl,
        /// The limit in bytes.
        limit: usize,
    },
    /// A redirect that goes nowhere.
    #[error("{url} answers {status} without a usable location")]
    Location {
        /// What was asked.
        url: SafeUrl,
        /// The redirect's status.
        status: StatusCode,
    },
    /// A redirect from https to another scheme.
    #[error("{url} redirects to {target}, which is not https")]
    Downgrade {
        /// What was asked.
        url: SafeUrl,
        /// Where it leads.
        target: SafeUrl,
    },
    /// A loop, most likely.
    #[error("{url} redirects more than {limit} times")]
    TooManyRedirects {
        /// What was asked first.
        url: SafeUrl,
        /// The limit.
        limit: usize,
    },
    /// A user name or token with characters that no header can hold.
    #[error("the credentials for {url} hold characters that cannot be sent")]
    Authorization {
        /// Whom they are for.
        url: SafeUrl,
    },
}

impl Error {
    /// The crate's errors name the URL with its query, which may hold a signature.
    pub(super) fn send(url: &Url, source: reqwest::Error) -> Self {
        Self::Send {
            url: SafeUrl::new(url),
            source: source.without_url(),
        }
    }

    pub(super) fn body(url: &Url, source: reqwest::Error) -> Self {
        Self::Body {
            url: SafeUrl::new(url),
            source: source.without_url(),
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Send { .. } | Self::Body { .. })
    }

    /// Whether a plain-http answer was what TLS got, or the other way round.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Send { source, .. } if source.is_connect())
    }
}

fn reason(source: &reqwest::Error) -> &'static str {
    if source.is_timeout() {
        ": nothing came for too long"
    } else if source.is_connect() {
        ": no connection"
    } else {
        ""
    }
}
