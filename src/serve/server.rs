//! The listener and its connections: HTTP/1.1, bounded in number, in header size and in the time that a client
//! may take over its headers or not read its answer.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::answer::{Answer, Body, ErrorCode, Refusal};
use super::blob::{self, Blob};
use super::catalogue::Catalogue;
use super::routes;
use super::stall::StallGuard;

/// What a server puts up with.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Connections at a time; more wait in the kernel's queue.
    connections: usize,
    /// Until a request's headers are complete, waiting on an idle connection included.
    header_read: Duration,
    /// For a client that has stopped reading its answer.
    write_stall: Duration,
    /// For answers that are under way when the server is told to stop.
    grace: Duration,
}

const LIMITS: Limits = Limits {
    connections: 256,
    header_read: Duration::from_secs(30),
    write_stall: Duration::from_secs(60),
    grace: Duration::from_secs(5),
};

/// Request line and headers. Bearer tokens that clients send without being asked can be long.
const MAX_HEADER_SIZE: usize = 32 << 10;

/// A registry that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    catalogue: Arc<Catalogue>,
    limits: Limits,
}

/// What keeps a server from listening.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct ServerError {
    address: String,
    source: io::Error,
}

type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

impl Server {
    /// Starts to listen. Port 0 stands for any free one.
    pub async fn bind(
        address: impl ToSocketAddrs + std::fmt::Debug,
        catalogue: Catalogue,
    ) -> Result<Self, ServerError> {
        let error = |source| ServerError {
            address: format!("{address:?}"),
            source,
        };
        let listener = TcpListener::bind(&address).await.map_err(error)?;
        Ok(Self {
            address: listener.local_addr().map_err(error)?,
            listener,
            catalogue: Arc::new(catalogue),
            limits: LIMITS,
        })
    }

    /// Where the server listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` completes; answers that are under way then have a few seconds to finish.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self {
            listener,
            catalogue,
            limits,
            ..
        } = self;
        let (stop, stopping) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept(), if connections.len() < limits.connections => match accepted {
                    Ok((stream, _)) => {
                        let catalogue = Arc::clone(&catalogue);
                        connections.spawn(connection(stream, catalogue, limits, stopping.clone()));
                    }
                    // Out of file descriptors, or a client that left early: neither is a reason to end, and
                    // the first would come back at once.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
            }
        }
        drop(listener);
        drop(stop);
        let all_done = async { while connections.join_next().await.is_some() {} };
        // What is not done by then is cut off with the set.
        let _ = tokio::time::timeout(limits.grace, all_done).await;
    }
}

/// Serves one connection until the client leaves or `stopping` closes.
async fn connection(
    stream: TcpStream,
    catalogue: Arc<Catalogue>,
    limits: Limits,
    mut stopping: watch::Receiver<()>,
) {
    // Only a matter of speed.
    let _ = stream.set_nodelay(true);
    let stream = StallGuard::new(stream, limits.write_stall);
    let service = service_fn(|request| {
        let catalogue = Arc::clone(&catalogue);
        async move { Ok::<_, Infallible>(respond(&catalogue, &request).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_read)
            .max_header_size(MAX_HEADER_SIZE)
            .serve_connection(TokioIo::new(stream), service)
    );
    // How a connection ends concerns its client alone.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn respond(catalogue: &Catalogue, request: &Request<Incoming>) -> Response<ResponseBody> {
    let mut answer = routes::answer(
        catalogue,
        request.method(),
        request.uri(),
        request.headers(),
    );
    let mut file = None;
    if request.method() == Method::HEAD {
        answer.body = Body::Bytes(Bytes::new());
    } else if let Body::Blob(blob, range) = &answer.body {
        match open(blob, range.clone()).await {
            Ok(body) => file = Some(body),
            Err(error) => answer = unreadable(&error),
        }
    }
    let body = match (file, answer.body) {
        (Some(body), _) => body,
        (None, Body::Bytes(bytes)) => whole(bytes),
        (None, Body::Blob(..)) => whole(Bytes::new()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

async fn open(blob: &Blob, range: Range<u64>) -> io::Result<ResponseBody> {
    let chunks = blob::read(blob.open().await?, range).await?;
    Ok(StreamBody::new(chunks.map_ok(Frame::data)).boxed_unsync())
}

fn whole(bytes: Bytes) -> ResponseBody {
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
        message,
    }
    .answer()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{LAYER, LayoutFixture};
    use super::*;
    use crate::digest::Digest;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    struct Running {
        address: SocketAddr,
        stop: oneshot::Sender<()>,
        done: JoinHandle<()>,
    }

    async fn start(layout: &LayoutFixture, limits: Limits) -> Running {
        let mut server = Server::bind("127.0.0.1:0", layout.open().unwrap())
            .await
            .unwrap();
        server.limits = limits;
        let (stop, stopped) = oneshot::channel();
        Running {
            address: server.local_addr(),
            stop,
            done: tokio::spawn(server.run(async {
                let _ = stopped.await;
            })),
        }
    }

    async fn send(address: SocketAddr, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn ask(address: SocketAddr, method: &str, path: &str, headers: &str) -> String {
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        let mut answer = String::new();
        send(address, &request)
            .await
            .read_to_string(&mut answer)
            .await
            .unwrap();
        answer
    }

    #[tokio::test]
    async fn answers_on_a_real_connection() {
        let layout = LayoutFixture::with_image("a.io/app:1");
        let running = start(&layout, LIMITS).await;
        let blob = format!("/v2/app/blobs/{}", Digest::of(LAYER));
        let address = running.address;

        let get = ask(address, "GET", &blob, "").await;
        assert!(get.starts_with("HTTP/1.1 200 OK\r\n"), "{get}");
        assert!(get.ends_with("\r\n\r\n0123456789"), "{get}");
        let part = ask(address, "GET", &blob, "range: bytes=3-5\r\n").await;
        assert!(part.starts_with("HTTP/1.1 206 "), "{part}");
        assert!(part.ends_with("\r\n\r\n345"), "{part}");
        let head = ask(address, "HEAD", &blob, "").await;
        assert!(head.contains("content-length: 10\r\n"), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "{head}");
        let head = ask(address, "HEAD", "/v2/app/manifests/2", "").await;
        assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "{head}");

        running.stop.send(()).unwrap();
        running.done.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_client_that_never_finishes_its_headers_is_dropped() {
        let layout = LayoutFixture::with_image("a.io/app:1");
        let limits = Limits {
            header_read: Duration::from_millis(20),
            ..LIMITS
        };
        let running = start(&layout, limits).await;
        for beginning in ["", "GET /v2/ HTTP/1.1\r\nx: "] {
            let mut rest = Vec::new();
            // Ends only because the server closes the connection.
            let _ = send(running.address, beginning)
                .await
                .read_to_end(&mut rest)
                .await;
            assert!(!rest.starts_with(b"HTTP/1.1 200"));
        }
    }

    #[tokio::test]
    async fn refuses_headers_without_end() {
        let layout = LayoutFixture::with_image("a.io/app:1");
        let running = start(&layout, LIMITS).await;
        let headers = format!("x: {}\r\n", "x".repeat(MAX_HEADER_SIZE));
        let answer = ask(running.address, "GET", "/v2/", &headers).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }

    #[tokio::test]
    async fn a_connection_too_many_waits_for_its_turn() {
        let layout = LayoutFixture::with_image("a.io/app:1");
        let limits = Limits {
            connections: 1,
            ..LIMITS
        };
        let running = start(&layout, limits).await;
        let mut first = send(running.address, "GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n").await;
        first.read_u8().await.unwrap();
        let mut second = pin!(ask(running.address, "GET", "/v2/", ""));
        let too_soon = tokio::time::timeout(Duration::from_millis(50), &mut second).await;
        assert!(too_soon.is_err(), "{too_soon:?}");
        drop(first);
        assert!(second.await.starts_with("HTTP/1.1 200 "));
    }

    #[tokio::test]
    async fn a_client_that_stops_reading_makes_room_for_the_next() {
        let mut layout = LayoutFixture::new();
        // More than the kernel takes off the server's hands.
        let layer = vec![0; 16 << 20];
        let manifest = layout.manifest(&layer);
        layout.list(manifest, "a.io/app:1");
        let limits = Limits {
            connections: 1,
            write_stall: Duration::from_millis(20),
            ..LIMITS
        };
        let running = start(&layout, limits).await;
        let path = format!("/v2/app/blobs/{}", Digest::of(&layer));
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        let mut stuck = send(running.address, &request).await;
        stuck.read_u8().await.unwrap();
        let answer = ask(running.address, "GET", "/v2/", "").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    #[tokio::test]
    async fn an_idle_connection_does_not_hold_the_end_up() {
        let layout = LayoutFixture::with_image("a.io/app:1");
        let running = start(&layout, LIMITS).await;
        let mut idle = send(running.address, "GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n").await;
        idle.read_u8().await.unwrap();
        running.stop.send(()).unwrap();
        running.done.await.unwrap();
        let mut rest = Vec::new();
        idle.read_to_end(&mut rest).await.unwrap();
        assert!(rest.ends_with(b"{}"));
    }
}
