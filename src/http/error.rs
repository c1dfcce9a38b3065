//! What can go wrong between a request and the end of its answer.

use std::fmt;

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
    #[error("no answer from {url}{}", reason(&source.0))]
    Send {
        /// What was asked.
        url: SafeUrl,
        /// What went wrong.
        #[source]
        source: Transport,
    },
    /// The answer's body broke off.
    #[error("the answer of {url} broke off{}", reason(&source.0))]
    Body {
        /// What was asked.
        url: SafeUrl,
        /// What went wrong.
        #[source]
        source: Transport,
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
    pub(super) fn send(url: &Url, source: reqwest::Error) -> Self {
        Self::Send {
            url: SafeUrl::new(url),
            source: Transport(source.without_url()),
        }
    }

    pub(super) fn body(url: &Url, source: reqwest::Error) -> Self {
        Self::Body {
            url: SafeUrl::new(url),
            source: Transport(source.without_url()),
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Send { .. } | Self::Body { .. })
    }

    /// Whether a host that was asked by https could not be talked to at all.
    #[must_use]
    pub fn is_https_connect(&self) -> bool {
        matches!(self, Self::Send { url, source } if source.0.is_connect() && url.is_https())
    }
}

/// An error of the HTTP crate. It wraps the one that says something (a refused connection, a certificate) in
/// several that do not, and names the URL with its query, which may hold a signature; so only the innermost
/// is shown.
#[derive(Debug)]
pub struct Transport(reqwest::Error);

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut innermost: &dyn std::error::Error = &self.0;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        write!(f, "{innermost}")
    }
}

impl std::error::Error for Transport {}

fn reason(source: &reqwest::Error) -> &'static str {
    if source.is_timeout() {
        ": nothing came for too long"
    } else if source.is_connect() {
        ": no connection"
    } else {
        ""
    }
}
