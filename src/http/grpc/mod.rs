//! gRPC by a Unix socket: calls with one message, and streams of messages, over one HTTP/2 connection. The module knows
//! no service and retries nothing.
//!
//! Source: grpc/grpc, `doc/PROTOCOL-HTTP2.md`.

mod error;
mod frame;
mod stream;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::Path;

use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE, USER_AGENT};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::UnixStream;
use tokio::sync::mpsc;

pub use self::error::{Code, Error, Status};
pub(crate) use self::stream::{Receiver, Sender};

use self::stream::Messages;

/// The number of messages that wait for the connection in each direction.
const WAITING: usize = 4;
/// The number of bytes that a server may send on one stream before they are read.
const WINDOW: u32 = 1 << 20;
/// The media type of requests and responses.
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// The connection to a server. Clones share it.
#[derive(Clone)]
pub(crate) struct Channel {
    sender: SendRequest<Messages>,
    metadata: HeaderMap,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

impl Channel {
    /// Connects to the server at `socket`. Whether the server speaks HTTP/2 shows only at the first call.
    pub(crate) async fn connect(socket: &Path) -> Result<Self, Error> {
        let stream = UnixStream::connect(socket).await.map_err(Error::Connect)?;
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .initial_stream_window_size(WINDOW)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Error::broken(&error))?;
        // The connection ends with the last sender. Its error is also the error of the calls.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(Self {
            sender,
            metadata: HeaderMap::new(),
        })
    }

    /// Returns a channel on the same connection that sends this header with each call. Fails if the value contains
    /// characters that a header cannot contain.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Result<Self, Error> {
        let value = HeaderValue::from_str(value)
            .map_err(|_| Error::Connect(io::Error::from(io::ErrorKind::InvalidInput)))?;
        let mut channel = self.clone();
        channel
            .metadata
            .insert(HeaderName::from_static(name), value);
        Ok(channel)
    }

    /// Sends one message and receives one of at most `limit` bytes.
    pub(crate) async fn call<A: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
        limit: usize,
    ) -> Result<A, Error> {
        let mut answers = self.ask(method, request, limit).await?;
        let answer = answers.next().await?.ok_or(Error::EndedEarly)?;
        // The status is after the message.
        match answers.next().await? {
            None => Ok(answer),
            Some(_) => Err(Error::SeveralMessages),
        }
    }

    /// Sends one message and receives any number of at most `limit` bytes each.
    pub(crate) async fn ask<A: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
        limit: usize,
    ) -> Result<Receiver<A>, Error> {
        let (sender, receiver) = self.open(method, limit);
        sender.send(request).await;
        Ok(receiver)
    }

    /// Opens a stream in both directions. The messages of the server have at most `limit` bytes.
    pub(crate) fn open<Q: Message, A: Message + Default>(
        &self,
        method: &str,
        limit: usize,
    ) -> (Sender<Q>, Receiver<A>) {
        let (sender, messages) = mpsc::channel(WAITING);
        let mut request = hyper::Request::new(Messages::new(messages));
        *request.method_mut() = hyper::Method::POST;
        // The server ignores the host, which has no meaning for a socket.
        if let Ok(uri) = format!("http://localhost{method}").parse() {
            *request.uri_mut() = uri;
        }
        let headers = request.headers_mut();
        headers.clone_from(&self.metadata);
        headers.insert(CONTENT_TYPE, GRPC);
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(USER_AGENT, HeaderValue::from_static(super::USER_AGENT));
        let mut connection = self.sender.clone();
        let response = Box::pin(async move {
            connection.ready().await?;
            connection.send_request(request).await
        });
        (Sender::new(sender), Receiver::new(response, limit))
    }
}
