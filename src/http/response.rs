//! Responses: status, headers, and a body that is read in pieces or up to a limit.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{AsHeaderName, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use url::Url;

use super::Error;
use super::pace::{Pace, Stall};
use super::pool::SmallBlobPermit;
use crate::oci::media_type::MediaType;
use crate::safe_url::SafeUrl;

/// A response whose body was not read yet.
#[derive(Debug)]
pub struct Response {
    url: Url,
    inner: reqwest::Response,
    pace: Pace,
    _permit: SmallBlobPermit,
}

impl Response {
    /// Wraps a response. A body with too little data in `window` counts as stalled.
    pub(super) fn new(url: Url, inner: reqwest::Response, window: Duration) -> Self {
        Self {
            url,
            inner,
            pace: Pace::new(window),
            _permit: None,
        }
    }

    /// Keeps a permit until the response is dropped.
    pub(super) fn with_permit(self, permit: SmallBlobPermit) -> Self {
        Self {
            _permit: permit,
            ..self
        }
    }

    /// Refuses an encoded body. Digests are those of the stored bytes, so hocker requests no encoding.
    pub(super) fn unencoded(self) -> Result<Self, Error> {
        match self.header(CONTENT_ENCODING) {
            Some(encoding)
                if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") =>
            {
                Err(Error::Encoded {
                    url: SafeUrl::new(&self.url),
                    encoding: encoding.chars().take(40).collect(),
                })
            }
            _ => Ok(self),
        }
    }

    /// Returns the URL of the response, after redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// Returns all headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// Returns the first value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.inner.headers().get(name)?.to_str().ok()
    }

    /// Returns all values of a header. Bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn texts(&self, name: impl AsHeaderName) -> Vec<String> {
        let values = self.inner.headers().get_all(name).into_iter();
        values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect()
    }

    /// Returns the `Content-Type`.
    #[must_use]
    pub fn media_type(&self) -> Option<MediaType> {
        self.header(CONTENT_TYPE).map(MediaType::new)
    }

    /// Returns the length of the body in bytes, if the response states it.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.inner.content_length()
    }

    /// Returns the next piece of the body; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = self
            .inner
            .chunk()
            .await
            .map_err(|source| Error::body(&self.url, source))?;
        if let Some(chunk) = &chunk {
            let stalled = |Stall { received, seconds }| Error::Stalled {
                url: SafeUrl::new(&self.url),
                received,
                seconds,
            };
            self.pace.check(chunk.len()).map_err(stalled)?;
        }
        Ok(chunk)
    }

    /// Restarts the measurement of the speed, after a time in which the body was not read.
    pub fn listen_again(&mut self) {
        self.pace.restart();
    }

    /// Reads the whole body. The stall timeout limits the whole transfer, because documents are small.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] if the body has more than `limit` bytes, [`Error::TooSlow`] after the timeout.
    pub async fn bytes(self, limit: usize) -> Result<Vec<u8>, Error> {
        let window = self.pace.window();
        let url = SafeUrl::new(&self.url);
        match tokio::time::timeout(window, self.all(limit)).await {
            Ok(body) => body,
            Err(_) => Err(Error::TooSlow {
                url,
                seconds: window.as_secs().max(1),
            }),
        }
    }

    async fn all(mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if body.len() + chunk.len() > limit {
                return Err(self.too_large(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Returns the error for a body with more than `limit` bytes.
    #[must_use]
    pub fn too_large(&self, limit: usize) -> Error {
        Error::TooLarge {
            url: SafeUrl::new(&self.url),
            limit,
        }
    }

    /// Returns up to `limit` bytes of the body for an error message; fewer if the transfer fails.
    pub async fn start_of_body(mut self, limit: usize) -> Vec<u8> {
        let mut body = Vec::new();
        let end = tokio::time::sleep(self.pace.window());
        tokio::pin!(end);
        loop {
            let chunk = tokio::select! {
                chunk = self.chunk() => chunk,
                () = &mut end => return body,
            };
            let Ok(Some(chunk)) = chunk else { return body };
            body.extend(chunk.iter().take(limit - body.len()));
            if body.len() >= limit {
                return body;
            }
        }
    }
}
