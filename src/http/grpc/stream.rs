//! The two directions of a call.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt as _;
use hyper::StatusCode;
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use prost::Message;
use tokio::sync::mpsc;

use super::error::{Code, Error, Status};
use super::frame;

/// The body of a request: messages that are sent while it is under way. It ends with the last [`Sender`].
pub(crate) struct Messages(mpsc::Receiver<Bytes>);

impl Messages {
    pub(super) fn new(messages: mpsc::Receiver<Bytes>) -> Self {
        Self(messages)
    }
}

impl Body for Messages {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let message = self.0.poll_recv(context);
        message.map(|message| message.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// Sends the messages of a call. Its drop ends them.
pub(crate) struct Sender<Q> {
    messages: mpsc::Sender<Bytes>,
    of: PhantomData<fn(Q)>,
}

impl<Q: Message> Sender<Q> {
    pub(super) fn new(messages: mpsc::Sender<Bytes>) -> Self {
        Self {
            messages,
            of: PhantomData,
        }
    }

    /// Sends a message. Returns false if the server does not read any more: the [`Receiver`] has the reason.
    pub(crate) async fn send(&self, message: &Q) -> bool {
        self.messages.send(frame::encode(message)).await.is_ok()
    }
}

type Response = Result<hyper::Response<Incoming>, hyper::Error>;

/// Receives the messages of a call. Its drop cancels the call.
pub(crate) struct Receiver<A> {
    state: State,
    arrived: BytesMut,
    limit: usize,
    of: PhantomData<fn() -> A>,
}

enum State {
    // The mutex makes the type `Sync`. It is never locked.
    Requested(Mutex<BoxFuture<'static, Response>>),
    Receiving(Incoming),
    Ended,
}

impl<A: Message + Default> Receiver<A> {
    pub(super) fn new(response: BoxFuture<'static, Response>, limit: usize) -> Self {
        Self {
            state: State::Requested(Mutex::new(response)),
            arrived: BytesMut::new(),
            limit,
            of: PhantomData,
        }
    }

    /// Returns the next message, or `None` after a successful end.
    pub(crate) async fn next(&mut self) -> Result<Option<A>, Error> {
        loop {
            if let Some(message) = frame::decode(&mut self.arrived, self.limit)? {
                return Ok(Some(message));
            }
            match &mut self.state {
                State::Requested(response) => {
                    let response = response.get_mut().unwrap_or_else(PoisonError::into_inner);
                    let response = response.await.map_err(|error| Error::broken(&error))?;
                    self.state = if is_complete(&response)? {
                        State::Ended
                    } else {
                        State::Receiving(response.into_body())
                    };
                }
                State::Receiving(body) => match body.frame().await {
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) => self.arrived.extend_from_slice(&data),
                        Err(frame) => {
                            let trailers = frame.into_trailers().unwrap_or_default();
                            self.state = State::Ended;
                            status(&trailers).ok_or(Error::EndedEarly)??;
                        }
                    },
                    Some(Err(error)) => return Err(Error::broken(&error)),
                    None => {
                        self.state = State::Ended;
                        return Err(Error::EndedEarly);
                    }
                },
                State::Ended if self.arrived.is_empty() => return Ok(None),
                State::Ended => return Err(Error::EndedEarly),
            }
        }
    }
}

/// Checks that a response is one of gRPC, and returns whether it has ended: a response without messages has its status in
/// the headers.
fn is_complete(response: &hyper::Response<Incoming>) -> Result<bool, Error> {
    let headers = response.headers();
    let is_grpc = headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if response.status() != StatusCode::OK || !is_grpc {
        return Err(Error::NotGrpc(response.status().as_u16()));
    }
    match status(headers) {
        Some(status) => status.map(|()| true),
        None => Ok(false),
    }
}

/// Returns the status in headers or trailers, if they have one.
fn status(headers: &HeaderMap) -> Option<Result<(), Error>> {
    let number = headers.get("grpc-status")?.to_str().ok()?.parse().ok()?;
    if number == 0 {
        return Some(Ok(()));
    }
    let message = headers.get("grpc-message");
    Some(Err(Error::Status(Status {
        code: Code::of(number),
        message: message.map_or_else(String::new, |text| frame::message_text(text.as_bytes())),
    })))
}
