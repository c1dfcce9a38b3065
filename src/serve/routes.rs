//! Routes: turns a request into a response, without access to files or sockets.
//!
//! Sources: OCI distribution specification, sections "Pull" and "Content Discovery" (with "Listing Referrers"); containerd's documentation of
//! `hosts.toml`, for `ns`.

use hyper::header::{
    ACCEPT, ALLOW, CONNECTION, HeaderName, HeaderValue, LINK, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Method, StatusCode, Uri};

use super::catalogue::Catalogue;
use super::repository::{ServedRepository, TagLookup};
use super::request::{NAMESPACE, RequestHead};
use super::response::{Refusal, Response, json};
use super::{accept, object, page, percent, referrers, well_formed};
use crate::name::{RegistryName, Repository, Tag, docker_hub};
use crate::oci::digest::Digest;

/// Returns the response to a request.
pub(super) fn respond(catalogue: &Catalogue, head: RequestHead<'_>) -> Response {
    let mut response = route(catalogue, head).unwrap_or_else(|refusal| refusal.response());
    if response.status == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    if response.status == StatusCode::NOT_IMPLEMENTED {
        // The end of this request, and so the beginning of the next one, is unknown.
        response
            .headers
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response.headers.insert(
        HeaderName::from_static("docker-distribution-api-version"),
        HeaderValue::from_static("registry/2.0"),
    );
    // No browser should show the content of an image as a web page.
    response
        .headers
        .insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn route(catalogue: &Catalogue, head: RequestHead<'_>) -> Result<Response, Refusal> {
    well_formed::check(head)?;
    if head.method != Method::GET && head.method != Method::HEAD {
        return Err(Refusal::READ_ONLY);
    }
    read(catalogue, head)
}

fn read(catalogue: &Catalogue, head: RequestHead<'_>) -> Result<Response, Refusal> {
    let (uri, headers) = (head.uri, head.headers);
    let query = uri.query().unwrap_or_default();
    let path = percent::decoded(uri.path()).ok_or(Refusal::NO_SUCH_PATH)?;
    let path = match &*path {
        "/v2" => "",
        path => path.strip_prefix("/v2/").ok_or(Refusal::NO_SUCH_PATH)?,
    };
    if !catalogue.admits(path) {
        return Err(Refusal::NO_SUCH_PATH);
    }
    if path.is_empty() {
        return Ok(json(StatusCode::OK, "{}".into()));
    }
    let registry = namespace(query)?;
    if path == "_catalog" {
        let repositories = catalogue.repositories(registry.as_ref());
        let (page, next) = page::of(repositories.into_iter(), query);
        let page = serde_json::json!({ "repositories": page });
        return Ok(list_page(uri, &page, next));
    }
    let mut parts = path.rsplitn(3, '/');
    let (Some(object), Some(kind), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Refusal::NO_SUCH_PATH);
    };
    let find = || {
        let repository: Repository = name.parse().map_err(|_| Refusal::NAME_INVALID)?;
        catalogue
            .repository(registry.as_ref(), &repository)
            .ok_or(Refusal::NAME_UNKNOWN)
    };
    match (kind, object) {
        ("tags", "list") => {
            let (page, next) = page::of(find()?.tags(), query);
            let page = serde_json::json!({ "name": name, "tags": page });
            Ok(list_page(uri, &page, next))
        }
        ("manifests", reference) => match reference.parse() {
            Ok(tag) => tagged(find()?, &tag, headers),
            // A text that is neither a tag nor a digest names no manifest.
            Err(_) if !reference.contains(':') => {
                find()?;
                Err(Refusal::MANIFEST_UNKNOWN)
            }
            Err(_) => object::manifest(find()?, &digest(reference)?, headers),
        },
        ("referrers", subject) => {
            let subject = digest(subject)?;
            let repository = match find() {
                Err(refusal) if refusal.status == StatusCode::NOT_FOUND => None,
                found => Some(found?),
            };
            let referrers = repository.map(ServedRepository::referrers);
            Ok(referrers::respond(referrers, &subject, query))
        }
        ("blobs", reference) => object::blob(find()?, &digest(reference)?, head),
        _ => Err(Refusal::NO_SUCH_PATH),
    }
}

/// Returns the registry that the client names with `?ns=`, if any.
fn namespace(query: &str) -> Result<Option<RegistryName>, Refusal> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let Some((_, text)) = pairs.find(|(key, value)| key == NAMESPACE && !value.is_empty()) else {
        return Ok(None);
    };
    docker_hub::canonical(&text)
        .parse()
        .map(Some)
        .map_err(|_| Refusal::NAMESPACE_INVALID)
}

fn tagged(
    repository: &ServedRepository,
    tag: &Tag,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let digest = match repository.tagged(tag) {
        TagLookup::One(digest) => digest,
        TagLookup::Unknown => return Err(Refusal::MANIFEST_UNKNOWN),
        TagLookup::Ambiguous(names) => return Err(Refusal::ambiguous(&names)),
    };
    let single = repository
        .document(&digest)
        .and_then(|document| document.single)
        .filter(|single| repository.document(single).is_some());
    let Some(single) = single else {
        return object::manifest(repository, &digest, headers);
    };
    let digest = if accept::wants_no_index(headers) {
        single
    } else {
        digest
    };
    let mut response = object::manifest(repository, &digest, headers)?;
    response.headers.insert(VARY, ACCEPT.into());
    Ok(response)
}

/// Parses a digest in a path.
fn digest(text: &str) -> Result<Digest, Refusal> {
    text.parse().map_err(|_| Refusal::DIGEST_INVALID)
}

fn list_page(uri: &Uri, page: &serde_json::Value, next: Option<String>) -> Response {
    let mut response = json(StatusCode::OK, page.to_string());
    if let Some(query) = next {
        response.set_text(LINK, &format!("<{}?{query}>; rel=\"next\"", uri.path()));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{
        INDEX, LAYER, LayoutFixture, MANIFEST, ask, digest_of, header, text,
    };
    use super::*;

    #[test]
    fn a_manifest_is_found_by_tag_and_by_digest() {
        let mut layout = LayoutFixture::new();
        let manifest = layout.image(LAYER);
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
            ("%31".to_owned(), &index, INDEX),
        ] {
            let path = format!("/v2/team/%61pp/manifests/{reference}");
            let response = ask(&catalogue, "GET", &path, &[]);
            let digest = digest_of(descriptor);
            assert_eq!(response.status, StatusCode::OK, "{path}");
            assert_eq!(header(&response, "content-type"), media_type);
            assert_eq!(
                header(&response, "docker-content-digest"),
                digest.to_string()
            );
            assert_eq!(header(&response, "etag"), format!("\"{digest}\""));
            assert_eq!(Digest::of(text(&response).as_bytes()), digest);
            assert_eq!(
                header(&response, "content-length"),
                text(&response).len().to_string()
            );
        }
    }

    #[test]
    fn a_client_that_knows_no_indexes_gets_the_manifest_that_docker_registry_would_give_it() {
        let mut layout = LayoutFixture::new();
        let mut manifest = layout.image(LAYER);
        manifest["platform"] = serde_json::json!({ "os": "linux", "architecture": "amd64" });
        let mut other = layout.image(b"for another platform");
        other["platform"] = serde_json::json!({ "os": "linux", "architecture": "s390x" });
        let index = layout.index(&[other, manifest.clone()]);
        layout.list(index.clone(), "a.io/app:1");
        let catalogue = layout.open().unwrap();
        let by_digest = format!("/v2/app/manifests/{}", digest_of(&index));
        for (path, accept, expected) in [
            ("/v2/app/manifests/1", MANIFEST, &manifest),
            ("/v2/app/manifests/1", INDEX, &index),
            ("/v2/app/manifests/1", "*/*", &index),
            (&by_digest, MANIFEST, &index),
        ] {
            let response = ask(&catalogue, "GET", path, &[("accept", accept)]);
            let digest = digest_of(expected).to_string();
            assert_eq!(
                header(&response, "docker-content-digest"),
                digest,
                "{accept}"
            );
            assert_eq!(response.headers.contains_key("vary"), path != by_digest);
        }
    }

    #[test]
    fn a_registry_that_the_client_has_in_mind_is_looked_at_alone() {
        let mut layout = LayoutFixture::with_image("docker.io/library/app:1");
        let other = layout.image(b"another layer");
        layout.list(other.clone(), "localhost:5000/library/app:1");
        let catalogue = layout.open().unwrap();
        let digest = |query: &str| {
            let path = format!("/v2/library/app/manifests/1{query}");
            let response = ask(&catalogue, "GET", &path, &[]);
            header(&response, "docker-content-digest").to_owned()
        };
        let (first, second) = (digest(""), digest_of(&other).to_string());
        assert_ne!(first, second);
        for registry in ["docker.io", "index.docker.io", "registry-1.docker.io", ""] {
            assert_eq!(digest(&format!("?ns={registry}")), first, "{registry}");
        }
        for query in ["?ns=localhost:5000", "?x=y&ns=localhost%3A5000"] {
            assert_eq!(digest(query), second, "{query}");
        }
        for (query, status) in [("?ns=ghcr.io", 404), ("?ns=../..", 400), ("?ns=a%00b", 400)] {
            let path = format!("/v2/library/app/manifests/1{query}");
            let response = ask(&catalogue, "GET", &path, &[]);
            assert_eq!(response.status.as_u16(), status, "{query}");
        }
        let all = ask(&catalogue, "GET", "/v2/_catalog?ns=localhost:5000", &[]);
        assert_eq!(text(&all), r#"{"repositories":["library/app"]}"#);
    }

    #[test]
    fn a_name_of_several_images_is_answered_with_theirs() {
        let mut layout = LayoutFixture::with_image("a.io/app:1");
        let other = layout.image(b"another layer");
        layout.list(other, "z.io/app:1");
        let response = ask(&layout.open().unwrap(), "GET", "/v2/app/manifests/1", &[]);
        assert_eq!(response.status, StatusCode::NOT_FOUND);
        let text = text(&response);
        assert!(
            text.contains("ambiguous: a.io/app:1 or z.io/app:1;"),
            "{text}"
        );
    }

    #[test]
    fn lists_tags_and_repositories_in_pages() {
        let mut layout = LayoutFixture::with_image("a.io/team/app:2");
        for name in ["a.io/team/app:1", "a.io/other:1"] {
            let manifest = layout.image(LAYER);
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
            ("GET", "/v2/app/manifests/..", 404, "MANIFEST_UNKNOWN"),
            ("GET", "/v2/app/manifests/%00", 404, "MANIFEST_UNKNOWN"),
            ("GET", "/v2/app/manifests/%ff", 404, "UNSUPPORTED"),
            ("GET", "/v2/app/manifests/a:b", 400, "DIGEST_INVALID"),
            ("GET", "/v2/App/manifests/1", 400, "NAME_INVALID"),
            ("GET", "/v2/../../etc/manifests/passwd", 400, "NAME_INVALID"),
            ("GET", "/v2//manifests/1", 400, "NAME_INVALID"),
            ("GET", "/v2/app", 404, "UNSUPPORTED"),
            ("GET", "/", 404, "UNSUPPORTED"),
            ("GET", "/etc/passwd", 404, "UNSUPPORTED"),
            ("POST", "/v2/app/blobs/uploads/", 405, "UNSUPPORTED"),
            ("DELETE", "/v2/app/manifests/1", 405, "UNSUPPORTED"),
        ] {
            let response = ask(&catalogue, method, path, &[]);
            assert_eq!(response.status.as_u16(), status, "{method} {path}");
            assert!(
                text(&response).contains(&format!(r#""code":"{code}""#)),
                "{method} {path}: {}",
                text(&response)
            );
        }
        let post = ask(&catalogue, "POST", "/v2/", &[]);
        assert_eq!(header(&post, "allow"), "GET, HEAD");
    }

    #[test]
    fn the_root_of_the_api_names_the_version() {
        let catalogue = Catalogue::default();
        for path in ["/v2", "/v2/"] {
            let response = ask(&catalogue, "GET", path, &[]);
            assert_eq!(response.status, StatusCode::OK);
            assert_eq!(
                header(&response, "docker-distribution-api-version"),
                "registry/2.0"
            );
        }
    }
}
