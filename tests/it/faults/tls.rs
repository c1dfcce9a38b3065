//! TLS: certificates that nobody vouches for, ways out of it, and the protocol that is spoken.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use super::{TOKEN, layer, retries};
use crate::support::hocker::Run;
use crate::support::image::{blob_path, digest, noise};
use crate::support::scripted_registry::{Answer, Registry, get};
use crate::support::tls::Authority;

/// `hocker layer` by https.
fn fetch(registry: &Registry, digest: &str, directory: &Path) -> Run {
    layer(digest, "app")
        .arguments(["--registry", &registry.url()])
        .in_directory(directory)
}

/// A registry by TLS, and a directory for what is fetched.
struct Bench {
    registry: Registry,
    directory: TempDir,
    _ca: TempDir,
    /// The file of the authority that vouches for the registry.
    bundle: PathBuf,
}

impl Bench {
    fn new(protocols: &[&str]) -> Self {
        let authority = Authority::new("the tests");
        let ca = tempfile::tempdir().unwrap();
        Self {
            registry: Registry::start_with_tls(authority.server(protocols)),
            directory: tempfile::tempdir().unwrap(),
            bundle: authority.write(ca.path()),
            _ca: ca,
        }
    }

    /// `hocker layer` that knows the authority.
    fn fetch(&self, digest: &str) -> Run {
        fetch(&self.registry, digest, self.directory.path()).env("SSL_CERT_FILE", &self.bundle)
    }

    fn fetched(&self) -> Vec<u8> {
        fs::read(self.directory.path().join("layer")).unwrap()
    }

    #[track_caller]
    fn has_nothing(&self) {
        assert_eq!(fs::read_dir(self.directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_server_that_would_speak_http_2_is_spoken_to_in_http_1() {
    // So that no stream of a shared connection stalls, and no GOAWAY ends them all.
    for protocols in [&["h2", "http/1.1"][..], &["http/1.1"], &[]] {
        let bench = Bench::new(protocols);
        let blob = noise(100_000);
        let digest = digest(&blob);
        bench
            .registry
            .on(get(blob_path("app", &digest)), Answer::ok(blob.clone()));
        bench.fetch(&digest).run().done().never_says(TOKEN);
        assert!(bench.fetched() == blob);
        for protocol in bench.registry.protocols() {
            let expected = (!protocols.is_empty()).then_some(b"http/1.1" as &[u8]);
            assert_eq!(protocol.as_deref(), expected);
        }
        assert_eq!(bench.registry.protocols().len(), 1);
    }
}

#[test]
fn a_server_that_speaks_http_2_alone_is_told_apart_and_not_tried_again() {
    let bench = Bench::new(&["h2"]);
    let outcome = bench
        .fetch(&digest(b"x"))
        .run()
        .failed(6)
        .says("the server does not speak HTTP/1.1")
        .says("for one that speaks only HTTP/2, use a proxy")
        .never_says(TOKEN);
    assert_eq!(retries(&outcome).len(), 0, "{outcome}");
    assert!(bench.registry.requests().is_empty(), "the token was sent");
    bench.has_nothing();
}

#[test]
fn a_broken_body_is_resumed_by_tls_too() {
    let bench = Bench::new(&[]);
    let blob = noise(100_000);
    let (digest, last) = (digest(&blob), blob.len() - 1);
    bench
        .registry
        .on(
            get(blob_path("app", &digest)).without("Range"),
            Answer::ok(blob.clone()).close_after(40_000),
        )
        .on(
            get(blob_path("app", &digest)).with("Range", format!("bytes=40000-{last}")),
            Answer::partial(&blob, 40_000, last),
        );
    fetch(&bench.registry, &digest, bench.directory.path())
        .env("NIX_SSL_CERT_FILE", &bench.bundle)
        .run()
        .done();
    assert!(bench.fetched() == blob);
}

#[test]
fn a_body_that_ends_without_the_end_of_tls_is_not_the_whole() {
    // Whoever can cut the connection could otherwise cut the content.
    let bench = Bench::new(&[]);
    let blob = noise(100_000);
    let digest = digest(&blob);
    bench.registry.on(
        get(blob_path("app", &digest)).repeatedly(),
        Answer::ok(blob.clone()).until_close().close_after(40_000),
    );
    let outcome = bench.fetch(&digest).run();
    assert!(
        outcome.code.is_some_and(|code| [5, 6].contains(&code)),
        "{outcome}"
    );
    bench.has_nothing();
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_tried_again() {
    let registry = Registry::start_with_tls(Authority::new("the tests").server(&[]));
    let directory = tempfile::tempdir().unwrap();
    let ca = tempfile::tempdir().unwrap();
    let other = Authority::new("somebody else").write(ca.path());
    let outcome = fetch(&registry, &digest(b"x"), directory.path())
        .env("SSL_CERT_FILE", other)
        .run()
        .failed(6)
        .says("certificate")
        .says("SSL_CERT_FILE")
        .never_says(TOKEN);
    assert_eq!(retries(&outcome).len(), 0, "{outcome}");
    assert_eq!(registry.connections(), 1);
    assert!(registry.requests().is_empty(), "the token was sent");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn https_does_not_fall_back_to_http() {
    let bench = Bench::new(&[]);
    let plain = Registry::start();
    let digest = digest(b"x");
    bench.registry.on(
        get(blob_path("app", &digest)),
        Answer::redirect(307, plain.at("/store/x?signature=5igned")),
    );
    bench
        .fetch(&digest)
        .run()
        .failed(7)
        .says("allow this server with --blobs-from")
        .never_says(TOKEN)
        .never_says("5igned");
    assert_eq!(plain.connections(), 0, "it was asked");
    bench.has_nothing();
}

#[test]
fn a_server_that_the_user_allows_may_have_blobs_without_https() {
    let authority = Authority::new("the tests");
    let ca = tempfile::tempdir().unwrap();
    let blob = noise(1000);
    let digest = digest(&blob);
    for by_variable in [false, true] {
        let registry = Registry::start_with_tls(authority.server(&[]));
        let plain = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        registry.on(
            get(blob_path("app", &digest)),
            Answer::redirect(307, plain.at("/store/x")),
        );
        plain.on(
            get("/store/x").without("Authorization"),
            Answer::ok(blob.clone()),
        );
        let run = fetch(&registry, &digest, directory.path())
            .env("SSL_CERT_FILE", authority.write(ca.path()));
        let run = if by_variable {
            run.env(
                "HOCKER_BLOBS_FROM",
                format!("http://x.example {}", plain.at("")),
            )
        } else {
            run.arguments(["--blobs-from", &plain.at("")])
        };
        run.run().done().never_says(TOKEN);
        assert!(fs::read(directory.path().join("layer")).unwrap() == blob);
    }
}

#[test]
fn a_realm_by_http_is_no_realm_of_a_registry_by_https() {
    let bench = Bench::new(&[]);
    let plain = Registry::start();
    let digest = digest(b"x");
    bench.registry.on(
        get(blob_path("app", &digest)),
        Answer::challenge(format!("Bearer realm=\"{}\"", plain.at("/token"))),
    );
    bench
        .fetch(&digest)
        .env("DOCKER_TOKEN", "")
        .arguments(["--username", "ann", "--password", TOKEN])
        .run()
        .failed(4)
        .never_says(TOKEN);
    assert_eq!(plain.connections(), 0, "it was asked");
}

#[test]
fn a_port_that_speaks_tls_is_told_apart_from_one_that_is_broken() {
    let authority = Authority::new("the tests");
    let registry = Registry::start_with_tls(authority.server(&[]));
    let directory = tempfile::tempdir().unwrap();
    // The name alone means plain http on loopback.
    layer(&digest(b"x"), &format!("{}/app:1", registry.name()))
        .arguments(["--retries", "0"])
        .in_directory(directory.path())
        .run()
        .failed(6)
        .says("use --registry https://HOST:PORT/v2/")
        .never_says(TOKEN);
    assert!(registry.requests().is_empty());
}

#[test]
fn what_a_server_says_of_http_at_a_port_for_https_is_understood() {
    for words in [
        "Client sent an HTTP request to an HTTPS server.\n",
        "<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>",
        "<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.</p>",
    ] {
        let registry = Registry::start();
        let digest = digest(b"x");
        registry.on(
            get(blob_path("app", &digest)),
            Answer::ok(words).with_status(400),
        );
        let directory = tempfile::tempdir().unwrap();
        layer(&digest, &format!("{}/app:1", registry.name()))
            .in_directory(directory.path())
            .run()
            .failed(7)
            .says("expects https, but the request was http")
            .says("use --registry https://HOST:PORT/v2/")
            .never_says(TOKEN);
    }
}

/// A server that answers the beginning of TLS with these bytes, once.
fn answering(bytes: &'static [u8]) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut hello = [0; 5];
        client.read_exact(&mut hello).unwrap();
        let _ = client.write_all(bytes);
        let _ = client.shutdown(Shutdown::Write);
        let _ = io::copy(&mut client, &mut io::sink());
    });
    (address, server)
}

#[test]
fn a_port_that_speaks_no_tls_is_told_with_how_to_say_so() {
    // As Go's servers and nginx answer what is no request.
    let (address, server) = answering(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    let directory = tempfile::tempdir().unwrap();
    let outcome = layer(&digest(b"x"), "app")
        .arguments(["--registry", &format!("https://{address}")])
        .in_directory(directory.path())
        .run()
        .failed(6)
        .says("the server does not speak TLS")
        .says("use --registry http://HOST:PORT/v2/")
        .never_says(TOKEN);
    assert_eq!(retries(&outcome).len(), 0, "{outcome}");
    server.join().unwrap();
}

#[test]
fn a_server_that_speaks_only_old_versions_of_tls_is_told() {
    // The fatal alert protocol_version, in records of TLS 1.0 and 1.2 (RFC 5246, section 7.2).
    for alert in [&[21, 3, 1, 0, 2, 2, 70], &[21, 3, 3, 0, 2, 2, 70]] {
        let (address, server) = answering(alert);
        let directory = tempfile::tempdir().unwrap();
        let outcome = layer(&digest(b"x"), "app")
            .arguments(["--registry", &format!("https://{address}")])
            .in_directory(directory.path())
            .run()
            .failed(6)
            .says("hint: configure the server for TLS 1.2 or 1.3")
            .never_says(TOKEN);
        assert_eq!(retries(&outcome).len(), 0, "{outcome}");
        server.join().unwrap();
    }
}

#[test]
fn a_self_signed_certificate_that_is_named_is_trusted() {
    let ca = tempfile::tempdir().unwrap();
    let (server, path) = Authority::self_signed(ca.path());
    let registry = Registry::start_with_tls(server);
    let directory = tempfile::tempdir().unwrap();
    let blob = noise(1000);
    let digest = digest(&blob);
    registry.on(get(blob_path("app", &digest)), Answer::ok(blob));
    fetch(&registry, &digest, directory.path())
        .env("SSL_CERT_FILE", path)
        .run()
        .done();
}

#[test]
fn authorities_come_from_directories_and_the_hosts_own() {
    for place in ["SSL_CERT_DIR", "certs.d"] {
        let authority = Authority::new("the tests");
        let registry = Registry::start_with_tls(authority.server(&[]));
        let directory = tempfile::tempdir().unwrap();
        let home = tempfile::tempdir().unwrap();
        let own = home
            .path()
            .join(".config/containers/certs.d")
            .join(registry.name());
        fs::create_dir_all(&own).unwrap();
        let blob = noise(1000);
        let digest = digest(&blob);
        registry.on(get(blob_path("app", &digest)), Answer::ok(blob));
        let run = fetch(&registry, &digest, directory.path());
        let run = if place == "certs.d" {
            fs::rename(authority.write(&own), own.join("ca.crt")).unwrap();
            run.env("HOME", home.path())
        } else {
            authority.write(home.path());
            run.env("SSL_CERT_DIR", home.path())
        };
        run.run().done();
    }
}

#[test]
fn an_error_says_which_authorities_counted_and_what_is_wrong() {
    let registry = Registry::start_with_tls(Authority::new("the tests").server(&[]));
    let directory = tempfile::tempdir().unwrap();
    let ca = tempfile::tempdir().unwrap();
    let other = Authority::new("another").write(ca.path());
    fetch(&registry, &digest(b"x"), directory.path())
        .env("NIX_SSL_CERT_FILE", &other)
        .env("SSL_CERT_FILE", "/not/read")
        .run()
        .failed(6)
        .says(&format!("{} (NIX_SSL_CERT_FILE)", other.display()))
        .says("hint: name your own certificate authority");
    let authority = Authority::new("the tests");
    let registry = Registry::start_with_tls(authority.server_named("registry.test"));
    fetch(&registry, &digest(b"x"), directory.path())
        .env("SSL_CERT_FILE", authority.write(ca.path()))
        .run()
        .failed(6)
        .says("hint: use a name of the registry that its certificate lists");
}
