use super::super::access_log::Access;
use super::super::fixture::{LAYER, LayoutFixture};
use super::super::limits::MAX_HEADER_SIZE;
use super::*;
use crate::oci::digest::Digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The ordinary limits, with enough connections for every test.
fn limits() -> Limits {
    Limits {
        connections: 100,
        ..Limits::of_this_process()
    }
}

struct Running {
    address: SocketAddr,
    log: mpsc::UnboundedReceiver<String>,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

async fn start(layout: &LayoutFixture, limits: Limits) -> Running {
    let (lines, log) = mpsc::unbounded_channel();
    let write = move |access: Access| {
        let _ = lines.send(access.to_string());
    };
    let mut server = Server::bind("127.0.0.1:0", layout.open().unwrap(), Arc::new(write))
        .await
        .unwrap();
    server.shared.limits = limits;
    let (stop, stopped) = oneshot::channel();
    Running {
        address: server.local_addr(),
        log,
        stop,
        done: tokio::spawn(server.run(async {
            let _ = stopped.await;
        })),
    }
}

/// Fails instead of hanging, after a time that is enough for the slowest machine.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), work)
        .await
        .expect("the server does nothing")
}

/// The rest of what the server sends until it closes the connection.
async fn rest_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    in_time(stream.read_to_end(&mut rest)).await.unwrap();
    rest
}

async fn send(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn ask(address: SocketAddr, method: &str, path: &str, headers: &str) -> String {
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    let mut response = String::new();
    let mut stream = send(address, &request).await;
    in_time(stream.read_to_string(&mut response)).await.unwrap();
    response
}

#[tokio::test]
async fn answers_on_a_real_connection() {
    let layout = LayoutFixture::with_image("a.io/app:1");
    let running = start(&layout, limits()).await;
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
    in_time(running.done).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_client_that_never_finishes_its_headers_is_dropped() {
    let layout = LayoutFixture::with_image("a.io/app:1");
    let limits = Limits {
        header_read: Duration::from_millis(20),
        ..limits()
    };
    let running = start(&layout, limits).await;
    // Less than the 30 seconds after which hyper drops such a client where it has no other limit.
    let patience = Duration::from_secs(20);
    for beginning in ["", "GET /v2/ HTTP/1.1\r\nx: "] {
        let mut stream = send(running.address, beginning).await;
        let rest = tokio::time::timeout(patience, rest_of(&mut stream)).await;
        let rest = rest.expect("the limit for headers does not end the connection");
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
    // And others go on.
    let response = ask(running.address, "GET", "/v2/", "").await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}

#[tokio::test]
async fn refuses_headers_without_end() {
    let layout = LayoutFixture::with_image("a.io/app:1");
    let running = start(&layout, limits()).await;
    let headers = format!("x: {}\r\n", "x".repeat(MAX_HEADER_SIZE));
    let response = ask(running.address, "GET", "/v2/", &headers).await;
    assert!(response.starts_with("HTTP/1.1 431 "), "{response}");
}

#[tokio::test]
async fn a_waiting_connection_gets_the_place_of_an_idle_one() {
    let layout = LayoutFixture::with_image("a.io/app:1");
    let limits = Limits {
        connections: 1,
        ..limits()
    };
    let running = start(&layout, limits).await;
    let mut first = send(running.address, "GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n").await;
    in_time(first.read_u8()).await.unwrap();
    let second = ask(running.address, "GET", "/v2/", "").await;
    assert!(second.starts_with("HTTP/1.1 200 "), "{second}");
    rest_of(&mut first).await;
}

#[tokio::test]
async fn a_connection_without_a_request_makes_room_soon() {
    let layout = LayoutFixture::with_image("a.io/app:1");
    let limits = Limits {
        connections: 1,
        first_request: Duration::from_millis(20),
        ..limits()
    };
    let running = start(&layout, limits).await;
    for beginning in ["", "GET /v2/ HTTP/1.1\r\nx: "] {
        let _lingering = send(running.address, beginning).await;
        let response = ask(running.address, "GET", "/v2/", "").await;
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    }
}

/// More than the kernel buffers for a connection.
const LARGE: usize = 16 << 20;

/// A layout with one large layer, and the request for it.
fn large() -> (LayoutFixture, String) {
    let mut layout = LayoutFixture::new();
    let layer = vec![0; LARGE];
    let manifest = layout.image(&layer);
    layout.list(manifest, "a.io/app:1");
    let path = format!("/v2/app/blobs/{}", Digest::of(&layer));
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    (layout, request)
}

#[tokio::test]
async fn an_answer_under_way_is_not_cut_to_make_room() {
    let (layout, request) = large();
    let limits = Limits {
        connections: 1,
        first_request: Duration::ZERO,
        ..limits()
    };
    let running = start(&layout, limits).await;
    let mut first = send(running.address, &request).await;
    in_time(first.read_u8()).await.unwrap();
    let mut second = pin!(ask(running.address, "GET", "/v2/", ""));
    let too_soon = tokio::time::timeout(PAUSE * 3, &mut second).await;
    assert!(too_soon.is_err(), "{too_soon:?}");
    let rest = rest_of(&mut first).await;
    assert!(rest.len() > LARGE, "{} bytes", rest.len());
    assert!(in_time(second).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn an_answer_under_way_is_finished_before_the_end() {
    let (layout, request) = large();
    let running = start(&layout, limits()).await;
    let mut client = send(running.address, &request).await;
    in_time(client.read_u8()).await.unwrap();
    running.stop.send(()).unwrap();
    let rest = rest_of(&mut client).await;
    assert!(rest.len() > LARGE, "{} bytes", rest.len());
    in_time(running.done).await.unwrap();
}

#[tokio::test]
async fn half_a_request_does_not_hold_the_end_up() {
    let layout = LayoutFixture::with_image("a.io/app:1");
    let limits = Limits {
        first_request: Duration::from_millis(20),
        header_read: Duration::from_secs(3600),
        grace: Duration::from_secs(3600),
        ..limits()
    };
    let running = start(&layout, limits).await;
    let whole = "GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n";
    for beginning in ["GET /v2/ HT", &format!("{whole}GET /v2/ HT")] {
        let _lingering = send(running.address, beginning).await;
    }
    running.stop.send(()).unwrap();
    in_time(running.done).await.unwrap();
}

#[tokio::test]
async fn each_request_is_logged_when_its_response_is_sent() {
    let layout = LayoutFixture::with_image("a.io/app:1");
    let mut running = start(&layout, limits()).await;
    let blob = format!("/v2/app/blobs/{}", Digest::of(LAYER));
    let address = running.address;
    for (method, path, headers, expected) in [
        (
            "GET",
            "/v2/?n=1",
            "",
            "\"GET /v2/?n=1 HTTP/1.1\" 200 2 \"-\" \"-\"".to_owned(),
        ),
        (
            "GET",
            &blob,
            "range: bytes=0-3\r\nuser-agent: a/1\r\n",
            format!("\"GET {blob} HTTP/1.1\" 206 4 \"-\" \"a/1\""),
        ),
        (
            "HEAD",
            &blob,
            "",
            format!("\"HEAD {blob} HTTP/1.1\" 200 0 \"-\" \"-\""),
        ),
    ] {
        ask(address, method, path, headers).await;
        let line = in_time(running.log.recv()).await.unwrap();
        assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
        assert!(line.ends_with(&expected), "{line}, not {expected}");
    }
    let mut nonsense = send(address, "nonsense\r\n\r\n").await;
    in_time(nonsense.read_u8()).await.unwrap();
    let line = in_time(running.log.recv()).await.unwrap();
    assert!(line.ends_with("\"-\" 400 0 \"-\" \"-\""), "{line}");
}

#[tokio::test]
async fn a_client_that_leaves_early_is_logged_with_the_bytes_that_it_got() {
    let (layout, request) = large();
    let mut running = start(&layout, limits()).await;
    let mut client = send(running.address, &request).await;
    in_time(client.read_u8()).await.unwrap();
    drop(client);
    let line = in_time(running.log.recv()).await.unwrap();
    let bytes = line
        .split("\" 200 ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let bytes: usize = bytes.unwrap().parse().unwrap();
    assert!(0 < bytes && bytes < LARGE, "{line}");
}

#[tokio::test]
async fn a_client_that_stops_reading_makes_room_for_the_next() {
    let (layout, request) = large();
    let limits = Limits {
        connections: 1,
        slow_read: Duration::from_millis(20),
        ..limits()
    };
    let running = start(&layout, limits).await;
    let mut stuck = send(running.address, &request).await;
    in_time(stuck.read_u8()).await.unwrap();
    let response = ask(running.address, "GET", "/v2/", "").await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}

#[tokio::test]
async fn a_client_with_too_many_connections_is_refused_and_logged() {
    let layout = LayoutFixture::with_image("a.io/app:1");
    let limits = Limits {
        first_request: Duration::from_secs(3600),
        ..limits()
    };
    let mut running = start(&layout, limits).await;
    let mut lingering = Vec::new();
    for _ in 0..limits.per_client() {
        lingering.push(send(running.address, "").await);
    }
    let mut response = String::new();
    let mut refused = send(running.address, "").await;
    in_time(refused.read_to_string(&mut response))
        .await
        .unwrap();
    assert!(response.starts_with("HTTP/1.1 429 "), "{response}");
    assert!(response.contains("\r\nretry-after: 1\r\n"), "{response}");
    assert!(
        response.contains(r#""code":"TOOMANYREQUESTS""#),
        "{response}"
    );
    let line = in_time(running.log.recv()).await.unwrap();
    assert!(line.ends_with("\"-\" 429 0 \"-\" \"-\""), "{line}");

    // It was no more than its own connections.
    drop(lingering);
    let response = ask_until_served(running.address).await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}

/// Asks until it is not refused: when the server notes that a client has left is its own business.
async fn ask_until_served(address: SocketAddr) -> String {
    in_time(async {
        loop {
            let mut stream = send(address, "").await;
            let request = b"GET /v2/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
            let mut response = String::new();
            if stream.write_all(request).await.is_ok()
                && stream.read_to_string(&mut response).await.is_ok()
                && !response.starts_with("HTTP/1.1 429 ")
            {
                return response;
            }
        }
    })
    .await
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_the_end_up() {
    let layout = LayoutFixture::with_image("a.io/app:1");
    let running = start(&layout, limits()).await;
    let mut idle = send(running.address, "GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n").await;
    in_time(idle.read_u8()).await.unwrap();
    running.stop.send(()).unwrap();
    in_time(running.done).await.unwrap();
    let rest = rest_of(&mut idle).await;
    assert!(rest.ends_with(b"{}"));
}
