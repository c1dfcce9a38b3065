//! Manifests and blobs as they go out: whole, in part, or not at all where the client has them.
//!
//! Source: RFC 9110, sections 8.8.3 (`ETag`), 13 and 14.

use std::sync::Arc;

use hyper::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    RANGE,
};
use hyper::{HeaderMap, Method, StatusCode};

use super::answer::{Answer, Body, Refusal};
use super::condition::{self, Outcome};
use super::contents::Contents;
use super::range::{self, Part};
use super::request::Head;
use crate::oci::digest::Digest;

/// The answer to who asks for a manifest or index by its digest.
pub(super) fn manifest(
    contents: &Contents,
    digest: &Digest,
    headers: &HeaderMap,
) -> Result<Answer, Refusal> {
    let document = contents.document(digest).ok_or(Refusal::MANIFEST_UNKNOWN)?;
    let media_type = HeaderValue::from_str(document.media_type.as_str())
        .unwrap_or(HeaderValue::from_static("application/json"));
    let mut answer = found(media_type, digest, headers)?;
    if answer.status == StatusCode::OK {
        answer.set_body(Body::Bytes(document.bytes.clone()));
    }
    Ok(answer)
}

/// The answer to who asks for a blob.
pub(super) fn blob(
    contents: &Contents,
    digest: &Digest,
    head: Head<'_>,
) -> Result<Answer, Refusal> {
    let blob = contents.blob(digest).ok_or_else(|| {
        if contents.is_foreign(digest) {
            Refusal::FOREIGN_LAYER
        } else {
            Refusal::BLOB_UNKNOWN
        }
    })?;
    let media_type = HeaderValue::from_static("application/octet-stream");
    let mut answer = found(media_type, digest, head.headers)?;
    answer
        .headers
        .insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if answer.status != StatusCode::OK {
        return Ok(answer);
    }
    match part(blob.size(), digest, head) {
        Part::Whole => answer.set_body(Body::Blob(Arc::clone(blob), 0..blob.size())),
        Part::Bytes(range) => {
            answer.status = StatusCode::PARTIAL_CONTENT;
            let last = range.end.saturating_sub(1);
            let place = format!("bytes {}-{last}/{}", range.start, blob.size());
            answer.set_text(CONTENT_RANGE, &place);
            answer.set_body(Body::Blob(Arc::clone(blob), range));
        }
        Part::Unsatisfiable => {
            answer.status = StatusCode::RANGE_NOT_SATISFIABLE;
            answer.headers.remove(CONTENT_TYPE);
            answer.set_text(CONTENT_RANGE, &format!("bytes */{}", blob.size()));
        }
    }
    Ok(answer)
}

fn part(size: u64, digest: &Digest, head: Head<'_>) -> Part {
    let mut fields = head.headers.get_all(RANGE).iter();
    // Other methods know no ranges (RFC 9110, section 14.2), and what is said twice says nothing.
    match (head.method, fields.next(), fields.next()) {
        (&Method::GET, Some(field), None)
            if condition::range_counts(head.headers, &etag(digest)) =>
        {
            field
                .to_str()
                .map_or(Part::Whole, |field| range::parse(field, size))
        }
        _ => Part::Whole,
    }
}

fn etag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// The answer about content of this digest, without its body: the client may have it already.
fn found(media_type: HeaderValue, digest: &Digest, request: &HeaderMap) -> Result<Answer, Refusal> {
    let mut answer = Answer::empty(StatusCode::OK);
    answer.headers.insert(CONTENT_TYPE, media_type);
    answer.set_text(
        HeaderName::from_static("docker-content-digest"),
        &digest.to_string(),
    );
    let etag = etag(digest);
    answer.set_text(ETAG, &etag);
    match condition::evaluate(request, &etag) {
        Outcome::Proceed => {}
        Outcome::NotModified => {
            answer.status = StatusCode::NOT_MODIFIED;
            answer.headers.remove(CONTENT_LENGTH);
        }
        Outcome::Failed => return Err(Refusal::CONDITION_FAILED),
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{LAYER, LayoutFixture, ask, header, text};
    use super::*;

    #[test]
    fn a_part_of_a_blob_is_answered_with_its_place() {
        let catalogue = LayoutFixture::with_image("a.io/app:1").open().unwrap();
        let digest = Digest::of(LAYER);
        let path = format!("/v2/app/blobs/{digest}");
        let etag = format!("\"{digest}\"");
        let get = |headers: &[(&str, &str)]| {
            let answer = ask(&catalogue, "GET", &path, headers);
            let range = header(&answer, "content-range").to_owned();
            (
                answer.status.as_u16(),
                range,
                header(&answer, "content-length").to_owned(),
            )
        };
        for (headers, status, range, length) in [
            (&[][..], 200, "", "10"),
            (&[("range", "bytes=2-4")], 206, "bytes 2-4/10", "3"),
            (&[("range", "bytes=4-")], 206, "bytes 4-9/10", "6"),
            (&[("range", "bytes=10-")], 416, "bytes */10", "0"),
            (&[("range", "bytes=1-2,4-5")], 200, "", "10"),
            (
                &[("range", "bytes=4-"), ("if-range", &etag)],
                206,
                "bytes 4-9/10",
                "6",
            ),
            (
                &[("range", "bytes=4-"), ("if-range", "\"old\"")],
                200,
                "",
                "10",
            ),
        ] {
            assert_eq!(
                get(headers),
                (status, range.to_owned(), length.to_owned()),
                "{headers:?}"
            );
        }
        let head = ask(&catalogue, "HEAD", &path, &[("range", "bytes=2-4")]);
        assert_eq!(
            (head.status.as_u16(), header(&head, "content-length")),
            (200, "10")
        );
    }

    #[test]
    fn conditions_are_held_against_the_digest() {
        let catalogue = LayoutFixture::with_image("a.io/app:1").open().unwrap();
        let path = "/v2/app/manifests/1";
        let etag = header(&ask(&catalogue, "HEAD", path, &[]), "etag").to_owned();
        for (name, value, status) in [
            ("if-none-match", etag.as_str(), 304),
            ("if-none-match", "\"other\"", 200),
            ("if-match", &etag, 200),
            ("if-match", "\"other\"", 412),
        ] {
            let answer = ask(&catalogue, "GET", path, &[(name, value)]);
            assert_eq!(answer.status.as_u16(), status, "{name}: {value}");
        }
    }

    #[test]
    fn a_foreign_layer_that_is_not_here_is_said_to_be_elsewhere() {
        let mut layout = LayoutFixture::new();
        let manifest = layout.image_with_foreign_layer(b"not distributed");
        layout.list(manifest, "a.io/app:1");
        let path = format!("/v2/app/blobs/{}", Digest::of(b"not distributed"));
        let answer = ask(&layout.open().unwrap(), "GET", &path, &[]);
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(text(&answer).contains("a foreign layer"));
    }
}
