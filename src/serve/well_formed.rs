//! Checks that the head of a request has only one meaning. hyper itself refuses most other requests.
//!
//! Source: RFC 9112, sections 3.2 (`Host`) and 6.1 (`Transfer-Encoding`).

use hyper::Version;
use hyper::header::{HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::http::uri::Authority;

use super::request::RequestHead;
use super::response::Refusal;

/// Refuses a request that a proxy before this server may read differently.
pub(super) fn check(head: RequestHead<'_>) -> Result<(), Refusal> {
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if head.version != Version::HTTP_11 => {}
        (Some(host), None) if is_host(host) => {}
        _ => return Err(Refusal::NO_HOST),
    }
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Refusal::TRANSFER_CODING),
    }
}

/// Whether a `Host` field names a host. It may be empty, for a request target without a host.
fn is_host(field: &HeaderValue) -> bool {
    let is_authority = |text: &str| text.parse::<Authority>().is_ok() && !text.contains('@');
    field.is_empty() || field.to_str().is_ok_and(is_authority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderName;
    use hyper::{HeaderMap, Method, Uri};

    fn status(version: Version, name: &HeaderName, fields: &[&'static str]) -> Option<u16> {
        let mut headers = HeaderMap::new();
        if name != HOST {
            headers.append(HOST, HeaderValue::from_static("x"));
        }
        for field in fields {
            headers.append(name.clone(), HeaderValue::from_static(field));
        }
        let head = RequestHead {
            method: &Method::GET,
            uri: &Uri::from_static("/v2/"),
            version,
            headers: &headers,
        };
        check(head).err().map(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn a_request_of_http_1_1_names_one_host() {
        for (version, hosts, expected) in [
            (Version::HTTP_10, &[][..], None),
            (Version::HTTP_10, &["x y"], Some(400)),
            (Version::HTTP_11, &[], Some(400)),
            (Version::HTTP_11, &["x"], None),
            (Version::HTTP_11, &["x:5000"], None),
            (Version::HTTP_11, &["[::1]:5000"], None),
            (Version::HTTP_11, &[""], None),
            (Version::HTTP_11, &["x", "y"], Some(400)),
            (Version::HTTP_11, &["x y"], Some(400)),
            (Version::HTTP_11, &["x/y"], Some(400)),
            (Version::HTTP_11, &["user@x"], Some(400)),
        ] {
            let got = status(version, &HOST, hosts);
            assert_eq!(got, expected, "{version:?} {hosts:?}");
        }
    }

    #[test]
    fn a_body_is_chunked_or_has_no_transfer_coding() {
        for (codings, expected) in [
            (&[][..], None),
            (&["chunked"], None),
            (&["Chunked"], None),
            (&["chunked", "chunked"], Some(501)),
            (&["chunked, chunked"], Some(501)),
            (&["gzip, chunked"], Some(501)),
        ] {
            let got = status(Version::HTTP_11, &TRANSFER_ENCODING, codings);
            assert_eq!(got, expected, "{codings:?}");
        }
    }
}
