//! HTTP: one request, one answer. The only user of the HTTP crate. It owns TLS roots, timeouts, redirects
//! and the rule that credentials stay with the scheme, host and port that they were given for. It knows
//! nothing of registries.
//!
//! Which requests share a connection is what [`ConnectionUse`] says.

mod admission;
mod allowed_networks;
mod authorization;
mod buffered;
mod certs_d;
pub mod content_range;
pub mod direct;
mod error;
mod form;
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

/// Sends requests over a pool of connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    pool: Arc<Pool>,
    settings: Settings,
}

/// What users can adjust.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How stubborn the client is.
    pub policy: Policy,
    /// Without a byte, or with hardly any, for this long an answer counts as stalled.
    pub stall_timeout: Duration,
    /// Through which proxies to go.
    pub proxies: Proxies,
    /// Where registries may keep blobs though it is an internal address, or not https.
    pub blob_stores: Vec<Url>,
    /// Where hosts have certificates of their own.
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

/// The methods that reading needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The content.
    Get,
    /// The headers alone.
    Head,
}

/// What to send.
#[derive(Clone, Debug)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Headers that may follow a redirect to any host.
    pub headers: HeaderMap,
    /// What only the host of `url` may see.
    pub authorization: Option<Authorization>,
    /// The registry on whose behalf it is sent, which may be elsewhere than `url`.
    pub registry: Option<Endpoint>,
    /// What for.
    pub purpose: Purpose,
    /// On which connection at the first try. Later ones have their own.
    pub connection: ConnectionUse,
}

/// What a request is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// A document, or just an answer.
    #[default]
    Document,
    /// Content that is held against its digest, however it comes.
    Blob,
    /// The same from a place that a manifest names.
    ForeignBlob,
    /// A token for this registry: redirects are held to what it may name as its token service.
    Token(Box<Endpoint>),
}

impl Purpose {
    /// Whether the answer is held against a digest.
    fn is_blob(&self) -> bool {
        matches!(self, Self::Blob | Self::ForeignBlob)
    }
}

impl Request {
    /// A plain GET.
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
    /// A client that trusts `roots`.
    #[must_use]
    pub fn new(roots: Roots, settings: Settings) -> Self {
        Self {
            pool: Arc::new(Pool::new(roots, settings.clone())),
            settings,
        }
    }

    /// The same, with this many failures in a row that are retried.
    #[must_use]
    pub fn with_retries(&self, retries: u32) -> Self {
        let mut client = self.clone();
        client.settings.policy.retries = retries;
        client
    }

    /// What users can adjust.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sends a request until it has an answer that is worth having, or for as long as the policy says.
    /// Redirects are followed; any other status is an answer.
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

    /// Sends a request once, and follows redirects.
    pub async fn send_once(&self, request: &Request) -> Result<Response, Error> {
        let mut hop = self.first_hop(request);
        let mut authorization = request.authorization.as_ref();
        for _ in 0..=redirect::LIMIT {
            let response = self.round_trip(request, &hop, authorization).await?;
            match redirect::target(&hop.url, &response)? {
                Some(target) => hop = self.follow(request, hop, target)?,
                // The digest of a blob decides; some object stores say of one how it was once uploaded.
                None if request.purpose.is_blob() => return Ok(response),
                None => return response.unencoded(),
            }
            // Once lost, they are not found again: another host would say what they are used for
            // (CVE-2024-45336 is that mistake).
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
        // Digests are over the bytes as they are stored.
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
        // The one name that resolves to an address inside on every machine. As a redirect it is refused before that.
        let request = Request {
            registry: Some("https://r.example".parse().unwrap()),
            ..Request::get("http://localhost:9/x".parse().unwrap())
        };
        let error = client.send(request).await.unwrap_err();
        assert!(matches!(error, Error::ForbiddenAddress { .. }), "{error}");
        assert!(error.can_be_allowed());
    }
}
