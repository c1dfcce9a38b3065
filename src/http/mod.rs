//! HTTP: requests and responses. Only this module uses the HTTP crate. It owns TLS, timeouts, retries, redirects, and
//! the rule that credentials stay with their scheme, host and port. It does not know the registry API.
//!
//! [`ConnectionUse`] defines which requests share a connection.

mod admission;
mod allowed_networks;
mod authorization;
mod buffered;
mod certs_d;
pub mod content_range;
pub(crate) mod direct;
mod error;
mod form;
#[cfg(feature = "containerd")]
pub(crate) mod grpc;
mod hop;
mod identity;
mod no_proxy;
mod pace;
mod pool;
mod proxy;
mod redirect;
mod resolver;
mod response;
pub mod retry;
mod roots;
mod tls;
mod tls_problem;
mod unknown_authority;

use std::sync::Arc;
use std::time::Duration;

pub use self::admission::{Refusal, admits};
pub use self::authorization::Authorization;
pub use self::buffered::BufferedResponse;
pub use self::certs_d::{CertsDirectories, HostCertificatesError};
pub use self::error::{Error, Transport};
#[cfg(feature = "containerd")]
pub use self::grpc::{Code as GrpcCode, Error as GrpcError, Status as GrpcStatus};
pub use self::identity::{Identity, IdentityError};
pub use self::pool::ConnectionUse;
pub use self::proxy::{Proxies, ProxyError};
pub use self::response::Response;
pub use self::roots::{Roots, RootsError, SYSTEM_BUNDLES, SYSTEM_DIRECTORIES};
pub use self::tls_problem::TlsProblem;
pub use reqwest::StatusCode;
pub use reqwest::header;

use reqwest::header::{HeaderMap, HeaderValue};
use url::Url;

use self::admission::Admission;
use self::hop::Hop;
use self::pool::Pool;
use self::retry::{Backoff, Failure, Policy};
use crate::name::endpoint::Endpoint;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("hocker/", env!("CARGO_PKG_VERSION"));

/// An HTTP client with a pool of connections. Cloning it is cheap; clones share the pool.
///
/// ```
/// use std::time::Duration;
///
/// use hocker::http::{Client, Roots, Settings};
///
/// let settings = Settings {
///     stall_timeout: Duration::from_secs(20),
///     ..Settings::default()
/// };
/// let client = Client::new(Roots::of_the_system(), settings).with_retries(2);
/// assert_eq!(client.settings().policy.retries, 2);
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    pool: Arc<Pool>,
    settings: Settings,
}

/// The settings of a client.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often transient failures are retried.
    pub policy: Policy,
    /// A response without data, or with fewer than 10 bytes per second, for this long counts as stalled.
    pub stall_timeout: Duration,
    /// The proxies to use.
    pub proxies: Proxies,
    /// Servers to which registries may redirect for blobs, even with an internal address or without https.
    pub blob_stores: Vec<Url>,
    /// The directories with certificates for single hosts.
    pub certificates: CertsDirectories,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            stall_timeout: Duration::from_secs(60),
            proxies: Proxies::default(),
            blob_stores: Vec::new(),
            certificates: CertsDirectories::default(),
        }
    }
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Requests headers and body.
    Get,
    /// Requests only the headers.
    Head,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL.
    pub url: Url,
    /// Headers. A redirect to any host repeats them.
    pub headers: HeaderMap,
    /// The `Authorization` header. Only the scheme, host and port of `url` get it.
    pub authorization: Option<Authorization>,
    /// The registry for which the request is sent. `url` may be on another server, such as a token service.
    pub registry: Option<Endpoint>,
    /// The purpose, which decides the rules for redirects.
    pub purpose: Purpose,
    /// The connection for the first attempt. Retries use a dedicated connection.
    pub connection: ConnectionUse,
}

/// The purpose of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// A document, or only a response.
    #[default]
    Document,
    /// Content that is verified against its digest.
    Blob,
    /// Content that is verified against its digest, from a URL in a manifest.
    ForeignBlob,
    /// A token for this registry. A redirect must lead to a valid token service of the registry.
    Token(Box<Endpoint>),
}

impl Purpose {
    /// Returns whether the response is verified against a digest.
    fn is_blob(&self) -> bool {
        matches!(self, Self::Blob | Self::ForeignBlob)
    }
}

impl Request {
    /// Creates a GET request without authorization.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::Get,
            url,
            headers: HeaderMap::new(),
            authorization: None,
            registry: None,
            purpose: Purpose::default(),
            connection: ConnectionUse::default(),
        }
    }
}

impl Client {
    /// Creates a client that trusts `roots`.
    #[must_use]
    pub fn new(roots: Roots, settings: Settings) -> Self {
        Self {
            pool: Arc::new(Pool::new(roots, settings.clone())),
            settings,
        }
    }

    /// Returns a client with the same connections that retries up to `retries` transient failures in a row.
    #[must_use]
    pub fn with_retries(&self, retries: u32) -> Self {
        let mut client = self.clone();
        client.settings.policy.retries = retries;
        client
    }

    /// Returns the settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sends a request, follows redirects, and retries transient failures according to the policy. Returns a response
    /// with any status.
    pub async fn send(&self, mut request: Request) -> Result<Response, Error> {
        let mut backoff = Backoff::new(self.settings.policy.clone());
        loop {
            let outcome = self.send_once(&request).await;
            if !backoff.pause(Failure::of(&outcome), None).await {
                return outcome;
            }
            request.connection = ConnectionUse::Dedicated;
        }
    }

    /// Sends a request and follows redirects, without retries. Returns a response with any status.
    pub async fn send_once(&self, request: &Request) -> Result<Response, Error> {
        let mut hop = self.first_hop(request);
        let mut authorization = request.authorization.as_ref();
        for _ in 0..=redirect::LIMIT {
            let response = self.round_trip(request, &hop, authorization).await?;
            match redirect::target(&hop.url, &response)? {
                Some(target) => hop = self.follow(request, hop, target)?,
                // The digest decides for blobs: some object stores send the `Content-Encoding` of the upload.
                None if request.purpose.is_blob() => return Ok(response),
                None => return response.unencoded(),
            }
            // After another host, a redirect back does not restore the credentials: that host chose the URL
            // (CVE-2024-45336).
            authorization =
                authorization.filter(|_| admission::same_origin(&hop.url, &request.url));
        }
        Err(Error::too_many_redirects(&request.url, redirect::LIMIT))
    }

    fn admission<'a>(&'a self, request: &'a Request) -> Admission<'a> {
        Admission {
            request,
            names: &self.pool.names,
            settings: &self.settings,
        }
    }

    async fn round_trip(
        &self,
        request: &Request,
        hop: &Hop,
        authorization: Option<&Authorization>,
    ) -> Result<Response, Error> {
        let url = &hop.url;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Head => reqwest::Method::HEAD,
        };
        let mut headers = request.headers.clone();
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization.header(url)?);
        }
        // Digests are those of the stored bytes, so a server must not compress them.
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        let connections = self.pool.connections(hop, request.connection)?;
        let permit = match request.connection {
            ConnectionUse::Shared if request.purpose.is_blob() => {
                self.pool.small_blob_permit(url).await
            }
            _ => None,
        };
        let response = connections
            .request(method, url.clone())
            .headers(headers)
            .send()
            .await
            .map_err(|source| Error::send(url, source))?;
        self.pool.record_version(url, response.version());
        Ok(self.response(url, response).with_permit(permit))
    }

    fn response(&self, url: &Url, inner: reqwest::Response) -> Response {
        Response::new(url.clone(), inner, self.settings.stall_timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_asked_for_a_registry_outside() {
        let client = Client::new(Roots::of_the_system(), Settings::default());
        // The only name that resolves to an internal address on every machine. A redirect to it is refused earlier.
        let request = Request {
            registry: Some("https://r.example".parse().unwrap()),
            ..Request::get("http://localhost:9/x".parse().unwrap())
        };
        let error = client.send(request).await.unwrap_err();
        assert!(matches!(error, Error::ForbiddenAddress { .. }), "{error}");
        assert!(error.can_be_allowed());
    }
}
