//! From a request to what answers it, without touching files or sockets.
//!
//! Source: OCI distribution specification, sections "Pull" and "Content Discovery".

use std::sync::Arc;

use hyper::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, IF_NONE_MATCH, IF_RANGE, LINK, RANGE,
};
use hyper::{HeaderMap, Method, StatusCode, Uri};

use super::answer::{Answer, Body, Refusal, json};
use super::catalogue::{Catalogue, Contents};
use super::page;
use super::range::{self, Part};
use crate::digest::Digest;
use crate::reference::Repository;

/// Answers a request.
pub(super) fn answer(
    catalogue: &Catalogue,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Answer {
    let mut answer = if method == Method::GET || method == Method::HEAD {
        read(catalogue, uri, headers, method == Method::GET)
            .unwrap_or_else(|refusal| refusal.answer())
    } else {
        let mut answer = Refusal::READ_ONLY.answer();
        answer
            .headers
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        answer
    };
    answer.headers.insert(
        HeaderName::from_static("docker-distribution-api-version"),
        HeaderValue::from_static("registry/2.0"),
    );
    answer
}

fn read(
    catalogue: &Catalogue,
    uri: &Uri,
    headers: &HeaderMap,
    ranges: bool,
) -> Result<Answer, Refusal> {
    let query = uri.query().unwrap_or_default();
    let path = match uri.path() {
        "/v2" => "",
        path => path.strip_prefix("/v2/").ok_or(Refusal::NO_SUCH_PATH)?,
    };
    match path {
        "" => return Ok(json(StatusCode::OK, "{}".into())),
        "_catalog" => {
            let (page, next) = page::of(catalogue.repositories(), query);
            let page = serde_json::json!({ "repositories": page });
            return Ok(list_page(uri, &page, next));
        }
        _ => {}
    }
    let mut parts = path.rsplitn(3, '/');
    let (Some(object), Some(kind), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Refusal::NO_SUCH_PATH);
    };
    match (kind, object) {
        ("tags", "list") => {
            let contents = find(catalogue, name)?;
            let (page, next) = page::of(contents.tags(), query);
            let page = serde_json::json!({ "name": name, "tags": page });
            Ok(list_page(uri, &page, next))
        }
        ("manifests", reference) => manifest(find(catalogue, name)?, reference, headers),
        ("blobs", digest) => blob(find(catalogue, name)?, digest, headers, ranges),
        _ => Err(Refusal::NO_SUCH_PATH),
    }
}

fn find<'a>(catalogue: &'a Catalogue, name: &str) -> Result<&'a Contents, Refusal> {
    let repository: Repository = name.parse().map_err(|_| Refusal::NAME_INVALID)?;
    catalogue
        .repository(&repository)
        .ok_or(Refusal::NAME_UNKNOWN)
}

fn manifest(contents: &Contents, reference: &str, headers: &HeaderMap) -> Result<Answer, Refusal> {
    let digest = match reference.parse() {
        Ok(tag) => contents.tagged(&tag).ok_or(Refusal::MANIFEST_UNKNOWN)?,
        Err(_) => digest(reference)?,
    };
    let document = contents
        .document(&digest)
        .ok_or(Refusal::MANIFEST_UNKNOWN)?;
    let media_type = HeaderValue::from_str(document.media_type.as_str())
        .unwrap_or(HeaderValue::from_static("application/json"));
    let mut answer = found(media_type, &digest, headers);
    if answer.status == StatusCode::OK {
        answer.set_body(Body::Bytes(document.bytes.clone()));
    }
    Ok(answer)
}

fn blob(
    contents: &Contents,
    text: &str,
    headers: &HeaderMap,
    ranges: bool,
) -> Result<Answer, Refusal> {
    let digest = digest(text)?;
    let blob = contents.blob(&digest).ok_or(Refusal::BLOB_UNKNOWN)?;
    let mut answer = found(
        HeaderValue::from_static("application/octet-stream"),
        &digest,
        headers,
    );
    answer
        .headers
        .insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if answer.status != StatusCode::OK {
        return Ok(answer);
    }
    let etag = answer.headers.get(ETAG);
    let still_the_same = headers
        .get(IF_RANGE)
        .is_none_or(|condition| Some(condition) == etag);
    let part = match headers.get(RANGE).and_then(|field| field.to_str().ok()) {
        // Other methods know no ranges (RFC 9110, section 14.2).
        Some(field) if ranges && still_the_same => range::parse(field, blob.size()),
        _ => Part::Whole,
    };
    match part {
        Part::Whole => answer.set_body(Body::Blob(Arc::clone(blob), 0..blob.size())),
        Part::Bytes(range) => {
            answer.status = StatusCode::PARTIAL_CONTENT;
            answer.set_text(
                CONTENT_RANGE,
                &format!(
                    "bytes {}-{}/{}",
                    range.start,
                    range.end.saturating_sub(1),
                    blob.size()
                ),
            );
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

/// A digest in a path. The colon may come escaped: RFC 3986 allows it and does not ask for it.
fn digest(text: &str) -> Result<Digest, Refusal> {
    text.replacen("%3A", ":", 1)
        .replacen("%3a", ":", 1)
        .parse()
        .map_err(|_| Refusal::DIGEST_INVALID)
}

/// The answer about content of this digest, without its body: the client may have it already.
fn found(media_type: HeaderValue, digest: &Digest, request: &HeaderMap) -> Answer {
    let mut answer = Answer::empty(StatusCode::OK);
    answer.headers.insert(CONTENT_TYPE, media_type);
    answer.set_text(
        HeaderName::from_static("docker-content-digest"),
        &digest.to_string(),
    );
    let etag = format!("\"{digest}\"");
    answer.set_text(ETAG, &etag);
    let has_it = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag);
    if has_it {
        answer.status = StatusCode::NOT_MODIFIED;
        answer.headers.remove(CONTENT_LENGTH);
    }
    answer
}

fn list_page(uri: &Uri, page: &serde_json::Value, next: Option<String>) -> Answer {
    let mut answer = json(StatusCode::OK, page.to_string());
    if let Some(query) = next {
        answer.set_text(LINK, &format!("<{}?{query}>; rel=\"next\"", uri.path()));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{INDEX, LAYER, LayoutFixture, MANIFEST, digest_of};
    use super::*;

    fn ask(catalogue: &Catalogue, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        answer(
            catalogue,
            &method.parse().unwrap(),
            &path.parse().unwrap(),
            &map,
        )
    }

    fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
        answer
            .headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn text(answer: &Answer) -> &str {
        match &answer.body {
            Body::Bytes(bytes) => std::str::from_utf8(bytes).unwrap(),
            Body::Blob(..) => panic!("a blob"),
        }
    }

    #[test]
    fn a_manifest_is_found_by_tag_and_by_digest() {
        let mut layout = LayoutFixture::new();
        let manifest = layout.manifest(LAYER);
        let index = layout.index(std::slice::from_ref(&manifest));
        layout.list(index.clone(), "a.io/team/app:1");
        let catalogue = layout.open().unwrap();
        for (reference, descriptor, media_type) in [
            ("1".to_owned(), &index, INDEX),
            (digest_of(&index).to_string(), &index, INDEX),
            (digest_of(&manifest).to_string(), &manifest, MANIFEST),
            (
                digest_of(&manifest).to_string().replace(':', "%3A"),
                &manifest,
                MANIFEST,
            ),
        ] {
            let path = format!("/v2/team/app/manifests/{reference}");
            let answer = ask(&catalogue, "GET", &path, &[]);
            let digest = digest_of(descriptor);
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            assert_eq!(header(&answer, "content-type"), media_type);
            assert_eq!(header(&answer, "docker-content-digest"), digest.to_string());
            assert_eq!(header(&answer, "etag"), format!("\"{digest}\""));
            assert_eq!(Digest::of(text(&answer).as_bytes()), digest);
            assert_eq!(
                header(&answer, "content-length"),
                text(&answer).len().to_string()
            );
        }
    }

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
    fn what_the_client_has_is_not_sent_again() {
        let catalogue = LayoutFixture::with_image("a.io/app:1").open().unwrap();
        let path = "/v2/app/manifests/1";
        let etag = header(&ask(&catalogue, "HEAD", path, &[]), "etag").to_owned();
        for (known, status) in [
            (etag.clone(), 304),
            (format!("\"other\", W/{etag}"), 304),
            ("*".to_owned(), 304),
            ("\"other\"".to_owned(), 200),
        ] {
            let answer = ask(&catalogue, "GET", path, &[("if-none-match", &known)]);
            assert_eq!(answer.status.as_u16(), status, "{known}");
        }
    }

    #[test]
    fn lists_tags_and_repositories_in_pages() {
        let mut layout = LayoutFixture::with_image("a.io/team/app:2");
        for name in ["a.io/team/app:1", "a.io/other:1"] {
            let manifest = layout.manifest(LAYER);
            layout.list(manifest, name);
        }
        let catalogue = layout.open().unwrap();
        let tags = ask(&catalogue, "GET", "/v2/team/app/tags/list", &[]);
        assert_eq!(text(&tags), r#"{"name":"team/app","tags":["1","2"]}"#);
        let page = ask(&catalogue, "GET", "/v2/team/app/tags/list?n=1", &[]);
        assert_eq!(text(&page), r#"{"name":"team/app","tags":["1"]}"#);
        assert_eq!(
            header(&page, "link"),
            r#"</v2/team/app/tags/list?n=1&last=1>; rel="next""#
        );
        let all = ask(&catalogue, "GET", "/v2/_catalog", &[]);
        assert_eq!(text(&all), r#"{"repositories":["other","team/app"]}"#);
    }

    #[test]
    fn errors_have_the_specifications_status_and_code() {
        let catalogue = LayoutFixture::with_image("a.io/app:1").open().unwrap();
        let unknown = Digest::of(b"unknown");
        for (method, path, status, code) in [
            ("GET", "/v2/nobody/manifests/1", 404, "NAME_UNKNOWN"),
            ("GET", "/v2/nobody/tags/list", 404, "NAME_UNKNOWN"),
            ("GET", "/v2/app/manifests/2", 404, "MANIFEST_UNKNOWN"),
            (
                "HEAD",
                &format!("/v2/app/manifests/{unknown}"),
                404,
                "MANIFEST_UNKNOWN",
            ),
            (
                "GET",
                &format!("/v2/app/blobs/{unknown}"),
                404,
                "BLOB_UNKNOWN",
            ),
            ("GET", "/v2/app/blobs/sha256:00", 400, "DIGEST_INVALID"),
            ("GET", "/v2/app/manifests/..", 400, "DIGEST_INVALID"),
            ("GET", "/v2/App/manifests/1", 400, "NAME_INVALID"),
            ("GET", "/v2/../../etc/manifests/passwd", 400, "NAME_INVALID"),
            ("GET", "/v2//manifests/1", 400, "NAME_INVALID"),
            ("GET", "/v2/app", 404, "UNSUPPORTED"),
            ("GET", "/", 404, "UNSUPPORTED"),
            ("GET", "/etc/passwd", 404, "UNSUPPORTED"),
            ("POST", "/v2/app/blobs/uploads/", 405, "UNSUPPORTED"),
            ("DELETE", "/v2/app/manifests/1", 405, "UNSUPPORTED"),
        ] {
            let answer = ask(&catalogue, method, path, &[]);
            assert_eq!(answer.status.as_u16(), status, "{method} {path}");
            assert!(
                text(&answer).contains(&format!(r#""code":"{code}""#)),
                "{method} {path}: {}",
                text(&answer)
            );
        }
        let post = ask(&catalogue, "POST", "/v2/", &[]);
        assert_eq!(header(&post, "allow"), "GET, HEAD");
    }

    #[test]
    fn says_that_it_is_a_registry() {
        let catalogue = Catalogue::default();
        for path in ["/v2", "/v2/"] {
            let answer = ask(&catalogue, "GET", path, &[]);
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(
                header(&answer, "docker-distribution-api-version"),
                "registry/2.0"
            );
        }
    }
}
