//! One connection: HTTP/1.1, requests one after another, each told to the access log when its answer is out.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::access_log::{Access, AccessLog};
use super::answer::{Answer, Body, ErrorCode, Refusal};
use super::blob::{Blob, CHUNK_SIZE};
use super::catalogue::Catalogue;
use super::limits::{LEAST_READ, Limits, MAX_HEADER_SIZE};
use super::pace::PaceGuard;
use super::request::Head;
use super::routes;

/// What all connections have in common.
pub(super) struct Shared {
    pub(super) catalogue: Catalogue,
    pub(super) limits: Limits,
    pub(super) log: AccessLog,
}

/// What the server wants of its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Stay.
    Stay,
    /// Make room for others, if there is nothing to do.
    MakeRoom,
    /// Finish what is under way, and close.
    Stop,
}

/// What a connection has done, as its requests tell.
#[derive(Debug, Default)]
struct Activity {
    has_asked: AtomicBool,
    under_way: AtomicUsize,
}

/// Serves one connection until the client leaves or the server wants it to end.
pub(super) async fn serve(
    stream: TcpStream,
    client: IpAddr,
    shared: Arc<Shared>,
    mut wishes: watch::Receiver<Wish>,
) {
    let limits = shared.limits;
    // Only a matter of speed.
    let _ = stream.set_nodelay(true);
    let socket = PaceGuard::new(stream, LEAST_READ, limits.slow_read);
    let activity = Arc::new(Activity::default());
    let service = service_fn(|request| {
        let (shared, activity) = (Arc::clone(&shared), Arc::clone(&activity));
        async move { Ok::<_, Infallible>(respond(&shared, client, activity, &request).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            // Who has asked for everything may say so, and still wants the answer.
            .half_close(true)
            .header_read_timeout(limits.header_read)
            .max_header_size(MAX_HEADER_SIZE)
            // It bounds what waits to be written, too: one chunk at a time.
            .max_buf_size(CHUNK_SIZE)
            .serve_connection(TokioIo::new(socket), service)
    );
    let since = Instant::now();
    let result = loop {
        tokio::select! {
            result = connection.as_mut() => break result,
            changed = wishes.changed() => {
                let wish = if changed.is_ok() { *wishes.borrow_and_update() } else { Wish::Stop };
                let has_asked = activity.has_asked.load(Ordering::Relaxed);
                match wish {
                    Wish::Stay => {}
                    Wish::MakeRoom if has_asked => connection.as_mut().graceful_shutdown(),
                    Wish::MakeRoom if since.elapsed() < limits.first_request => {}
                    Wish::MakeRoom => return,
                    Wish::Stop => {
                        connection.as_mut().graceful_shutdown();
                        let busy = activity.under_way.load(Ordering::Relaxed) > 0;
                        // Who is in the middle of a request's headers has asked for nothing yet.
                        let grace = if busy { limits.grace } else { limits.first_request };
                        match tokio::time::timeout(grace, connection.as_mut()).await {
                            Ok(result) => break result,
                            Err(_) => return,
                        }
                    }
                }
            }
        }
    };
    // How a connection ends concerns its client alone; but what was no request is worth a line.
    if let Some(status) = result.err().and_then(|error| refused_unread(&error)) {
        (shared.log)(Access::unreadable(client, status.as_u16()));
    }
}

/// Ends a connection that is not served. It is not waited until the client has read why.
pub(super) fn refuse(stream: &TcpStream, client: IpAddr, log: &AccessLog) {
    let refusal = Refusal::TOO_MANY_CONNECTIONS;
    let _ = stream.try_write(refusal.last_words().as_bytes());
    log(Access::unreadable(client, refusal.status.as_u16()));
}

/// What was answered to something that is no request.
fn refused_unread(error: &hyper::Error) -> Option<StatusCode> {
    if error.is_parse_too_large() {
        Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    } else {
        error.is_parse().then_some(StatusCode::BAD_REQUEST)
    }
}

async fn respond(
    shared: &Shared,
    client: IpAddr,
    activity: Arc<Activity>,
    request: &Request<Incoming>,
) -> Response<Told> {
    activity.has_asked.store(true, Ordering::Relaxed);
    activity.under_way.fetch_add(1, Ordering::Relaxed);
    let (method, uri) = (request.method(), request.uri());
    let (version, headers) = (request.version(), request.headers());
    let mut told = Told {
        body: whole(Bytes::new()),
        access: Access::of(client, method, uri, version, headers),
        log: Arc::clone(&shared.log),
        activity,
    };
    let head = Head {
        method,
        uri,
        version,
        headers,
    };
    let mut answer = routes::answer(&shared.catalogue, head);
    if method != Method::HEAD {
        if let Body::Blob(blob, range) = &answer.body {
            match open(blob, range.clone()).await {
                Ok(body) => told.body = body,
                Err(error) => answer = unreadable(&error),
            }
        }
        if let Body::Bytes(bytes) = answer.body {
            told.body = whole(bytes);
        }
    }
    told.access.status = answer.status.as_u16();
    let mut response = Response::new(told);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

type Content = UnsyncBoxBody<Bytes, io::Error>;

async fn open(blob: &Arc<Blob>, range: Range<u64>) -> io::Result<Content> {
    let chunks = blob.read(range).await?;
    Ok(StreamBody::new(chunks.map_ok(Frame::data)).boxed_unsync())
}

fn whole(bytes: Bytes) -> Content {
    Full::new(bytes)
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

/// A file that is gone is a blob that this registry lacks: asking again will not help. Anything else may pass.
fn unreadable(error: &io::Error) -> Answer {
    let (status, message) = match error.kind() {
        io::ErrorKind::NotFound => (StatusCode::NOT_FOUND, "the blob's file is gone"),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the blob's file cannot be read",
        ),
    };
    Refusal {
        status,
        code: ErrorCode::BlobUnknown,
        message: message.into(),
    }
    .answer()
}

/// A body that counts what goes out, and tells when it is done with.
struct Told {
    body: Content,
    access: Access,
    log: AccessLog,
    activity: Arc<Activity>,
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.access.bytes = self.access.bytes.saturating_add(data.len() as u64);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.activity.under_way.fetch_sub(1, Ordering::Relaxed);
        (self.log)(self.access.clone());
    }
}
