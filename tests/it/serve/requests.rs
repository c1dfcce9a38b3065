//! Requests as no ordinary client sends them: what means harm, and what is unusual but right.

use crate::support::image::{blob_path, digest, noise, small};
use crate::support::serving::{Reply, Serving};

/// None of them may be granted.
fn harmful_requests() -> Vec<Vec<u8>> {
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
        target("/v2/library/app/referrers/sha256:../../index.json"),
        target("/v2/library/app/referrers/1"),
        target("/v2/../../referrers/etc"),
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
        fields("Content-Length: +1\r\n\r\nx"),
        fields("Content-Length: 99999999999999999999\r\n"),
        fields("Transfer-Encoding: identity\r\n"),
        fields("Transfer-Encoding: chunked, identity\r\n"),
        fields("Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n"),
        "GET /v2/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "GET /v2/ HTTP/1.1\r\nHost: x y\r\n\r\n".to_owned(),
        "GET /v2/ HTTP/1.1\r\n Host: x\r\n\r\n".to_owned(),
        "GET /v2/ HTTP/1.1\rHost: x\r\r".to_owned(),
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
    requests
}

#[test]
fn requests_that_mean_harm_are_refused_and_the_server_lives() {
    let on_disk = small().layout("docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let requests = harmful_requests();
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
fn a_request_that_can_be_read_in_two_ways_is_the_connections_last() {
    let on_disk = small().layout("docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (fields, statuses) in [
        (chunked.to_owned(), &[200, 200][..]),
        (format!("Content-Length: 5\r\n{chunked}"), &[200]),
        (format!("{chunked}Content-Length: 5\r\n"), &[200]),
        (chunked.repeat(2), &[501]),
        ("Transfer-Encoding: chunked, chunked\r\n".to_owned(), &[501]),
        ("Transfer-Encoding: gzip, chunked\r\n".to_owned(), &[501]),
        ("Transfer-Encoding: xchunked\r\n".to_owned(), &[400]),
    ] {
        let requests = format!(
            "GET /v2/ HTTP/1.1\r\nHost: x\r\n{fields}\r\n0\r\n\r\n\
             GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        );
        let answers = String::from_utf8(serving.send(requests.as_bytes())).unwrap();
        let got: Vec<u16> = answers
            .split("HTTP/1.1 ")
            .skip(1)
            .map(|answer| answer[..3].parse().unwrap())
            .collect();
        assert_eq!(got, statuses, "{fields:?}");
    }
    serving.stop().done();
}

#[test]
fn unusual_requests_that_are_right_are_answered_as_usual() {
    let image = small();
    let on_disk = image.layout("docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let layer = &image.layers[0];
    let path = blob_path("library/app", &layer.digest());
    let (blob, whole) = (path.as_str(), layer.blob.as_slice());
    let etag = layer.digest();
    let absolute = format!("http://user:s3cret@example.net:80{blob}");
    for (request, status, body) in [
        (format!("GET {blob} HTTP/1.0\r\n"), 200, whole),
        (
            format!("GET {blob} HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n"),
            200,
            whole,
        ),
        (
            format!("\r\n\r\nGET {blob} HTTP/1.1\r\nHost: x\r\n"),
            200,
            whole,
        ),
        (format!("GET {blob} HTTP/1.1\nHost: x\n"), 200, whole),
        (format!("GET {blob} HTTP/1.1\r\nHost:\r\n"), 200, whole),
        (
            format!("GET {absolute} HTTP/1.1\r\nHost: other\r\n"),
            200,
            whole,
        ),
        (
            format!("GET {blob}?x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"),
            200,
            whole,
        ),
        (
            format!("GET {blob} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"),
            200,
            whole,
        ),
        (
            format!("GET {blob} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-0,2-3\r\n"),
            200,
            whole,
        ),
        (
            format!(
                "GET {blob} HTTP/1.1\r\nHost: x\r\nRange: bytes={}\r\n",
                "0-,".repeat(5000)
            ),
            200,
            whole,
        ),
        (
            format!("GET {blob} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-0\r\nRange: bytes=0-0\r\n"),
            200,
            whole,
        ),
        (
            format!("GET {blob} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-0\r\n"),
            206,
            &whole[..1],
        ),
        (
            format!("GET {blob} HTTP/1.1\r\nHost: x\r\nRange: bytes=-1\r\n"),
            206,
            &whole[whole.len() - 1..],
        ),
        (
            format!("GET {blob} HTTP/1.1\r\nHost: x\r\nRange: bytes=99999999-\r\n"),
            416,
            b"",
        ),
        (
            format!(
                "GET {blob} HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"a\", W/\"{etag}\"\r\nRange: bytes=0-0\r\n"
            ),
            304,
            b"",
        ),
        (
            format!("GET {blob} HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"a,{etag}\"\r\n"),
            200,
            whole,
        ),
        (
            format!("HEAD {blob} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-0\r\n"),
            200,
            b"",
        ),
    ] {
        let reply = Reply::parse(&serving.send(format!("{request}\r\n").as_bytes()));
        let beginning = &request[..request.len().min(200)];
        assert_eq!(reply.status, status, "{beginning}");
        assert!(reply.body == body, "{beginning}: another body");
        if status == 200 {
            let length = whole.len().to_string();
            assert_eq!(reply.field("content-length"), Some(length.as_str()));
        }
    }
    serving.stop().done().never_says("s3cret");
}

#[test]
fn what_is_no_http_1_gets_no_answer_that_could_be_one() {
    let on_disk = small().layout("docker.io/library/app:1");
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
    let on_disk = image.layout("docker.io/library/app:1");
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
