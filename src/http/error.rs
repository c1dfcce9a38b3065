//! The errors of HTTP requests and responses.

use std::fmt;
use std::io;
use std::net::IpAddr;

use rustls::AlertDescription;
use url::Url;

use super::resolver::{ForbiddenAddress, UnknownHost};
use super::tls_problem::{TlsProblem, words};
use super::{HostCertificatesError, ProxyError, Refusal, StatusCode};
use crate::class::Class;
use crate::safe_url::SafeUrl;

/// A request without a usable response.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// The client cannot be set up.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The URL of the request is not valid.
    #[error("cannot make the URL of the request")]
    Address(#[source] url::ParseError),
    /// A proxy cannot be used.
    #[error("cannot use the proxy")]
    Proxy(#[from] ProxyError),
    /// The files in the host's directory of certificates cannot be used.
    #[error(transparent)]
    HostCertificates(#[from] HostCertificatesError),
    /// No connection, or no response on the connection.
    #[error("no response from {url}{}", source.reason())]
    Send {
        /// The URL of the request.
        url: SafeUrl,
        /// The error of the HTTP crate.
        #[source]
        source: Transport,
    },
    /// The body of the response ended with an error.
    #[error("the response from {url} ended with an error{}", source.reason())]
    Body {
        /// The URL of the request.
        url: SafeUrl,
        /// The error of the HTTP crate.
        #[source]
        source: Transport,
    },
    /// The body is larger than the limit.
    #[error("the response from {url} is larger than {limit} bytes")]
    TooLarge {
        /// The URL of the request.
        url: SafeUrl,
        /// The limit in bytes.
        limit: usize,
    },
    /// The body has an encoding that hocker did not request.
    #[error(
        "the response from {url} has the `Content-Encoding` {encoding}, which hocker did not request"
    )]
    Encoded {
        /// The URL of the request.
        url: SafeUrl,
        /// The encoding.
        encoding: String,
    },
    /// Too little data arrived.
    #[error("the response from {url} stalled: {received} bytes in {seconds} s")]
    Stalled {
        /// The URL of the request.
        url: SafeUrl,
        /// The number of bytes in the last period.
        received: u64,
        /// The length of the period in seconds.
        seconds: u64,
    },
    /// A whole document took too long.
    #[error("the response from {url} is not complete after {seconds} s")]
    TooSlow {
        /// The URL of the request.
        url: SafeUrl,
        /// The limit.
        seconds: u64,
    },
    /// The body ended before its announced length.
    #[error("the response from {url} ended early")]
    EndedEarly {
        /// The URL of the request.
        url: SafeUrl,
    },
    /// A redirect to a URL that a server may not name.
    #[error("{url} redirects to {target}{purpose}, {refusal}")]
    Redirect {
        /// The URL of the request.
        url: SafeUrl,
        /// The target of the redirect.
        target: SafeUrl,
        /// The purpose of the request with a leading space, if it matters.
        purpose: &'static str,
        /// The reason why the redirect is not followed.
        refusal: Refusal,
    },
    /// A redirect without a valid target.
    #[error("{url} answers {status} without a usable `Location`")]
    Location {
        /// The URL of the request.
        url: SafeUrl,
        /// The redirect's status.
        status: StatusCode,
    },
    /// A host name that resolves to an address in a network to which a server may not send the client.
    #[error("{url} is at {address}, an internal address that is not the registry's own")]
    ForbiddenAddress {
        /// The URL of the request.
        url: SafeUrl,
        /// The address.
        address: IpAddr,
    },
    /// More redirects than the limit, probably a loop.
    #[error("{url} redirects more than {limit} times")]
    TooManyRedirects {
        /// The first URL.
        url: SafeUrl,
        /// The limit.
        limit: usize,
    },
    /// The user name or token contains characters that a header cannot contain.
    #[error("the credentials for {url} contain characters that a header cannot contain")]
    Authorization {
        /// The URL for which they are.
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

    /// Returns the class of the error.
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

    /// Returns whether this is a transient failure. An invalid certificate is not.
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

    /// Returns a short description for a message about a retry.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Send { source, .. } | Self::Body { source, .. } if source.0.is_timeout() => {
                "no data arrived before the timeout".to_owned()
            }
            Self::Send { source, .. } if source.is_protocol() => {
                "the response is not HTTP/1.1".to_owned()
            }
            Self::Send { source, .. } if source.0.is_connect() => {
                format!("no connection: {source}")
            }
            Self::Body { source, .. } if source.is_short() => "the response ended early".to_owned(),
            Self::Send { source, .. } | Self::Body { source, .. } => source.to_string(),
            Self::TooSlow { .. } => "the response took too long".to_owned(),
            Self::Stalled { .. } => "the connection stalled".to_owned(),
            Self::EndedEarly { .. } => "the response ended early".to_owned(),
            other => other.to_string(),
        }
    }

    /// Returns whether the user can allow the URL to which the server sends the client, if it is for a blob.
    #[must_use]
    pub fn can_be_allowed(&self) -> bool {
        match self {
            Self::Redirect { refusal, .. } => *refusal != Refusal::UserInformation,
            Self::ForbiddenAddress { .. } => true,
            _ => false,
        }
    }

    /// Returns the reason why a TLS connection failed.
    #[must_use]
    pub fn tls_problem(&self) -> Option<TlsProblem> {
        match self {
            Self::Send { source, .. } => TlsProblem::of(tls_error(&source.0)?),
            _ => None,
        }
    }

    /// Returns whether the server does not speak HTTP/1.1.
    #[must_use]
    pub fn is_protocol(&self) -> bool {
        matches!(self, Self::Send { source, .. } if source.is_protocol())
    }

    /// Returns whether a server ended a plain http connection without a response. Many servers that expect TLS do this.
    #[must_use]
    pub fn is_cut_off_http(&self) -> bool {
        matches!(self, Self::Send { url, source } if !url.is_https() && source.is_cut_off())
    }

    /// Returns whether the proxy is the cause: hocker cannot reach it, or it refuses the connection to the server.
    #[must_use]
    pub fn is_tunnel(&self) -> bool {
        matches!(self, Self::Send { source, .. } if is_tunnel(&source.0))
    }

    /// Returns whether the operating system denies the connection, for example to another user's socket.
    #[must_use]
    pub fn is_permission(&self) -> bool {
        matches!(self, Self::Send { source, .. } if source.io_kind() == Some(io::ErrorKind::PermissionDenied))
    }

    /// Returns whether there is no such socket in the file system.
    #[must_use]
    pub fn is_absent_socket(&self) -> bool {
        matches!(self, Self::Send { source, .. } if source.io_kind() == Some(io::ErrorKind::NotFound))
    }

    /// Returns whether no connection was made.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Send { source, .. } if source.0.is_connect())
    }

    /// Returns whether no connection was made to `host`. A redirect may lead to another host.
    #[must_use]
    pub fn is_connect_to(&self, host: &Url) -> bool {
        self.is_connect() && matches!(self, Self::Send { url, .. } if url.is_at(host))
    }

    /// Returns whether the name of the server, or of the proxy, has no address.
    #[must_use]
    pub fn is_unknown_host(&self) -> bool {
        matches!(self, Self::Send { source, .. } if find::<UnknownHost>(&source.0).is_some())
    }

    /// Returns whether no https connection was made to a machine that is in reach, and no proxy is the cause. The server
    /// may speak plain http, on this port or on another one.
    #[must_use]
    pub fn is_https_connect(&self) -> bool {
        !self.is_tunnel()
            && !self.is_unknown_host()
            && matches!(self, Self::Send { url, source }
                if source.0.is_connect() && url.is_https() && !source.is_unreachable())
    }
}

/// An error of the HTTP crate. `Display` shows only the innermost error, such as a refused connection: the outer errors
/// add no information, and they contain the URL with its query, which may be secret.
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

    /// Returns whether the response is not HTTP/1.1, or the server refuses HTTP/1.1 in the TLS handshake.
    fn is_protocol(&self) -> bool {
        let no_alpn = rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol);
        let parse = |error: &hyper::Error| error.is_parse() && !error.is_parse_too_large();
        tls_error(&self.0) == Some(&no_alpn) || find(&self.0).is_some_and(parse)
    }

    /// Returns whether the connection was made, but ended before the response.
    fn is_cut_off(&self) -> bool {
        let is_reset = self.io_kind() == Some(io::ErrorKind::ConnectionReset);
        !self.0.is_connect()
            && (is_reset || find(&self.0).is_some_and(hyper::Error::is_incomplete_message))
    }

    /// Returns whether the connection ended before the announced length of the body.
    fn is_short(&self) -> bool {
        !self.0.is_connect() && self.io_kind() == Some(io::ErrorKind::UnexpectedEof)
    }

    /// Returns whether the server's data is not TLS, for example a plain http response.
    fn is_without_tls(&self) -> bool {
        matches!(tls_error(&self.0), Some(rustls::Error::InvalidMessage(_)))
    }

    /// Returns whether no machine answers at the address.
    fn is_unreachable(&self) -> bool {
        self.0.is_timeout()
            || matches!(
                self.io_kind(),
                Some(
                    io::ErrorKind::NetworkUnreachable
                        | io::ErrorKind::HostUnreachable
                        | io::ErrorKind::NetworkDown
                        | io::ErrorKind::TimedOut
                )
            )
    }

    /// Returns the kind of the operating system's error, if it is one.
    fn io_kind(&self) -> Option<io::ErrorKind> {
        self.innermost()
            .downcast_ref::<io::Error>()
            .map(io::Error::kind)
    }

    /// Returns whether the TLS handshake failed.
    fn is_tls(&self) -> bool {
        tls_error(&self.0).is_some()
    }
}

/// Finds a TLS error in a chain of errors. The source of an I/O error is not the error inside it but the source of that
/// error, so both are searched.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let held = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    error
        .downcast_ref::<rustls::Error>()
        .or_else(|| tls_error(held?))
        .or_else(|| tls_error(error.source()?))
}

/// Finds an error of type `T` in a chain of errors.
fn find<'a, T: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a T> {
    error.downcast_ref().or_else(|| find(error.source()?))
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match tls_error(&self.0) {
            Some(error) => f.write_str(&words(error)),
            None if self.is_short() => f.write_str("the connection ended early"),
            None => write!(f, "{}", self.innermost()),
        }
    }
}

impl std::error::Error for Transport {}

/// Finds an error of a proxy in a chain of errors. Its type is not public, so the text is compared.
fn is_tunnel(error: &(dyn std::error::Error + 'static)) -> bool {
    let text = error.to_string();
    text.starts_with("tunnel error")
        || text == "error connecting to socks proxy"
        || error.source().is_some_and(is_tunnel)
}
