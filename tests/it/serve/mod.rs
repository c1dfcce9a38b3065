//! `hocker serve`: what clients get, and what becomes of requests that mean harm.

use std::fs;
use std::io::{Read, Write};
use std::thread;

use tempfile::TempDir;

use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing, blob_path, digest, noise, small};
use crate::support::serving::{Reply, Serving};

/// A layout of an image with this name.
fn layout(image: &Image, name: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    image.write_layout(directory.path(), name);
    directory
}

fn one_layer(content: &[u8]) -> Image {
    let layer = Layer::of_files(Packing::Plain, &[("content", content)]);
    Image::new(Family::Oci, &["/content"], vec![layer])
}

#[test]
fn what_is_fetched_from_it_is_what_was_on_disk() {
    let image = small();
    let on_disk = layout(&image, "docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let fetched = tempfile::tempdir().unwrap();
    let reference = format!("{}/library/app", serving.name());
    for reference in [
        format!("{reference}:1"),
        format!("{reference}@{}", image.digest()),
        format!("{}/docker.io/library/app:1", serving.name()),
    ] {
        let manifest = hocker(["manifest", &reference]).run().done().stdout;
        assert!(manifest == image.manifest, "{reference}: another manifest");
        hocker(["image", "--format", "oci-dir", "--out", "app", &reference])
            .in_directory(fetched.path())
            .run()
            .done();
        for blob in [&image.config, &image.layers[0].blob, &image.layers[1].blob] {
            let hex = crate::support::image::hex(blob);
            let path = fetched.path().join("app/blobs/sha256").join(hex);
            assert!(fs::read(path).unwrap() == *blob, "{reference}: other bytes");
        }
        fs::remove_dir_all(fetched.path().join("app")).unwrap();
    }
    serving.stop().done();
}

#[test]
fn ten_images_are_served_each_under_its_name() {
    let images: Vec<(Image, TempDir)> = (0..10)
        .map(|number| {
            let image = one_layer(&noise(1000 + number));
            let name = format!("registry-{number}.example/team/app-{number}:1.{number}");
            let directory = layout(&image, &name);
            (image, directory)
        })
        .collect();
    let serving = Serving::start(images.iter().map(|(_, directory)| directory.path()));
    for (number, (image, _)) in images.iter().enumerate() {
        for target in [
            format!("/v2/team/app-{number}/manifests/1.{number}"),
            format!("/v2/registry-{number}.example/team/app-{number}/manifests/1.{number}"),
            format!("/v2/team/app-{number}/manifests/1.{number}?ns=registry-{number}.example"),
            format!("/v2/team/app-{number}/manifests/{}", image.digest()),
        ] {
            let reply = serving.ask("GET", &target, "");
            assert_eq!(reply.status, 200, "{target}");
            assert!(reply.body == image.manifest, "{target}: another manifest");
        }
        // A blob of one repository is none of another.
        let other = format!("team/app-{}", (number + 1) % 10);
        let layer = image.layers[0].digest();
        assert_eq!(
            serving.ask("GET", &blob_path(&other, &layer), "").status,
            404
        );
    }
    let list = serving.ask("GET", "/v2/_catalog?n=2", "");
    assert_eq!(
        String::from_utf8(list.body).unwrap(),
        r#"{"repositories":["team/app-0","team/app-1"]}"#
    );
    serving.stop().done();
}

#[test]
fn images_that_share_a_name_are_told_at_the_start() {
    let (first, second) = (one_layer(b"first"), one_layer(b"second"));
    let (first_layout, second_layout) =
        (layout(&first, "a.io/app:1"), layout(&second, "z.io/app:1"));
    let serving = Serving::start([first_layout.path(), second_layout.path()]);
    assert_eq!(serving.ask("GET", "/v2/app/manifests/1", "").status, 404);
    for (registry, image) in [("a.io", &first), ("z.io", &second)] {
        let target = format!("/v2/app/manifests/1?ns={registry}");
        assert!(serving.ask("GET", &target, "").body == image.manifest);
    }
    serving
        .stop()
        .done()
        .says("app:1 may be a.io/app:1 or z.io/app:1");

    let serving = Serving::start(
        [first_layout.path(), second_layout.path()]
            .map(|path| path.to_str().unwrap())
            .into_iter()
            .chain(["--full-names"]),
    );
    assert_eq!(serving.ask("GET", "/v2/app/manifests/1", "").status, 404);
    assert_eq!(
        serving.ask("GET", "/v2/a.io/app/manifests/1", "").status,
        200
    );
    let outcome = serving.stop().done();
    assert!(!outcome.stderr.contains("may be"), "{outcome}");
}

#[test]
fn the_access_log_has_one_line_a_request_unless_it_is_not_wanted() {
    let image = small();
    let on_disk = layout(&image, "docker.io/library/app:1");
    let layer = blob_path("library/app", &image.layers[0].digest());
    let ask = |serving: &Serving| {
        serving.ask("GET", "/v2/", "User-Agent: a\"b\r\n");
        serving.ask("GET", &layer, "Range: bytes=0-9\r\n");
        serving.ask(
            "HEAD",
            "/v2/nobody/manifests/1",
            "Authorization: Bearer s3cret\r\n",
        );
        serving.send(b"nonsense\r\n\r\n");
    };
    let serving = Serving::start([on_disk.path()]);
    ask(&serving);
    let outcome = serving.stop().done().never_says("s3cret");
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let expected = [
        "\"GET /v2/ HTTP/1.1\" 200 2 \"-\" \"a\\\"b\"".to_owned(),
        format!("\"GET {layer} HTTP/1.1\" 206 10 \"-\" \"-\""),
        "\"HEAD /v2/nobody/manifests/1 HTTP/1.1\" 404 0 \"-\" \"-\"".to_owned(),
        "\"-\" 400 0 \"-\" \"-\"".to_owned(),
    ];
    assert_eq!(lines.len(), expected.len(), "{outcome}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
        assert!(line.ends_with(&format!(" +0000] {expected}")), "{line}");
    }

    let serving = Serving::start([on_disk.path().to_str().unwrap(), "--quiet"]);
    ask(&serving);
    assert_eq!(serving.stop().done().stderr, "");
}

#[test]
fn requests_that_mean_harm_are_refused_and_the_server_lives() {
    let on_disk = layout(&small(), "docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let target = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
    let fields = |fields: &str| format!("GET /v2/ HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
    let long = |length| "a".repeat(length);
    let digest = digest(b"unknown");
    let mut requests: Vec<Vec<u8>> = [
        // No requests at all.
        "\0\0\0\0\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET /v2/\r\n\r\n".to_owned(),
        "GET  HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /v2/ HTTP/7.0\r\nHost: x\r\n\r\n".to_owned(),
        "GET /v2/ HTTP/1.1\r\n\r\n".to_owned(),
        // Paths out of what is served.
        target("/etc/passwd"),
        target("/../../../../etc/passwd"),
        target("//etc/passwd"),
        target("/v2/../../../../etc/passwd"),
        target("/v2/library/app/blobs/../../../../../etc/passwd"),
        target("/v2/library/app/manifests/../../index.json"),
        target("/v2/library/app/blobs/sha256:../../../../../etc/passwd"),
        target("/v2/library/app/blobs/..%2f..%2f..%2f..%2fetc%2fpasswd"),
        target("/v2/library/app/blobs/sha256%3A..%2F..%2Findex.json"),
        target("/v2/library/app/blobs/%2e%2e"),
        target("/v2/library%2Fapp/manifests/1"),
        target("/v2/library/../library/app/manifests/1"),
        target("/v2/./library/app/manifests/1"),
        target("/v2/library//app/manifests/1"),
        target("/v2/..%2f..%2fetc/manifests/passwd"),
        target("/v2/..;/manifests/1"),
        target("/v2/library\\app/manifests/1"),
        target("/oci-layout"),
        target("/index.json"),
        target("/v2/index.json"),
        target("http://x/v2/../etc/passwd"),
        // Odd characters.
        target("/v2/library/app/manifests/%zz"),
        target("/v2/library/app/manifests/%"),
        target("/v2/library/app/manifests/%00"),
        target("/v2/library/app/manifests/1%00"),
        target("/v2/library/app/manifests/1\0"),
        target("/v2/library/app/manifests/1%0d%0aX:%20y"),
        target("/v2/library/app/manifests/\u{e9}"),
        target("/v2/LIBRARY/APP/manifests/1"),
        target("/v2/library/app/manifests/1?ns=%ff%00/../"),
        target("/v2/library/app/manifests/1?ns=http://docker.io"),
        // Names of any length.
        target(&format!("/v2/{}/manifests/1", long(300))),
        target(&format!("/v2/library/app/manifests/{}", long(200))),
        target(&format!("/v2/library/app/blobs/sha256:{}", long(64))),
        target(&format!("/v2/library/app/blobs/{digest}0")),
        target(&format!("/v2/library/app/blobs/sha999:{}", long(64))),
        target(&format!("/v2/library/app/blobs/{digest}")),
        target(&format!("/v2/{}", "a/".repeat(5000))),
        target(&format!("/{}", long(70_000))),
        // Fields.
        fields(&format!("X: {}\r\n", long(100_000))),
        fields(&"X: y\r\n".repeat(500)),
        fields("Host: y\r\n"),
        fields("X : y\r\n"),
        fields("X: y\r\n z\r\n\r\n: x\r\n"),
        fields("X\0: y\r\n"),
        fields("Content-Length: 1\r\nContent-Length: 2\r\n"),
        fields("Content-Length: -1\r\n"),
    ]
    .map(String::into_bytes)
    .into();
    for method in [
        "DELETE", "PUT", "PATCH", "POST", "TRACE", "OPTIONS", "BREW", "get",
    ] {
        let request = format!("{method} /v2/library/app/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n");
        requests.push(request.into_bytes());
    }
    requests.push(b"CONNECT x:22 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec());
    requests.push(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".to_vec());
    requests.push(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec());
    requests.push(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX\xff\xfe: y\r\n\r\n".to_vec());
    requests.push(noise(10_000));
    for request in &requests {
        let beginning = String::from_utf8_lossy(&request[..request.len().min(100)]).into_owned();
        let reply = Reply::parse(&serving.send(request));
        assert!(
            (400..500).contains(&reply.status),
            "{beginning:?}: {}",
            reply.head
        );
        assert!(
            !reply.body.windows(5).any(|window| window == b"root:"),
            "{beginning:?} gave a file away"
        );
        assert_eq!(serving.ask("GET", "/v2/", "").status, 200, "{beginning:?}");
    }
    let outcome = serving.stop().done();
    assert_eq!(
        outcome.stderr.lines().count(),
        2 * requests.len(),
        "{outcome}"
    );
}

#[test]
fn what_is_no_http_1_gets_no_answer_that_could_be_one() {
    let on_disk = layout(&small(), "docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let answer = serving.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert!(!answer.starts_with(b"HTTP/1.1 2"), "{answer:?}");
    serving.send(b"");
    assert_eq!(serving.ask("GET", "/v2/", "").status, 200);
    serving.stop().done();
}

#[test]
fn requests_one_after_another_are_answered_in_their_order() {
    let image = small();
    let on_disk = layout(&image, "docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let get = |target: &str, last: &str| format!("GET {target} HTTP/1.1\r\nHost: x\r\n{last}\r\n");
    let layer = &image.layers[0];
    let requests = [
        get(&blob_path("library/app", &layer.digest()), ""),
        get("/v2/nobody/tags/list", ""),
        // A body that nobody asked for.
        "GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\nGET /etc/passwd \r\n".to_owned(),
        get("/v2/library/app/tags/list", "Connection: close\r\n"),
    ];
    let mut rest = serving.send(requests.concat().as_bytes());
    let mut bodies = Vec::new();
    for _ in 0..4 {
        let reply = Reply::parse(&rest);
        let length: usize = reply.field("content-length").unwrap().parse().unwrap();
        rest = reply.body[length..].to_vec();
        bodies.push((reply.status, reply.body[..length].to_vec()));
    }
    assert!(bodies[0] == (200, layer.blob.clone()), "another layer");
    assert_eq!(bodies[1].0, 404);
    assert_eq!(bodies[2], (200, b"{}".to_vec()));
    assert_eq!(bodies[3].1, br#"{"name":"library/app","tags":["1"]}"#);
    assert_eq!(rest, b"");
    serving.stop().done();
}

#[test]
fn who_closes_its_half_of_the_connection_still_gets_the_whole_answer() {
    let image = one_layer(&noise(8 << 20));
    let on_disk = layout(&image, "docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    // `ask` does just that.
    let reply = serving.ask(
        "GET",
        &blob_path("library/app", &image.layers[0].digest()),
        "",
    );
    assert!(
        reply.body == image.layers[0].blob,
        "{} bytes",
        reply.body.len()
    );
    serving.stop().done();
}

#[test]
fn sixty_four_clients_at_once_get_the_same_bytes_and_memory_stays_flat() {
    const CLIENTS: usize = 64;
    const LIMIT_KIB: u64 = 48 << 10;
    let image = one_layer(&noise(4 << 20));
    let layer = &image.layers[0];
    let on_disk = layout(&image, "docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let path = blob_path("library/app", &layer.digest());
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (serving, path) = (&serving, &path);
            scope.spawn(move || {
                // Half of them go on where something broke off.
                let start = number % 2 * number * 1000;
                let range = format!("Range: bytes={start}-\r\n");
                let range = if start > 0 { range.as_str() } else { "" };
                let reply = serving.ask("GET", path, range);
                assert_eq!(reply.status, if start > 0 { 206 } else { 200 });
                assert!(
                    reply.body == layer.blob[start..],
                    "client {number}: other bytes"
                );
            });
        }
    });
    let peak = serving.running().peak_memory();
    assert!(peak < LIMIT_KIB, "the peak was {peak} KiB");
    let outcome = serving.stop().done();
    assert_eq!(outcome.stderr.lines().count(), CLIENTS, "{outcome}");
}

#[test]
fn a_second_signal_does_not_wait_for_what_is_under_way() {
    let image = one_layer(&noise(16 << 20));
    let on_disk = layout(&image, "docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let path = blob_path("library/app", &image.layers[0].digest());
    let mut client = serving.connect();
    write!(client, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    client.read_exact(&mut [0]).unwrap();
    serving.running().terminate();
    // It has heard the first signal when it no longer listens.
    while std::net::TcpStream::connect(serving.name()).is_ok() {
        thread::yield_now();
    }
    serving.stop().done();
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert!(rest.len() < image.layers[0].blob.len(), "it waited");
}
