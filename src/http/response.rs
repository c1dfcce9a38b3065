//! Answers: status, headers, and a body that is read piece by piece or up to a limit, never without one.

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

/// An answer whose body has not been read yet.
#[derive(Debug)]
pub struct Response {
    url: Url,
    inner: reqwest::Response,
    pace: Pace,
    _permit: SmallBlobPermit,
}

impl Response {
    /// A body on which hardly anything comes for `window` counts as stalled.
    pub(super) fn new(url: Url, inner: reqwest::Response, window: Duration) -> Self {
        Self {
            url,
            inner,
            pace: Pace::new(window),
            _permit: None,
        }
    }

    /// The same; the turn ends with it.
    pub(super) fn with_permit(self, permit: SmallBlobPermit) -> Self {
        Self {
            _permit: permit,
            ..self
        }
    }

    /// Refuses a body that was encoded on the way though nobody asked for that: digests are over the bytes
    /// as they are stored.
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

    /// The URL that answered, after redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// A header's first value, if it is text.
    #[must_use]
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.inner.headers().get(name)?.to_str().ok()
    }

    /// All values of a header, leniently: what is not UTF-8 in one shows as U+FFFD.
    #[must_use]
    pub fn texts(&self, name: impl AsHeaderName) -> Vec<String> {
        let values = self.inner.headers().get_all(name).into_iter();
        values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect()
    }

    /// The `Content-Type`.
    #[must_use]
    pub fn media_type(&self) -> Option<MediaType> {
        self.header(CONTENT_TYPE).map(MediaType::new)
    }

    /// The length of the body in bytes, where the answer says it.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.inner.content_length()
    }

    /// The next piece of the body; `None` at its end.
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

    /// Nobody listened for a while: what did not come meanwhile is no stall.
    pub fn listen_again(&mut self) {
        self.pace.restart();
    }

    /// The whole body, if it has at most `limit` bytes. All of it has to come within the window in which something has
    /// to come of a longer one: a document is small.
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

    /// The error that the body has more than `limit` bytes.
    #[must_use]
    pub fn too_large(&self, limit: usize) -> Error {
        Error::TooLarge {
            url: SafeUrl::new(&self.url),
            limit,
        }
    }

    /// The first `limit` bytes of the body, and what came of them if it breaks off: for error messages.
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
