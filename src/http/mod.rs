//! HTTP: one request, one answer. The only user of the HTTP crate. It owns TLS roots, timeouts, redirects
//! and the rule that credentials stay with the scheme, host and port that they were given for. It knows
//! nothing of registries.
//!
//! HTTP/1.1 only: nothing here needs more than a handful of requests on a connection, and large downloads
//! over HTTP/2 stall on some object stores (github.com/hyperium/h2/issues/867).

mod authorization;
pub mod content_range;
pub mod direct;
mod error;
mod form;
mod identity;
mod pace;
mod proxy;
mod redirect;
mod response;
pub mod retry;
mod roots;
mod whole;

use std::sync::Arc;
use std::time::Duration;

pub use self::authorization::Authorization;
pub use self::error::{Error, Transport};
pub use self::identity::{Identity, IdentityError};
pub use self::proxy::{Proxies, ProxyError};
pub use self::response::Response;
pub use self::roots::{Roots, RootsError};
pub use self::whole::Whole;
pub use reqwest::StatusCode;
pub use reqwest::header;

use reqwest::header::{HeaderMap, HeaderValue};
use url::Url;

use self::retry::{Backoff, Failure, Policy};
use crate::safe_url::SafeUrl;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("hocker/", env!("CARGO_PKG_VERSION"));

/// Sends requests over a pool of connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    inner: reqwest::Client,
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
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            stall_timeout: Duration::from_secs(60),
            proxies: Proxies::default(),
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
    /// Where a token is asked for, the URL of the registry that sent the client for it: redirects are then held
    /// to what it may name as its token service.
    pub for_token_of: Option<Url>,
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
            for_token_of: None,
        }
    }
}

impl Client {
    /// A client that trusts `roots`.
    pub fn new(roots: Roots, settings: Settings) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::Tls)?
            .with_root_certificates(roots.into_store())
            .with_no_client_auth();
        // A server that has only another protocol then says so, instead of speaking it.
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(settings.stall_timeout);
        for proxy in settings.proxies.clone().into_list()? {
            builder = builder.proxy(proxy);
        }
        builder
            .build()
            .map(|inner| Self { inner, settings })
            .map_err(Error::Client)
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
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let mut backoff = Backoff::new(self.settings.policy.clone());
        loop {
            let outcome = self.send_once(&request).await;
            if !backoff.pause(Failure::of(&outcome), None).await {
                return outcome;
            }
        }
    }

    /// Sends a request once, and follows redirects.
    pub async fn send_once(&self, request: &Request) -> Result<Response, Error> {
        let mut url = request.url.clone();
        let mut authorization = request.authorization.as_ref();
        for _ in 0..=redirect::LIMIT {
            let response = self.round_trip(request, &url, authorization).await?;
            match redirect::target(request, &url, &response)? {
                Some(target) => url = target,
                None => return response.unencoded(),
            }
            // Once lost, they are not found again: another host would say what they are used for
            // (CVE-2024-45336 is that mistake).
            authorization = authorization.filter(|_| redirect::same_origin(&url, &request.url));
        }
        Err(Error::TooManyRedirects {
            url: SafeUrl::new(&request.url),
            limit: redirect::LIMIT,
        })
    }

    async fn round_trip(
        &self,
        request: &Request,
        url: &Url,
        authorization: Option<&Authorization>,
    ) -> Result<Response, Error> {
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
        let response = self
            .inner
            .request(method, url.clone())
            .headers(headers)
            .send()
            .await
            .map_err(|source| Error::send(url, source))?;
        Ok(self.response(url, response))
    }

    fn response(&self, url: &Url, inner: reqwest::Response) -> Response {
        Response::new(url.clone(), inner, self.settings.stall_timeout)
    }
}
