//! Servers that lead elsewhere, send too much, or send something else.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Fetch, TOKEN, layer, retries};
use crate::support::hocker::hocker;
use crate::support::image::{digest, small};
use crate::support::scripted_registry::{Answer, Registry, get};

const MANIFEST: &str = "/v2/app/manifests/1";

fn manifest(registry: &Registry) -> crate::support::hocker::Run {
    hocker(["manifest", &format!("{}/app:1", registry.name())]).env("DOCKER_TOKEN", TOKEN)
}

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
fn a_redirect_into_the_clients_own_network_is_refused() {
    // The registry seems to be far away: it is reached through a proxy.
    for target in [
        "http://127.0.0.1:9/x",
        "http://localhost:9/x",
        "http://LOCALHOST.:9/x",
        "//app.localhost/x",
        "http:\\\\localhost",
        "http://[::1]:9/x",
        "http://[::127.0.0.1]/x",
        "http://10.0.0.1/x",
        "http://100.64.0.1/x",
        "http://198.18.0.1/x",
        "http://255.255.255.255/x",
        "http://[64:ff9b::7f00:1]/x",
        "http://[fec0::1]/x",
        "http://192.168.1.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:10.0.0.1]/x",
        "http://[fe80::1]/x",
        "http://0.0.0.0:9/x",
    ] {
        let proxy = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        let digest = digest(b"x");
        let url = format!("http://registry.invalid/v2/app/blobs/{digest}");
        proxy.on(get(url), Answer::redirect(307, target));
        hocker(["layer", "--layer", &digest, "--out", "layer"])
            .arguments(["--registry", "http://registry.invalid/v2/", "app", "1"])
            .env("DOCKER_TOKEN", TOKEN)
            .env("http_proxy", proxy.at(""))
            .in_directory(directory.path())
            .run()
            .failed(7)
            .never_says(TOKEN);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        assert_eq!(proxy.requests().len(), 1, "{target} was asked");
    }
}

#[test]
fn a_registry_in_a_private_network_may_have_its_blobs_there() {
    // A proxy stands in for that network.
    for (registry, target, allowed) in [
        ("http://registry.lan:5000", "http://10.0.0.5:9000/x", None),
        ("http://10.0.0.1", "http://192.168.0.5/x", None),
        (
            "http://registry.example",
            "http://10.0.0.5:9000/x",
            Some("http://10.0.0.5:9000"),
        ),
    ] {
        let network = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        let digest = digest(b"x");
        let url = format!("{registry}/v2/app/blobs/{digest}");
        network.on(get(url), Answer::redirect(307, target));
        network.on(get(target).without("Authorization"), Answer::ok("x"));
        hocker(["layer", "--layer", &digest, "--out", "layer"])
            .arguments(["--registry", registry, "app", "1"])
            .arguments(allowed.iter().flat_map(|url| ["--blobs-from", url]))
            .env("DOCKER_TOKEN", TOKEN)
            .env("http_proxy", network.at(""))
            .in_directory(directory.path())
            .run()
            .done()
            .never_says(TOKEN);
    }
}

#[test]
fn a_realm_of_a_far_registry_is_on_the_internet() {
    for realm in [
        "https://127.0.0.1:9/token",
        "https://localhost:9/token",
        "https://LOCALHOST.:9/token",
        "https:\\\\app.localhost\\token",
        "https://[::127.0.0.1]/token",
        "https://10.0.0.1/token",
        "https://100.64.0.1/token",
        "https://192.0.0.1/token",
        "https://0.0.0.1/token",
        "https://255.255.255.255/token",
        "https://[64:ff9b::a00:1]/token",
        "https://[fec0::1]/token",
        "https://me@token.example/token",
        "https://:pw@token.example/token",
        "http://token.example/token",
    ] {
        let proxy = Registry::start();
        let challenge = format!("Bearer realm=\"{realm}\"").replace('\\', "\\\\");
        let url = "http://registry.invalid/v2/app/manifests/1";
        proxy.on(get(url), Answer::challenge(challenge));
        hocker(["manifest"])
            .arguments(["--registry", "http://registry.invalid/v2/", "app", "1"])
            .arguments(["--username", "ann", "--password", TOKEN])
            .env("http_proxy", proxy.at(""))
            .env("https_proxy", proxy.at(""))
            .run()
            .failed(4)
            .says("as its token service, ")
            .never_says(TOKEN);
        assert_eq!(proxy.requests().len(), 1, "{realm} was asked");
    }
}

#[test]
fn a_realm_inside_the_clients_network_is_not_asked() {
    // It is on another address of loopback than the registry, so it is somebody else.
    let inside = Registry::start_at("127.0.0.2:0");
    let fetch = Fetch::new();
    fetch.registry.on(
        get(fetch.path()).without("Authorization"),
        Answer::challenge(format!("Bearer realm=\"{}\"", inside.at("/token"))),
    );
    let outcome = fetch
        .run()
        .env("DOCKER_TOKEN", "")
        .arguments(["--username", "ann", "--password", TOKEN])
        .run();
    fetch.failed(outcome, 4);
    assert_eq!(inside.connections(), 0, "it was asked");
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
            .says("it speaks something else than HTTP/1.1")
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
            .says("it speaks something else than HTTP/1.1")
            .says("one that speaks only HTTP/2 needs a proxy");
        assert_eq!(retries(&outcome).len(), 2, "{outcome}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn an_encoded_manifest_is_refused_by_the_name_of_the_header() {
    let image = small();
    let registry = Registry::start();
    registry.on(
        get(MANIFEST),
        image.manifest_answer().header("Content-Encoding", "gzip"),
    );
    manifest(&registry)
        .run()
        .failed(7)
        .says("Content-Encoding")
        .never_says(TOKEN);
}

#[test]
fn the_digest_decides_about_a_blob_that_is_said_to_be_encoded() {
    // Object stores say how a blob was once uploaded, and httpd what its name looks like.
    for encoding in ["aws-chunked", "gzip", "x-gzip", "identity"] {
        let fetch = Fetch::new();
        fetch.registry.on(
            fetch.whole(),
            Answer::ok(fetch.blob.clone()).header("Content-Encoding", encoding),
        );
        fetch.arrives();
    }
    let fetch = Fetch::new();
    fetch.registry.on(
        fetch.whole(),
        Answer::ok(vec![0; fetch.blob.len()]).header("Content-Encoding", "gzip"),
    );
    fetch.fails(5);
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
fn an_encoded_document_is_refused_by_the_name_of_the_header() {
    let registry = Registry::start();
    registry.on(
        get(MANIFEST),
        small().manifest_answer().header("Content-Encoding", "gzip"),
    );
    manifest(&registry).run().failed(7).says("Content-Encoding");
}

#[test]
fn an_encoding_that_changes_nothing_is_none() {
    let fetch = Fetch::new();
    fetch.registry.on(
        fetch.whole(),
        Answer::ok(fetch.blob.clone()).header("Content-Encoding", "identity"),
    );
    fetch.arrives();
    let requests = fetch.registry.requests();
    assert_eq!(requests[0].header("Accept-Encoding"), Some("identity"));
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

#[test]
fn a_digest_header_proves_and_disproves_nothing() {
    let sha512 = format!("sha512:{}", "0".repeat(128));
    for header in [digest(b"another"), sha512, "nonsense".to_owned()] {
        let image = small();
        for reference in [":1".to_owned(), format!("@{}", image.digest())] {
            let registry = Registry::start();
            let answer = Answer::ok(image.manifest.clone())
                .header("Content-Type", image.media_type)
                .header("Docker-Content-Digest", header.clone());
            let path = format!("/v2/app/manifests/{}", &reference[1..]);
            registry.on(get(path), answer);
            let outcome = hocker(["manifest", &format!("{}/app{reference}", registry.name())])
                .run()
                .done();
            assert_eq!(outcome.stdout, image.manifest, "{header}");
        }
        let fetch = Fetch::new();
        fetch.registry.on(
            fetch.whole(),
            Answer::ok(fetch.blob.clone()).header("Docker-Content-Digest", header),
        );
        fetch.arrives();
    }
}

#[test]
fn a_digest_header_does_not_make_other_content_right() {
    let image = small();
    let registry = Registry::start();
    let asked = digest(b"what was asked for");
    registry.on(
        get(format!("/v2/app/manifests/{asked}")),
        Answer::ok(image.manifest.clone())
            .header("Content-Type", image.media_type)
            .header("Docker-Content-Digest", asked.clone()),
    );
    let outcome = hocker(["manifest", &format!("{}/app@{asked}", registry.name())])
        .run()
        .failed(5);
    assert!(outcome.stdout.is_empty(), "{outcome}");
}
