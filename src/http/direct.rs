//! Requests to one server that was named outright: a daemon on a socket of this machine, or on a port. No
//! redirects, no proxies; bodies are sent, and what a request changes is never asked for twice.

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

/// Where the server is.
#[derive(Debug)]
pub enum Target {
    /// A socket in the filesystem.
    Socket(PathBuf),
    /// A port, without TLS.
    Plain(Url),
    /// A port with TLS.
    Tls(Box<TlsTarget>),
}

/// A port with TLS.
#[derive(Debug)]
pub struct TlsTarget {
    /// Where.
    pub url: Url,
    /// Whom to believe that it is the server.
    pub roots: Roots,
    /// Who this client says it is.
    pub identity: Option<Identity>,
}

/// Sends requests to one server.
#[derive(Clone, Debug)]
pub struct Direct {
    inner: reqwest::Client,
    base: Url,
    settings: Settings,
}

/// What to do with the thing that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Read it. Failures to connect are tried again.
    Get,
    /// Change it.
    Post,
    /// Remove it.
    Delete,
}

impl Direct {
    /// A client for the server behind `target`.
    pub fn new(target: Target, settings: Settings) -> Result<Self, Error> {
        let builder = reqwest::Client::builder()
            .http1_only()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT);
        let (builder, base, tls) = match target {
            Target::Socket(path) => {
                // No such host is ever looked up; it only stands in the request's `Host`.
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

    /// Sends a request without a body, and reads an answer of at most `limit` bytes. Everything together may
    /// take as long as the stall timeout.
    pub async fn ask(
        &self,
        verb: Verb,
        path: &str,
        limit: usize,
    ) -> Result<BufferedResponse, Error> {
        let mut backoff = Backoff::new(self.settings.policy.clone());
        loop {
            let outcome = self.ask_once(verb, path, limit).await;
            let failure = match &outcome {
                Err(error) if verb == Verb::Get && !error.is_permission() => {
                    Failure::of_error(error)
                }
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
            let response = self
                .inner
                .request(method(verb), url.clone())
                .send()
                .await
                .map_err(|source| Error::send(&url, source))?;
            let response = Response::new(url.clone(), response, timeout);
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

    /// Posts a body that is made while it is sent, and gives the answer as soon as it begins. An error in the
    /// body breaks the request off. There is no limit of time: what the server does with a large body takes long. One
    /// whose machine is gone is noticed within a minute, by the keepalive of TCP that reqwest sets.
    pub async fn upload(
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
        // Nor is an answer late that comes word by word.
        Ok(Response::new(url, response, Duration::MAX))
    }

    /// For how long a server may be silent.
    #[must_use]
    pub fn stall_timeout(&self) -> Duration {
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
