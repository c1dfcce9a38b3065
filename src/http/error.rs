//! What can go wrong between a request and the end of its answer.

use std::fmt;
use std::io;
use std::net::IpAddr;

use rustls::AlertDescription;
use url::Url;

use super::resolver::ForbiddenAddress;
use super::tls_problem::{TlsProblem, words};
use super::{HostCertificatesError, ProxyError, Refusal, StatusCode};
use crate::class::Class;
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
    /// What should be asked for is no address.
    #[error("cannot make the URL of the request")]
    Address(#[source] url::ParseError),
    /// A proxy cannot be used.
    #[error("cannot use the proxy")]
    Proxy(#[from] ProxyError),
    /// The host's own certificates cannot be used.
    #[error(transparent)]
    HostCertificates(#[from] HostCertificatesError),
    /// No connection, or no answer on it.
    #[error("no response from {url}{}", source.reason())]
    Send {
        /// What was asked.
        url: SafeUrl,
        /// What went wrong.
        #[source]
        source: Transport,
    },
    /// The answer's body broke off.
    #[error("the response from {url} ended with an error{}", source.reason())]
    Body {
        /// What was asked.
        url: SafeUrl,
        /// What went wrong.
        #[source]
        source: Transport,
    },
    /// A body larger than it may be.
    #[error("the response from {url} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked.
        url: SafeUrl,
        /// The limit in bytes.
        limit: usize,
    },
    /// An encoding that was not asked for.
    #[error(
        "the response from {url} has the `Content-Encoding` {encoding}, which hocker did not request"
    )]
    Encoded {
        /// What was asked.
        url: SafeUrl,
        /// The encoding.
        encoding: String,
    },
    /// Hardly a byte for a long time.
    #[error("the response from {url} stalled: {received} bytes in {seconds} s")]
    Stalled {
        /// What was asked.
        url: SafeUrl,
        /// What came in the end.
        received: u64,
        /// In this time.
        seconds: u64,
    },
    /// A document that took too long as a whole.
    #[error("the response from {url} is not complete after {seconds} s")]
    TooSlow {
        /// What was asked.
        url: SafeUrl,
        /// The limit.
        seconds: u64,
    },
    /// A body that ended before its length.
    #[error("the response from {url} ended early")]
    EndedEarly {
        /// What was asked.
        url: SafeUrl,
    },
    /// A redirect to where no server may send the client.
    #[error("{url} redirects to {target}{purpose}, {refusal}")]
    Redirect {
        /// What was asked.
        url: SafeUrl,
        /// Where it leads.
        target: SafeUrl,
        /// What was asked for, if that makes a difference, after a space.
        purpose: &'static str,
        /// Why it is not followed.
        refusal: Refusal,
    },
    /// A redirect that goes nowhere.
    #[error("{url} answers {status} without a usable `Location`")]
    Location {
        /// What was asked.
        url: SafeUrl,
        /// The redirect's status.
        status: StatusCode,
    },
    /// A server's name for an address that no server may send the client to.
    #[error("{url} is at {address}, an internal address that is not the registry's own")]
    ForbiddenAddress {
        /// What was to be asked.
        url: SafeUrl,
        /// Its address.
        address: IpAddr,
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
    #[error("the credentials for {url} contain characters that a header cannot contain")]
    Authorization {
        /// Whom they are for.
        url: SafeUrl,
    },
}

impl Error {
    pub(super) fn send(url: &Url, source: reqwest::Error) -> Self {
        if let Some(ForbiddenAddress { address }) = find(&source) {
            return Self::ForbiddenAddress {
                url: SafeUrl::new(url),
                address: *address,
            };
        }
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

    pub(super) fn too_many_redirects(url: &Url, limit: usize) -> Self {
        Self::TooManyRedirects {
            url: SafeUrl::new(url),
            limit,
        }
    }

    /// The kind of failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Send { .. } => Class::Unavailable,
            error if error.is_transient() => Class::Unavailable,
            Self::TooLarge { .. }
            | Self::Location { .. }
            | Self::Redirect { .. }
            | Self::ForbiddenAddress { .. }
            | Self::Encoded { .. }
            | Self::TooManyRedirects { .. } => Class::Unsupported,
            _ => Class::Other,
        }
    }

    /// Whether the same request may succeed later. A certificate that is wrong stays wrong.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Send { source, .. } => !source.is_tls(),
            Self::Body { .. }
            | Self::Stalled { .. }
            | Self::TooSlow { .. }
            | Self::EndedEarly { .. } => true,
            _ => false,
        }
    }

    /// What went wrong, in few words.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Send { source, .. } | Self::Body { source, .. } if source.0.is_timeout() => {
                "no data arrived before the timeout".to_owned()
            }
            Self::Send { source, .. } if source.is_protocol() => {
                "the response is not HTTP/1.1".to_owned()
            }
            Self::Send { source, .. } | Self::Body { source, .. } => source.to_string(),
            Self::TooSlow { .. } => "the response took too long".to_owned(),
            Self::Stalled { .. } => "the connection stalled".to_owned(),
            Self::EndedEarly { .. } => "the response ended early".to_owned(),
            other => other.to_string(),
        }
    }

    /// Whether a server sends the client to where it may go for a blob if the user allows it.
    #[must_use]
    pub fn can_be_allowed(&self) -> bool {
        match self {
            Self::Redirect { refusal, .. } => *refusal != Refusal::UserInformation,
            Self::ForbiddenAddress { .. } => true,
            _ => false,
        }
    }

    /// Whether the host's certificate is not trusted.
    #[must_use]
    pub fn is_certificate(&self) -> bool {
        self.tls_problem().is_some_and(TlsProblem::is_of_the_server)
    }

    /// What is wrong where TLS could not be agreed on.
    #[must_use]
    pub fn tls_problem(&self) -> Option<TlsProblem> {
        match self {
            Self::Send { source, .. } => TlsProblem::of(tls_error(&source.0)?),
            _ => None,
        }
    }

    /// Whether the host speaks something else than HTTP/1.1.
    #[must_use]
    pub fn is_protocol(&self) -> bool {
        matches!(self, Self::Send { source, .. } if source.is_protocol())
    }

    /// Whether a host that was asked by http ended the connection without an answer, as many do that expect TLS.
    #[must_use]
    pub fn is_cut_off_http(&self) -> bool {
        matches!(self, Self::Send { url, source } if !url.is_https() && source.is_cut_off())
    }

    /// Whether a proxy is in the way: it cannot be reached, or opens no tunnel.
    #[must_use]
    pub fn is_tunnel(&self) -> bool {
        matches!(self, Self::Send { source, .. } if is_tunnel(&source.0))
    }

    /// Whether the operating system does not let this user connect: to a socket of somebody else's.
    #[must_use]
    pub fn is_permission(&self) -> bool {
        matches!(self, Self::Send { source, .. } if source.io_kind() == Some(io::ErrorKind::PermissionDenied))
    }

    /// Whether nobody was there to connect to.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Send { source, .. } if source.0.is_connect())
    }

    /// The same where a redirect would have led elsewhere.
    #[must_use]
    pub fn is_connect_to(&self, host: &Url) -> bool {
        self.is_connect() && matches!(self, Self::Send { url, .. } if url.is_at(host))
    }

    /// Whether a host that was asked by https could not be talked to at all, and no proxy was in the way.
    #[must_use]
    pub fn is_https_connect(&self) -> bool {
        !self.is_tunnel()
            && matches!(self, Self::Send { url, source } if source.0.is_connect() && url.is_https())
    }
}

/// An error of the HTTP crate. It wraps the one that says something (a refused connection, a certificate) in
/// several that do not, and names the URL with its query, which may hold a signature; so only the innermost
/// is shown.
#[derive(Debug)]
pub struct Transport(reqwest::Error);

impl Transport {
    fn innermost(&self) -> &(dyn std::error::Error + 'static) {
        let mut innermost: &(dyn std::error::Error + 'static) = &self.0;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        innermost
    }

    fn reason(&self) -> &'static str {
        if is_tunnel(&self.0) {
            ": no connection through the proxy"
        } else if self.0.is_timeout() {
            ": no data arrived before the timeout"
        } else if self.is_without_tls() {
            ": the server does not speak TLS"
        } else if self.is_protocol() {
            ": the server does not speak HTTP/1.1"
        } else if self.0.is_connect() {
            ": no connection"
        } else {
            ""
        }
    }

    /// Whether what came makes no sense as HTTP/1.1, or TLS was told that nobody there speaks it.
    fn is_protocol(&self) -> bool {
        let no_alpn = rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol);
        let parse = |error: &hyper::Error| error.is_parse() && !error.is_parse_too_large();
        tls_error(&self.0) == Some(&no_alpn) || find(&self.0).is_some_and(parse)
    }

    /// Whether the connection was there and ended before the answer.
    fn is_cut_off(&self) -> bool {
        let is_reset = self.io_kind() == Some(io::ErrorKind::ConnectionReset);
        !self.0.is_connect()
            && (is_reset || find(&self.0).is_some_and(hyper::Error::is_incomplete_message))
    }

    /// Whether what came makes no sense as TLS, as an answer by plain http does not.
    fn is_without_tls(&self) -> bool {
        matches!(tls_error(&self.0), Some(rustls::Error::InvalidMessage(_)))
    }

    /// What the operating system calls it, where it has to do with that.
    fn io_kind(&self) -> Option<io::ErrorKind> {
        self.innermost()
            .downcast_ref::<io::Error>()
            .map(io::Error::kind)
    }

    /// Whether TLS could not be agreed on.
    fn is_tls(&self) -> bool {
        tls_error(&self.0).is_some()
    }
}

/// Looks for an error of TLS in a chain. An I/O error does not give the error that it holds as its source, but
/// that one's.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let held = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    error
        .downcast_ref::<rustls::Error>()
        .or_else(|| tls_error(held?))
        .or_else(|| tls_error(error.source()?))
}

/// Looks for an error of one type in a chain.
fn find<'a, T: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a T> {
    error.downcast_ref().or_else(|| find(error.source()?))
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match tls_error(&self.0) {
            Some(error) => f.write_str(&words(error)),
            None => write!(f, "{}", self.innermost()),
        }
    }
}

impl std::error::Error for Transport {}

/// Looks for a proxy's refusal in a chain. Its types are not public, so that only their words tell.
fn is_tunnel(error: &(dyn std::error::Error + 'static)) -> bool {
    let text = error.to_string();
    text.starts_with("tunnel error")
        || text == "error connecting to socks proxy"
        || error.source().is_some_and(is_tunnel)
}
