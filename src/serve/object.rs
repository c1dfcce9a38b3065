//! Responses with a manifest or a blob: whole, in part, or without a body if the client already has it.
//!
//! Source: RFC 9110, sections 8.8.3 (`ETag`), 13 and 14.

use std::sync::Arc;

use hyper::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    RANGE,
};
use hyper::{HeaderMap, Method, StatusCode};

use super::condition::{self, Outcome};
use super::multipart::Multipart;
use super::range::{self, Part};
use super::repository::ServedRepository;
use super::request::RequestHead;
use super::response::{Body, Refusal, Response};
use crate::oci::digest::Digest;

/// Returns the response with a manifest or index.
pub(super) fn manifest(
    repository: &ServedRepository,
    digest: &Digest,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let document = repository
        .document(digest)
        .ok_or(Refusal::MANIFEST_UNKNOWN)?;
    let media_type = HeaderValue::from_str(document.media_type.as_str())
        .unwrap_or(HeaderValue::from_static("application/json"));
    let mut response = found(media_type, digest, headers)?;
    if response.status == StatusCode::OK {
        response.set_body(Body::Bytes(document.bytes.clone()));
    }
    Ok(response)
}

/// Returns the response with a blob, or with the ranges of it that the request asks for.
pub(super) fn blob(
    repository: &ServedRepository,
    digest: &Digest,
    head: RequestHead<'_>,
) -> Result<Response, Refusal> {
    let blob = repository.blob(digest).ok_or_else(|| {
        if repository.is_foreign(digest) {
            Refusal::FOREIGN_LAYER
        } else {
            Refusal::BLOB_UNKNOWN
        }
    })?;
    let media_type = HeaderValue::from_static("application/octet-stream");
    let mut response = found(media_type, digest, head.headers)?;
    response
        .headers
        .insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if response.status != StatusCode::OK {
        return Ok(response);
    }
    match part(blob.size(), digest, head) {
        Part::Whole => response.set_body(Body::Blob(Arc::clone(blob), 0..blob.size())),
        Part::Bytes(range) => {
            response.status = StatusCode::PARTIAL_CONTENT;
            let last = range.end.saturating_sub(1);
            let field = format!("bytes {}-{last}/{}", range.start, blob.size());
            response.set_text(CONTENT_RANGE, &field);
            response.set_body(Body::Blob(Arc::clone(blob), range));
        }
        Part::Several(ranges) => match Multipart::new(blob, ranges) {
            Some(multipart) => {
                response.status = StatusCode::PARTIAL_CONTENT;
                response.set_text(CONTENT_TYPE, &multipart.content_type());
                response.set_body(Body::Multipart(multipart));
            }
            None => response.set_body(Body::Blob(Arc::clone(blob), 0..blob.size())),
        },
        Part::Unsatisfiable => {
            response.status = StatusCode::RANGE_NOT_SATISFIABLE;
            response.headers.remove(CONTENT_TYPE);
            response.set_text(CONTENT_RANGE, &format!("bytes */{}", blob.size()));
        }
    }
    Ok(response)
}

fn part(size: u64, digest: &Digest, head: RequestHead<'_>) -> Part {
    let mut fields = head.headers.get_all(RANGE).iter();
    // Only GET has ranges (RFC 9110, section 14.2). A field that is given twice is ignored.
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

/// Returns the response for content with this digest, still without its body. The conditions of the request may make it
/// 304 or an error.
fn found(
    media_type: HeaderValue,
    digest: &Digest,
    request: &HeaderMap,
) -> Result<Response, Refusal> {
    let mut response = Response::empty(StatusCode::OK);
    response.headers.insert(CONTENT_TYPE, media_type);
    response.set_text(
        HeaderName::from_static("docker-content-digest"),
        &digest.to_string(),
    );
    let etag = etag(digest);
    response.set_text(ETAG, &etag);
    match condition::evaluate(request, &etag) {
        Outcome::Proceed => {}
        Outcome::NotModified => {
            response.status = StatusCode::NOT_MODIFIED;
            response.headers.remove(CONTENT_LENGTH);
        }
        Outcome::Failed => return Err(Refusal::CONDITION_FAILED),
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{LAYER, LayoutFixture, ask, header, text};
    use super::*;

    #[test]
    fn the_response_with_a_part_of_a_blob_names_its_range() {
        let catalogue = LayoutFixture::with_image("a.io/app:1").open().unwrap();
        let digest = Digest::of(LAYER);
        let path = format!("/v2/app/blobs/{digest}");
        let etag = format!("\"{digest}\"");
        let get = |headers: &[(&str, &str)]| {
            let response = ask(&catalogue, "GET", &path, headers);
            let range = header(&response, "content-range").to_owned();
            (
                response.status.as_u16(),
                range,
                header(&response, "content-length").to_owned(),
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
    fn conditions_are_compared_with_the_digest() {
        let catalogue = LayoutFixture::with_image("a.io/app:1").open().unwrap();
        let path = "/v2/app/manifests/1";
        let etag = header(&ask(&catalogue, "HEAD", path, &[]), "etag").to_owned();
        for (name, value, status) in [
            ("if-none-match", etag.as_str(), 304),
            ("if-none-match", "\"other\"", 200),
            ("if-match", &etag, 200),
            ("if-match", "\"other\"", 412),
        ] {
            let response = ask(&catalogue, "GET", path, &[(name, value)]);
            assert_eq!(response.status.as_u16(), status, "{name}: {value}");
        }
    }

    #[test]
    fn a_foreign_layer_that_is_not_here_is_said_to_be_elsewhere() {
        let mut layout = LayoutFixture::new();
        let manifest = layout.image_with_foreign_layer(b"not distributed");
        layout.list(manifest, "a.io/app:1");
        let path = format!("/v2/app/blobs/{}", Digest::of(b"not distributed"));
        let response = ask(&layout.open().unwrap(), "GET", &path, &[]);
        assert_eq!(response.status, StatusCode::NOT_FOUND);
        assert!(text(&response).contains("is a foreign layer"));
    }
}
