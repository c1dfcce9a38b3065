//! The scripted registry itself: a script that is not kept must fail the test, or none of the others could.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::scripted_registry::{Answer, Registry, get};

/// What a plain socket reads in answer to a GET, until the connection ends.
fn ask(registry: &Registry, path: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(registry.name())?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn complaint(registry: Registry) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(registry))).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn an_expected_request_that_never_comes_fails_the_test() {
    let registry = Registry::start();
    registry.on(get("/v2/x"), Answer::ok(""));
    assert!(complaint(registry).contains("never came"));
}

/// Sends a GET and waits until it is being answered.
fn knock(registry: &Registry, path: &str) {
    let mut stream = TcpStream::connect(registry.name()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    stream.read_exact(&mut [0]).unwrap();
}

#[test]
fn a_request_that_nobody_expects_fails_the_test() {
    let registry = Registry::start();
    knock(&registry, "/v2/y");
    assert!(complaint(registry).contains("unexpected requests"));
    let registry = Registry::start();
    registry.on(get("/v2/x"), Answer::ok(""));
    knock(&registry, "/v2/x");
    knock(&registry, "/v2/x");
    assert!(complaint(registry).contains("unexpected requests"));
}

#[test]
fn a_header_that_must_not_be_there_makes_a_request_unexpected() {
    let registry = Registry::start();
    registry.on(get("/x").without("Host").perhaps(), Answer::ok(""));
    knock(&registry, "/x");
    assert!(complaint(registry).contains("unexpected requests"));
}

#[test]
fn faults_happen() {
    let registry = Registry::start();
    registry.on(get("/closed"), Answer::close_before_head());
    registry.on(get("/cut"), Answer::ok("0123456789").close_after(4));
    registry.on(get("/reset"), Answer::ok("0123456789").reset_after(4));
    registry.on(
        get("/chunks"),
        Answer::ok("0123")
            .chunked()
            .header("Connection", "close")
            .close_after(2),
    );
    assert!(ask(&registry, "/closed").unwrap().is_empty());
    let cut = ask(&registry, "/cut").unwrap();
    assert!(cut.ends_with(b"\r\n\r\n0123"));
    assert!(ask(&registry, "/reset").is_err());
    let chunks = ask(&registry, "/chunks").unwrap();
    assert!(chunks.ends_with(b"2\r\n01\r\n"));
}
