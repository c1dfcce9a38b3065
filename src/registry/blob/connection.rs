//! Connections: each one requests the bytes of a piece and, if the response ends early, the missing bytes.
//!
//! Sources: RFC 9110, sections 13.1.5 (`If-Range`) and 14 (range requests). Registries differ from it: some ignore
//! ranges, some send invalid responses. Therefore a partial response must have exactly the requested `Content-Range`.

use bytes::Bytes;

use super::pieces::Piece;
use super::{BlobRequest, BlobSource, Cause, Registry};
use crate::http::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use crate::http::retry::{Backoff, Failure};
use crate::http::{
    ConnectionUse, Error, Purpose, Request, Response, Settings, StatusCode, content_range,
};
use crate::registry::send::Attempts;
use crate::safe_url::SafeUrl;
use crate::verify;

/// An additional connection that fails is used again if it has delivered at least this number of bytes.
const WORTH_KEEPING: u64 = 1 << 20;
/// The number of bytes that count as progress, which resets the number of failures. With fewer bytes between failures,
/// the download ends after the usual retries.
const PROGRESS: u64 = 64 << 10;

/// A connection, and the piece that it works on.
pub(super) struct Connection {
    /// The number of the piece.
    pub(super) index: usize,
    /// Whether this is an additional connection, which gives its piece back after a failure. The first connection
    /// retries.
    pub(super) is_extra: bool,
    /// The HTTP connection for the next request of a small blob.
    preferred: ConnectionUse,
    response: Option<Response>,
    /// Bytes that arrived with the previous piece, but belong to this one.
    pending: Bytes,
    /// The number of bytes to skip, because the server sends bytes again.
    skip: u64,
    /// Whether the response contains the whole blob, not only the piece.
    is_whole: bool,
    ignores_ranges: bool,
    etag: Option<HeaderValue>,
    backoff: Backoff,
    progress: u64,
    /// The number of bytes since the last request.
    brought: u64,
}

/// The reason why a connection cannot deliver its piece.
pub(super) enum PieceError {
    /// The server does not support range requests.
    NoRanges,
    /// Any other cause.
    Cause(Cause),
}

impl<T: Into<Cause>> From<T> for PieceError {
    fn from(cause: T) -> Self {
        Self::Cause(cause.into())
    }
}

impl Connection {
    pub(super) fn new(settings: &Settings, index: usize, is_extra: bool) -> Self {
        Self {
            index,
            is_extra,
            preferred: if is_extra {
                ConnectionUse::Dedicated
            } else {
                ConnectionUse::Shared
            },
            response: None,
            pending: Bytes::new(),
            skip: 0,
            is_whole: false,
            ignores_ranges: false,
            etag: None,
            backoff: Backoff::new(settings.policy.clone()),
            progress: 0,
            brought: 0,
        }
    }

    /// Returns whether the open response continues with the next piece.
    pub(super) fn goes_on(&self) -> bool {
        self.is_whole && self.response.is_some()
    }

    /// Continues with the next piece. Skips the bytes that another connection has delivered.
    pub(super) fn go_on(&mut self, index: usize, received: u64) {
        self.index = index;
        self.skip = received;
        if let Some(response) = &mut self.response {
            response.listen_again();
        }
    }

    /// Changes to another piece, which the open response does not contain.
    pub(super) fn turn_to(&mut self, index: usize) {
        self.index = index;
        self.response = None;
        self.pending = Bytes::new();
    }

    /// Returns the next bytes of the piece; `None` at the end of a blob of unknown size.
    pub(super) async fn chunk(
        &mut self,
        registry: &Registry,
        source: &BlobSource,
        piece: &Piece,
    ) -> Result<Option<Bytes>, PieceError> {
        loop {
            let error = match self.read(registry, source, piece).await? {
                Ok(Some(chunk)) => match self.pass(chunk, piece) {
                    Some(chunk) => return Ok(Some(chunk)),
                    None => continue,
                },
                Ok(None) if piece.end.is_none() => return Ok(None),
                Ok(None) => Error::EndedEarly {
                    url: SafeUrl::new(&source.url(registry)),
                },
                Err(error) => error,
            };
            self.turn_to(self.index);
            let failure = Failure::of_error(&error);
            // A connection that delivered many bytes is used again.
            let gives_up = self.is_extra && self.brought < WORTH_KEEPING;
            self.brought = 0;
            if gives_up || !self.backoff.pause(failure, Some(piece.position())).await {
                return Err(match (error, source.blob.size.known()) {
                    // The response ended without an error, but too early.
                    (Error::EndedEarly { .. }, Some(size)) => verify::Error::TooShort {
                        expected: source.blob.digest,
                        size,
                        seen: piece.position(),
                    }
                    .into(),
                    (error, _) => error.into(),
                });
            }
        }
    }

    /// Returns whether the response contains more bytes than the blob. Call it after the last piece.
    pub(super) async fn has_more(&mut self) -> bool {
        match &mut self.response {
            _ if !self.pending.is_empty() => true,
            Some(response) if self.is_whole && response.content_length().is_none() => {
                matches!(response.chunk().await, Ok(Some(_)))
            }
            _ => false,
        }
    }

    /// Returns the size of the blob that the open response announces.
    pub(super) fn announced(&self) -> Option<u64> {
        self.response.as_ref()?.content_length()
    }

    /// Requests the piece, if no response is open.
    pub(super) async fn open(
        &mut self,
        registry: &Registry,
        source: &BlobSource,
        piece: &Piece,
    ) -> Result<(), PieceError> {
        while self.response.is_none() {
            let from = piece.position();
            let asks_for_range = !self.ignores_ranges && (from > 0 || self.is_extra);
            let answer = self.ask(registry, source, piece, asks_for_range).await;
            // A retry uses a dedicated connection.
            self.preferred = ConnectionUse::Dedicated;
            let response = match answer {
                // Servers without range requests answer with different statuses: 416, 400, 403.
                Err(cause) if asks_for_range && cause.is_refusal() => {
                    self.without_ranges()?;
                    continue;
                }
                answer => answer?,
            };
            if asks_for_range && response.status() == StatusCode::PARTIAL_CONTENT {
                if !answers(&response, piece, source.blob.size.known()) {
                    self.without_ranges()?;
                    continue;
                }
                self.is_whole = false;
                self.skip = 0;
            } else if response.status() == StatusCode::PARTIAL_CONTENT
                && !is_everything(&response, source.blob.size.known())
            {
                // A partial response to a request for the whole blob.
                return Err(PieceError::NoRanges);
            } else {
                if self.is_extra {
                    return Err(PieceError::NoRanges);
                }
                if let Some(announced) = response.content_length() {
                    let BlobRequest { size, digest, .. } = source.blob;
                    size.check_total(digest, announced)?;
                }
                self.is_whole = true;
                self.skip = from;
            }
            // A weak ETag does not guarantee the same bytes.
            self.etag = response
                .headers()
                .get(ETAG)
                .filter(|tag| tag.as_bytes().starts_with(b"\""))
                .cloned();
            self.response = Some(response);
        }
        Ok(())
    }

    async fn ask(
        &self,
        registry: &Registry,
        source: &BlobSource,
        piece: &Piece,
        asks_for_range: bool,
    ) -> Result<Response, Cause> {
        let mut headers = HeaderMap::new();
        if asks_for_range {
            let last = piece.end.map(|end| (end - 1).to_string());
            let range = format!("bytes={}-{}", piece.position(), last.unwrap_or_default());
            if let Ok(range) = HeaderValue::from_str(&range) {
                headers.insert(RANGE, range);
            }
            if let Some(etag) = &self.etag {
                headers.insert(IF_RANGE, etag.clone());
            }
        }
        let request = Request {
            headers,
            purpose: Purpose::Blob,
            connection: if source.blob.is_small() {
                self.preferred
            } else {
                ConnectionUse::Dedicated
            },
            ..Request::get(source.url(registry))
        };
        let attempts = if self.is_extra {
            Attempts::Once
        } else {
            Attempts::ByPolicy
        };
        if source.foreign_url.is_some() {
            registry.send_without_credentials(request, attempts).await
        } else {
            let repository = Some(&source.blob.repository);
            registry.send_to(repository, request, attempts).await
        }
    }

    /// Requests the whole blob from now on.
    fn without_ranges(&mut self) -> Result<(), PieceError> {
        if self.is_extra || self.ignores_ranges {
            return Err(PieceError::NoRanges);
        }
        self.ignores_ranges = true;
        Ok(())
    }

    async fn read(
        &mut self,
        registry: &Registry,
        source: &BlobSource,
        piece: &Piece,
    ) -> Result<Result<Option<Bytes>, Error>, PieceError> {
        if !self.pending.is_empty() {
            return Ok(Ok(Some(std::mem::take(&mut self.pending))));
        }
        self.open(registry, source, piece).await?;
        let Some(response) = &mut self.response else {
            return Ok(Ok(None));
        };
        Ok(response.chunk().await)
    }

    /// Returns the new bytes of a chunk that belong to the piece.
    fn pass(&mut self, mut chunk: Bytes, piece: &Piece) -> Option<Bytes> {
        if self.skip > 0 {
            let known =
                usize::try_from(self.skip).map_or(chunk.len(), |skip| skip.min(chunk.len()));
            drop(chunk.split_to(known));
            self.skip -= known as u64;
        }
        if let Some(rest) = piece.rest() {
            let fits = usize::try_from(rest).map_or(chunk.len(), |rest| rest.min(chunk.len()));
            self.pending = chunk.split_off(fits);
        }
        self.brought += chunk.len() as u64;
        self.progress += chunk.len() as u64;
        if self.progress >= PROGRESS {
            self.progress = 0;
            self.backoff.reset();
        }
        (!chunk.is_empty()).then_some(chunk)
    }
}

/// Returns whether a partial response has exactly the requested range.
fn answers(response: &Response, piece: &Piece, size: Option<u64>) -> bool {
    let Some(range) = response
        .header(CONTENT_RANGE)
        .and_then(content_range::parse)
    else {
        return false;
    };
    let size_agrees = match (size, range.complete) {
        (Some(size), Some(complete)) => size == complete,
        _ => true,
    };
    let length = range.last - range.first + 1;
    range.first == piece.position()
        && piece.end.is_none_or(|end| range.last + 1 == end)
        && size_agrees
        && response
            .content_length()
            .is_none_or(|announced| announced == length)
}

/// Returns whether a partial response seems to contain the whole blob. The digest decides at the end.
fn is_everything(response: &Response, size: Option<u64>) -> bool {
    let range = response
        .header(CONTENT_RANGE)
        .and_then(content_range::parse);
    match range {
        Some(range) => {
            let end = range.last.checked_add(1);
            let all = range.complete.or(size);
            range.first == 0 && all.is_none_or(|all| end == Some(all))
        }
        None => size.is_none_or(|size| response.content_length() == Some(size)),
    }
}
