//! One connection: HTTP/1.1, with one request at a time. The access log gets a line when the response is sent.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response as HttpResponse, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::access_log::{Access, AccessLog};
use super::blob::{Blob, CHUNK_SIZE, OpenBlob};
use super::catalogue::Catalogue;
use super::limits::{LEAST_READ, Limits, MAX_HEADER_SIZE};
use super::multipart::Multipart;
use super::pace::PaceGuard;
use super::request::RequestHead;
use super::response::{Body, ErrorCode, Refusal, Response};
use super::routes;
use super::supervision::Supervision;

/// The values that all connections share.
pub(super) struct Shared {
    pub(super) catalogue: Catalogue,
    pub(super) limits: Limits,
    pub(super) log: AccessLog,
    pub(super) supervision: Option<Supervision>,
}

/// An instruction of the server to its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instruction {
    /// Go on.
    Continue,
    /// Close if the connection is idle: others wait for their turn.
    MakeRoom,
    /// Finish the current response, and close.
    Stop,
}

/// The requests of a connection so far.
#[derive(Debug, Default)]
struct Activity {
    has_begun: AtomicBool,
    under_way: AtomicUsize,
}

/// Serves one connection until the client closes it or the server stops it.
pub(super) async fn serve(
    stream: TcpStream,
    client: IpAddr,
    shared: Arc<Shared>,
    mut instructions: watch::Receiver<Instruction>,
) {
    let limits = shared.limits;
    // A failure only costs speed.
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
            // A client that has sent its last request may close its side of the connection before it has the response.
            .half_close(true)
            .header_read_timeout(limits.header_read)
            .max_header_size(MAX_HEADER_SIZE)
            // This also bounds the bytes that wait to be written: one chunk at a time.
            .max_buf_size(CHUNK_SIZE)
            .serve_connection(TokioIo::new(socket), service)
    );
    let since = Instant::now();
    let result = loop {
        tokio::select! {
            result = connection.as_mut() => break result,
            changed = instructions.changed() => {
                let instruction = match changed {
                    Ok(()) => *instructions.borrow_and_update(),
                    Err(_) => Instruction::Stop,
                };
                let has_begun = activity.has_begun.load(Ordering::Relaxed);
                match instruction {
                    Instruction::Continue => {}
                    Instruction::MakeRoom if has_begun => connection.as_mut().graceful_shutdown(),
                    Instruction::MakeRoom if since.elapsed() < limits.first_request => {}
                    Instruction::MakeRoom => return,
                    Instruction::Stop => {
                        connection.as_mut().graceful_shutdown();
                        let busy = activity.under_way.load(Ordering::Relaxed) > 0;
                        // A client that is still sending headers has no request yet.
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
    // Other errors of a connection concern only its client. Bytes that are not a request get a line in the log.
    if let Some(status) = result.err().and_then(|error| refused_unread(&error)) {
        (shared.log)(Access::unreadable(client, status.as_u16()));
    }
}

/// Refuses a connection, without waiting until the client has read the reason.
pub(super) fn refuse(stream: &TcpStream, client: IpAddr, log: &AccessLog) {
    let refusal = Refusal::TOO_MANY_CONNECTIONS;
    let _ = stream.try_write(refusal.raw_response().as_bytes());
    log(Access::unreadable(client, refusal.status.as_u16()));
}

/// Returns the status of hyper's response to bytes that are not a request.
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
) -> HttpResponse<LoggedBody> {
    activity.has_begun.store(true, Ordering::Relaxed);
    activity.under_way.fetch_add(1, Ordering::Relaxed);
    let (method, uri) = (request.method(), request.uri());
    let (version, headers) = (request.version(), request.headers());
    let mut logged = LoggedBody {
        body: whole(Bytes::new()),
        access: Access::of(client, method, uri, version, headers),
        log: Arc::clone(&shared.log),
        activity,
    };
    let head = RequestHead {
        method,
        uri,
        version,
        headers,
    };
    let mut response = routes::respond(&shared.catalogue, head);
    if method != Method::HEAD {
        let supervision = shared.supervision.as_ref();
        let opened = match &response.body {
            Body::Bytes(_) => None,
            Body::Blob(blob, range) => Some(part(blob, range.clone(), supervision).await),
            Body::Multipart(multipart) => Some(parts(multipart, supervision).await),
        };
        match opened {
            None => {}
            Some(Ok(body)) => logged.body = body,
            Some(Err(error)) => response = unreadable(&error),
        }
        if let Body::Bytes(bytes) = response.body {
            logged.body = whole(bytes);
        }
    }
    logged.access.status = response.status.as_u16();
    let mut http_response = HttpResponse::new(logged);
    *http_response.status_mut() = response.status;
    *http_response.headers_mut() = response.headers;
    http_response
}

type Content = UnsyncBoxBody<Bytes, io::Error>;

async fn part(
    blob: &Arc<Blob>,
    range: Range<u64>,
    supervision: Option<&Supervision>,
) -> io::Result<Content> {
    let blob = open(blob, supervision).await?;
    Ok(streamed(read(&blob, range, supervision)))
}

async fn parts(multipart: &Multipart, supervision: Option<&Supervision>) -> io::Result<Content> {
    let blob = open(&multipart.blob, supervision).await?;
    let supervision = supervision.cloned();
    let parts = stream::iter(multipart.parts.clone()).flat_map(move |part| {
        let content = read(&blob, part.range, supervision.as_ref());
        stream::iter([Ok(part.head)]).chain(content)
    });
    Ok(streamed(
        parts.chain(stream::iter([Ok(multipart.end.clone())])),
    ))
}

async fn open(blob: &Arc<Blob>, supervision: Option<&Supervision>) -> io::Result<OpenBlob> {
    if let Some(supervision) = supervision {
        supervision.begin(blob.digest())?;
    }
    blob.open().await
}

fn read(
    open: &OpenBlob,
    range: Range<u64>,
    supervision: Option<&Supervision>,
) -> BoxStream<'static, io::Result<Bytes>> {
    let left = range.end.saturating_sub(range.start);
    let holds_end = range.end == open.blob.size();
    let chunks = open.read(range);
    match supervision {
        None => chunks.boxed(),
        Some(supervision) => supervision
            .watch(*open.blob.digest(), left, holds_end, chunks)
            .boxed(),
    }
}

fn streamed(chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Content {
    StreamBody::new(chunks.map_ok(Frame::data)).boxed_unsync()
}

fn whole(bytes: Bytes) -> Content {
    Full::new(bytes)
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

/// Returns the response for a blob whose file cannot be read. A missing file is 404, which clients do not retry; other
/// failures may be transient.
fn unreadable(error: &io::Error) -> Response {
    let (status, message) = match error.kind() {
        io::ErrorKind::NotFound => (
            StatusCode::NOT_FOUND,
            "the file of the blob was removed or replaced",
        ),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the file of the blob cannot be read",
        ),
    };
    Refusal {
        status,
        code: ErrorCode::BlobUnknown,
        message: message.into(),
    }
    .response()
}

/// A body that counts its bytes, and writes a line to the access log when it is dropped.
struct LoggedBody {
    body: Content,
    access: Access,
    log: AccessLog,
    activity: Arc<Activity>,
}

impl HttpBody for LoggedBody {
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

impl Drop for LoggedBody {
    fn drop(&mut self) {
        self.activity.under_way.fetch_sub(1, Ordering::Relaxed);
        (self.log)(self.access.clone());
    }
}
