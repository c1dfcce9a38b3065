//! Requests for several ranges of a blob.

use crate::support::image::{Family, Image, Layer, Packing, blob_path, noise};
use crate::support::serving::{Reply, Serving};

/// The parts of a `multipart/byteranges` response: the value of `Content-Range` and the content.
fn parts(reply: &Reply) -> Vec<(String, Vec<u8>)> {
    let media_type = reply.field("content-type").unwrap();
    let boundary = media_type
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap_or_else(|| panic!("not in parts: {media_type}"));
    let separator = format!("\r\n--{boundary}").into_bytes();
    let mut parts = Vec::new();
    let mut rest = reply.body.as_slice();
    loop {
        rest = rest.strip_prefix(separator.as_slice()).unwrap();
        if rest == b"--\r\n" {
            return parts;
        }
        let head_end = position(rest, b"\r\n\r\n") + 4;
        let head = std::str::from_utf8(&rest[..head_end]).unwrap();
        let (_, range) = head.split_once("Content-Range: bytes ").unwrap();
        let length = position(&rest[head_end..], &separator);
        let content = rest[head_end..head_end + length].to_vec();
        parts.push((range.trim_end().to_owned(), content));
        rest = &rest[head_end + length..];
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> usize {
    let mut windows = bytes.windows(wanted.len());
    windows.position(|window| window == wanted).unwrap()
}

#[test]
fn several_ranges_are_sent_in_parts_in_the_order_of_the_request() {
    let layer = Layer::of_files(Packing::Plain, &[("content", &noise(600_000))]);
    let image = Image::new(Family::Oci, &["/content"], vec![layer]);
    let on_disk = image.layout("docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let blob = &image.layers[0].blob;
    let path = blob_path("library/app", &image.layers[0].digest());
    let size = blob.len();
    let etag = image.layers[0].digest();
    for (ranges, condition, expected) in [
        ("0-0,5-6", String::new(), vec![0..1, 5..7]),
        (
            "-1,0-299999",
            String::new(),
            vec![size - 1..size, 0..300_000],
        ),
        (
            "10-19,15-24,10-19",
            String::new(),
            vec![10..20, 15..25, 10..20],
        ),
        (
            "3-4,500000-",
            format!("If-Range: \"{etag}\"\r\n"),
            vec![3..5, 500_000..size],
        ),
        ("0-0,1-1,99999999-", String::new(), vec![0..1, 1..2]),
    ] {
        let fields = format!("Range: bytes={ranges}\r\n{condition}");
        let reply = serving.ask("GET", &path, &fields);
        assert_eq!(reply.status, 206, "{ranges}");
        assert_eq!(reply.field("content-range"), None, "{ranges}");
        let length = reply.body.len().to_string();
        assert_eq!(reply.field("content-length"), Some(length.as_str()));
        let parts = parts(&reply);
        let found: Vec<_> = parts.iter().map(|(range, _)| range.as_str()).collect();
        let listed: Vec<_> = expected
            .iter()
            .map(|range| format!("{}-{}/{size}", range.start, range.end - 1))
            .collect();
        assert_eq!(found, listed, "{ranges}");
        for ((_, content), range) in parts.iter().zip(expected) {
            assert!(*content == blob[range], "{ranges}: other bytes");
        }
    }
    serving.stop().done();
}

#[test]
fn a_request_whose_ranges_are_not_worth_it_is_answered_with_the_whole_blob() {
    let layer = Layer::of_files(Packing::Plain, &[("content", &noise(200_000))]);
    let image = Image::new(Family::Oci, &["/content"], vec![layer]);
    let on_disk = image.layout("docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let blob = &image.layers[0].blob;
    let path = blob_path("library/app", &image.layers[0].digest());
    let thousands = "0-0,".repeat(1025);
    for (method, fields, status, body) in [
        ("GET", "Range: bytes=0-,0-,0-\r\n", 200, blob.as_slice()),
        ("GET", &format!("Range: bytes={thousands}\r\n"), 200, blob),
        ("GET", "Range: bytes=0-0,9-5\r\n", 200, blob),
        ("GET", "Range: bytes=0-0,nonsense\r\n", 200, blob),
        (
            "GET",
            "Range: bytes=0-0,2-3\r\nIf-Range: \"x\"\r\n",
            200,
            blob,
        ),
        ("HEAD", "Range: bytes=0-0,2-3\r\n", 200, b""),
        ("GET", "Range: bytes=99999999-,-0\r\n", 416, b""),
        // One part that is left is no multipart response.
        ("GET", "Range: bytes=0-9,99999999-\r\n", 206, &blob[..10]),
    ] {
        let reply = serving.ask(method, &path, fields);
        assert_eq!(reply.status, status, "{method} {fields}");
        assert!(reply.body == body, "{method} {fields}: another body");
    }
    serving.stop().done();
}
