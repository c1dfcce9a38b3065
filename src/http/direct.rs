//! Requests to one given server, such as a daemon on a Unix socket or a port: without redirects and proxies. A request
//! that changes something is never retried.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use url::Url;

use super::buffered::BufferedResponse;
use super::identity::Identity;
use super::retry::{Backoff, Failure};
use super::{CONNECT_TIMEOUT, Error, Response, Roots, Settings, USER_AGENT, tls};
use crate::safe_url::SafeUrl;

/// The address of the server.
#[derive(Debug)]
pub(crate) enum Target {
    /// A Unix socket.
    Socket(PathBuf),
    /// A TCP port, without TLS.
    Plain(Url),
    /// A TCP port with TLS.
    Tls(Box<TlsTarget>),
}

/// A TCP port with TLS.
#[derive(Debug)]
pub(crate) struct TlsTarget {
    /// The URL of the server.
    pub url: Url,
    /// The authorities that may issue the server's certificate.
    pub roots: Roots,
    /// The client certificate, if any.
    pub identity: Option<Identity>,
}

/// A client for one server.
#[derive(Clone, Debug)]
pub(crate) struct Direct {
    inner: reqwest::Client,
    base: Url,
    settings: Settings,
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Reads the resource. Transient failures are retried.
    Get,
    /// Changes the resource. Never retried.
    Post,
    /// Removes the resource. Never retried.
    Delete,
}

impl Direct {
    /// Creates a client for the server at `target`.
    pub(crate) fn new(target: Target, settings: Settings) -> Result<Self, Error> {
        let builder = reqwest::Client::builder()
            .http1_only()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT);
        let (builder, base, tls) = match target {
            Target::Socket(path) => {
                // This host is not resolved; it only appears in the `Host` header.
                let base = Url::parse("http://localhost/").map_err(Error::Address)?;
                (builder.unix_socket(path), base, tls::unused()?)
            }
            Target::Plain(url) => (builder, url, tls::unused()?),
            Target::Tls(target) => (
                builder,
                target.url,
                tls::config(target.roots, target.identity)?,
            ),
        };
        builder
            .tls_backend_preconfigured(tls)
            .build()
            .map(|inner| Self {
                inner,
                base,
                settings,
            })
            .map_err(Error::Client)
    }

    /// Sends a request without a body, and reads a response of at most `limit` bytes. The stall timeout limits the
    /// whole exchange.
    pub(crate) async fn ask(
        &self,
        verb: Verb,
        path: &str,
        limit: usize,
    ) -> Result<BufferedResponse, Error> {
        let mut backoff = Backoff::new(self.settings.policy.clone());
        loop {
            let outcome = self.ask_once(verb, path, limit).await;
            let failure = match &outcome {
                // A daemon that restarts refuses connections, but its socket exists.
                Err(error) if error.is_permission() || error.is_absent_socket() => None,
                Err(error) if verb == Verb::Get => Failure::of_error(error),
                _ => None,
            };
            if !backoff.pause(failure, None).await {
                return outcome;
            }
        }
    }

    async fn ask_once(
        &self,
        verb: Verb,
        path: &str,
        limit: usize,
    ) -> Result<BufferedResponse, Error> {
        let url = self.url(path)?;
        let timeout = self.settings.stall_timeout;
        let exchange = async {
            let response = self.send(verb, url.clone(), timeout).await?;
            Ok(BufferedResponse {
                status: response.status(),
                headers: response.headers().clone(),
                body: response.bytes(limit).await?,
            })
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::Stalled {
                url: SafeUrl::new(&url),
                received: 0,
                seconds: timeout.as_secs(),
            }),
        }
    }

    /// Sends a request without a body, and returns the response when its headers arrive. There is no timeout, as for
    /// [`upload`](Self::upload).
    pub(crate) async fn begin(&self, verb: Verb, path: &str) -> Result<Response, Error> {
        self.send(verb, self.url(path)?, Duration::MAX).await
    }

    /// Sends a request without a body. The response counts as stalled after `timeout` without data.
    async fn send(&self, verb: Verb, url: Url, timeout: Duration) -> Result<Response, Error> {
        let response = self
            .inner
            .request(method(verb), url.clone())
            .send()
            .await
            .map_err(|source| Error::send(&url, source))?;
        Ok(Response::new(url, response, timeout))
    }

    /// Posts a body that is produced while it is sent. Returns the response when its headers arrive. An error in the
    /// body aborts the request. There is no timeout, because the server may need a long time for a large body. TCP
    /// keepalive, which reqwest enables, detects a lost machine within a minute.
    pub(crate) async fn upload(
        &self,
        path: &str,
        content_type: &'static str,
        body: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<Response, Error> {
        let url = self.url(path)?;
        let response = self
            .inner
            .post(url.clone())
            .header(reqwest::header::CONTENT_TYPE, content_type)
            .body(reqwest::Body::wrap_stream(body))
            .send()
            .await
            .map_err(|source| Error::send(&url, source))?;
        // No timeout between the parts of the response either.
        Ok(Response::new(url, response, Duration::MAX))
    }

    /// Returns the time without data after which a response counts as stalled.
    #[must_use]
    pub(crate) fn stall_timeout(&self) -> Duration {
        self.settings.stall_timeout
    }

    fn url(&self, path: &str) -> Result<Url, Error> {
        self.base.join(path).map_err(Error::Address)
    }
}

fn method(verb: Verb) -> reqwest::Method {
    match verb {
        Verb::Get => reqwest::Method::GET,
        Verb::Post => reqwest::Method::POST,
        Verb::Delete => reqwest::Method::DELETE,
    }
}
