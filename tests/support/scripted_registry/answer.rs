//! Answers: what is sent, and what goes wrong while it is sent.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::request::Request;

/// What goes wrong while an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// The connection ends before the status line.
    CloseBeforeHead,
    /// The connection is reset before the status line.
    ResetBeforeHead,
    /// Not even the status line comes, and the connection stays open.
    StallBeforeHead,
    /// The connection ends, in good order, after so many bytes of the body.
    CloseAfter(usize),
    /// The connection is reset after so many bytes of the body.
    ResetAfter(usize),
    /// Nothing more comes after so many bytes of the body, and the connection stays open.
    StallAfter(usize),
}

impl Fault {
    /// The number of bytes of the body that are sent.
    pub(super) fn limit(self) -> usize {
        match self {
            Self::CloseAfter(count) | Self::ResetAfter(count) | Self::StallAfter(count) => count,
            Self::None => usize::MAX,
            Self::CloseBeforeHead | Self::ResetBeforeHead | Self::StallBeforeHead => 0,
        }
    }
}

/// How fast a body comes, from some byte on: a piece, then a pause.
#[derive(Clone, Copy)]
pub(super) struct Drip {
    pub(super) from: usize,
    pub(super) piece: usize,
    pub(super) pause: Duration,
}

#[derive(Clone)]
pub(super) enum Body {
    Bytes(Arc<Vec<u8>>),
    /// The same chunk so many times.
    Repeated(Arc<Vec<u8>>, u64),
}

impl Body {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Repeated(chunk, count) => chunk.len() as u64 * count,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    ContentLength,
    Chunked,
    UntilClose,
}

/// What a request is answered.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Body,
    pub(super) framing: Framing,
    pub(super) content_length: Option<u64>,
    pub(super) fault: Fault,
    pub(super) drip: Option<Drip>,
}

impl Answer {
    /// An answer with this status and no body.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Bytes(Arc::default()),
            framing: Framing::ContentLength,
            content_length: None,
            fault: Fault::None,
            drip: None,
        }
    }

    /// 200 with a body.
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        let mut answer = Self::status(200);
        answer.body = Body::Bytes(Arc::new(body.into()));
        answer
    }

    /// 200 with a body of `count` times `chunk`, which is never held in memory as a whole.
    pub(crate) fn repeated(chunk: Vec<u8>, count: u64) -> Self {
        let mut answer = Self::status(200);
        answer.body = Body::Repeated(Arc::new(chunk), count);
        answer
    }

    /// 206 with the part of `whole` from `first` to `last`.
    pub(crate) fn partial(whole: &[u8], first: usize, last: usize) -> Self {
        Self::ok(&whole[first..=last]).with_status(206).header(
            "Content-Range",
            format!("bytes {first}-{last}/{}", whole.len()),
        )
    }

    /// What a server that understands ranges answers: the part that the request asks for, or all of it.
    pub(crate) fn ranged(whole: &[u8], request: &Request) -> Self {
        let Some((first, last)) = request.range() else {
            return Self::ok(whole);
        };
        let last = last.map_or(whole.len() - 1, |last| last.min(whole.len() - 1));
        if first > last {
            return Self::unsatisfiable(whole);
        }
        Self::partial(whole, first, last)
    }

    /// 416, as the answer to a range that `whole` does not have.
    pub(crate) fn unsatisfiable(whole: &[u8]) -> Self {
        Self::error(416, "RANGE_INVALID")
            .header("Content-Range", format!("bytes */{}", whole.len()))
    }

    /// A redirect.
    pub(crate) fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::status(status).header("Location", location)
    }

    /// The distribution specification's error body.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::ok(format!(
            r#"{{"errors":[{{"code":"{code}","message":"scripted"}}]}}"#
        ))
        .with_status(status)
        .header("Content-Type", "application/json")
    }

    /// 401 with a challenge.
    pub(crate) fn challenge(challenge: impl Into<String>) -> Self {
        Self::error(401, "UNAUTHORIZED").header("WWW-Authenticate", challenge)
    }

    /// The same with another status.
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with one more header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same without a header.
    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.headers
            .retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        self
    }

    /// The body comes in chunks, its length unsaid.
    pub(crate) fn chunked(mut self) -> Self {
        self.framing = Framing::Chunked;
        self
    }

    /// The body ends where the connection ends.
    pub(crate) fn until_close(mut self) -> Self {
        self.framing = Framing::UntilClose;
        self
    }

    /// The answer says that its body is this long, which need not be so.
    pub(crate) fn content_length(mut self, length: u64) -> Self {
        self.content_length = Some(length);
        self
    }

    /// From byte `from` on, the body comes in pieces of so many bytes with pauses.
    pub(crate) fn dripping(mut self, from: usize, piece: usize, pause: Duration) -> Self {
        self.drip = Some(Drip { from, piece, pause });
        self
    }

    /// The connection ends before anything was said.
    pub(crate) fn close_before_head() -> Self {
        Self::status(200).with_fault(Fault::CloseBeforeHead)
    }

    /// The connection is reset before anything was said.
    pub(crate) fn reset_before_head() -> Self {
        Self::status(200).with_fault(Fault::ResetBeforeHead)
    }

    /// Nothing is said, for ever.
    pub(crate) fn stall_before_head() -> Self {
        Self::status(200).with_fault(Fault::StallBeforeHead)
    }

    /// The connection ends in good order after `count` bytes of the body.
    pub(crate) fn close_after(self, count: usize) -> Self {
        self.with_fault(Fault::CloseAfter(count))
    }

    /// The connection is reset after `count` bytes of the body.
    pub(crate) fn reset_after(self, count: usize) -> Self {
        self.with_fault(Fault::ResetAfter(count))
    }

    /// After `count` bytes of the body nothing more comes; [`Registry::wait_for_stall`] tells when.
    ///
    /// [`Registry::wait_for_stall`]: super::Registry::wait_for_stall
    pub(crate) fn stall_after(self, count: usize) -> Self {
        self.with_fault(Fault::StallAfter(count))
    }

    fn with_fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    pub(super) fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        match self.framing {
            Framing::ContentLength => {
                let length = self.content_length.unwrap_or_else(|| self.body.length());
                write!(head, "Content-Length: {length}\r\n").unwrap();
            }
            Framing::Chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
            Framing::UntilClose => head.push_str("Connection: close\r\n"),
        }
        head.push_str("\r\n");
        head
    }
}
