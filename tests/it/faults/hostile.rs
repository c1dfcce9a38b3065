//! Servers that lead elsewhere, send too much, or send something else.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Fetch, MANIFEST, TOKEN, layer, manifest, retries};
use crate::support::image::digest;
use crate::support::scripted_registry::{Answer, Registry, get};

#[test]
fn a_redirect_loop_ends_after_ten() {
    let fetch = Fetch::new();
    fetch.registry.on(
        fetch.whole().times(11),
        Answer::redirect(307, fetch.registry.at(&fetch.path())),
    );
    fetch.fails(7);
}

#[test]
fn a_host_that_echoes_headers_has_no_secret_to_echo() {
    for status in [200, 403] {
        let fetch = Fetch::new();
        let store = Registry::start();
        store.on_each(get("/echo").without("Authorization"), move |request| {
            let echo = serde_json::json!({
                "errors": [{"code": "ECHO", "message": request.header_text()}],
            });
            Answer::ok(echo.to_string()).with_status(status)
        });
        fetch.registry.on(
            fetch.whole(),
            Answer::redirect(307, store.at("/echo?signature=5igned")),
        );
        let outcome = fetch.run().run().never_says("5igned");
        fetch.failed(outcome, if status == 200 { 5 } else { 4 });
    }
}

#[test]
fn a_huge_token_is_refused_before_it_has_come() {
    let fetch = Fetch::new();
    fetch.registry.on(
        get(fetch.path()).without("Authorization"),
        Answer::challenge(format!("Bearer realm=\"{}\"", fetch.registry.at("/token"))),
    );
    fetch.registry.on(
        get("/token"),
        Answer::repeated(vec![b'x'; 1 << 20], 64).chunked(),
    );
    let outcome = fetch.run().env("DOCKER_TOKEN", "").run();
    fetch.failed(outcome, 7);
    assert!(fetch.registry.body_bytes() < 32 << 20, "it was read");
}

#[test]
fn a_huge_manifest_is_refused_before_it_has_come() {
    let registry = Registry::start();
    registry.on(
        get(MANIFEST),
        Answer::repeated(vec![b' '; 1 << 20], 64).chunked(),
    );
    let outcome = manifest(&registry).run().failed(7).never_says(TOKEN);
    assert!(outcome.stdout.is_empty(), "{outcome}");
    assert!(registry.body_bytes() < 32 << 20, "it was read");
}

#[test]
fn a_huge_head_is_no_answer() {
    let fetch = Fetch::new();
    let mut answer = Answer::ok(fetch.blob.clone());
    for _ in 0..1000 {
        answer = answer.header("X-Padding", "x".repeat(2000));
    }
    fetch.registry.on(fetch.whole().repeatedly(), answer);
    let outcome = fetch.run().run();
    let code = outcome.code.unwrap_or_default();
    assert!([6, 7].contains(&code), "{outcome}");
    fetch.failed(outcome, code);
}

/// Somebody who answers whatever is asked with the same bytes, one connection after another.
fn server_that_says(bytes: &'static [u8], connections: usize) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(20)))
                .unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(bytes);
        }
    });
    (name, server)
}

#[test]
fn what_is_no_http_is_no_answer() {
    for bytes in [
        b"SSH-2.0-OpenSSH_9.2\r\n" as &[u8],
        // What a server of TLS says to whoever does not speak it.
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    ] {
        let (name, server) = server_that_says(bytes, 2);
        let directory = tempfile::tempdir().unwrap();
        let outcome = layer(&digest(b"x"), &format!("{name}/app:1"))
            .env("HOCKER_RETRIES", "1")
            .in_directory(directory.path())
            .run();
        server.join().unwrap();
        outcome
            .failed(6)
            .never_says(TOKEN)
            .says("the server does not speak HTTP/1.1")
            .says("hint: check the port");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn frames_of_http_2_and_its_goaway_are_no_answer_and_said_to_be_something_else() {
    // SETTINGS, and a GOAWAY with PROTOCOL_ERROR (RFC 9113, sections 6.5 and 6.8).
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GOAWAY: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    for bytes in [[&SETTINGS[..], &GOAWAY].concat(), GOAWAY.to_vec()] {
        let (name, server) = server_that_says(bytes.leak(), 3);
        let directory = tempfile::tempdir().unwrap();
        let outcome = layer(&digest(b"x"), &format!("{name}/app:1"))
            .env("HOCKER_RETRIES", "2")
            .in_directory(directory.path())
            .run();
        server.join().unwrap();
        let outcome = outcome
            .failed(6)
            .never_says(TOKEN)
            .says("the server does not speak HTTP/1.1")
            .says("for one that speaks only HTTP/2, use a proxy");
        assert_eq!(retries(&outcome).len(), 2, "{outcome}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn an_answer_may_have_hundreds_of_headers() {
    let fetch = Fetch::new();
    let answer = (0..400).fold(Answer::ok(fetch.blob.clone()), |answer, n| {
        answer.header(&format!("X-Amz-Meta-{n}"), "x")
    });
    fetch.registry.on(fetch.whole(), answer);
    fetch.arrives();
}

#[test]
fn what_a_server_says_in_plain_text_is_told() {
    let registry = Registry::start();
    registry.on(
        get(MANIFEST),
        Answer::ok("no such host: \u{1b}[2Jregistry\n").with_status(404),
    );
    manifest(&registry)
        .run()
        .failed(3)
        .says("404 Not Found: no such host")
        .never_says("\u{1b}");
}

#[test]
fn a_web_page_is_neither_manifest_nor_blob() {
    let page = || {
        Answer::ok("<!DOCTYPE html><html><body>Please log in</body></html>")
            .header("Content-Type", "text/html")
    };
    let fetch = Fetch::new();
    fetch.registry.on(fetch.whole(), page());
    fetch.fails(5);
    assert_eq!(fetch.requests(), 1);

    let registry = Registry::start();
    registry.on(get(MANIFEST), page());
    let outcome = manifest(&registry).run().failed(7).never_says(TOKEN);
    assert!(outcome.stdout.is_empty(), "{outcome}");
}
