//! Redirects: where they may lead. Object stores refuse requests that still hold the registry's
//! `Authorization`, and anyone else must not see it (CVE-2020-15157 is the neighbouring mistake).
//!
//! Source: RFC 9110, section 15.4.

use reqwest::header::LOCATION;
use url::Url;

use super::{Error, Request, Response, StatusCode};
use crate::endpoint::{admits, is_internal_address, is_loopback};
use crate::safe_url::SafeUrl;

/// As many as curl's and Go's clients follow.
pub(super) const LIMIT: usize = 10;

/// Where the answer of `url` sends a request on to, if it does.
pub(super) fn target(
    request: &Request,
    url: &Url,
    response: &Response,
) -> Result<Option<Url>, Error> {
    let status = response.status();
    if !matches!(
        status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    ) {
        return Ok(None);
    }
    let location = || Error::Location {
        url: SafeUrl::new(url),
        status,
    };
    let target = response
        .header(LOCATION)
        .and_then(|text| url.join(text).ok())
        .filter(|target| matches!(target.scheme(), "http" | "https") && target.has_host())
        .ok_or_else(location)?;
    if url.scheme() == "https" && target.scheme() != "https" {
        return Err(Error::Downgrade {
            url: SafeUrl::new(url),
            target: SafeUrl::new(&target),
        });
    }
    // A registry out there has no business in the client's own network.
    if is_internal_address(&target) && !is_internal_address(url) && !is_loopback(url) {
        return Err(Error::Internal {
            url: SafeUrl::new(url),
            target: SafeUrl::new(&target),
        });
    }
    if let Some(registry) = &request.for_token_of {
        admits(registry, &target).map_err(|reason| Error::TokenService {
            url: SafeUrl::new(url),
            target: SafeUrl::new(&target),
            reason,
        })?;
    }
    Ok(Some(target))
}

/// Whether two URLs have one scheme, host and port.
pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

#[cfg(test)]
mod tests {
    use super::same_origin;

    #[test]
    fn another_scheme_host_or_port_is_another_origin() {
        let url = |text: &str| text.parse().unwrap();
        let registry = url("https://r.example/v2/");
        for (other, same) in [
            ("https://r.example/other", true),
            ("https://r.example:443/", true),
            ("http://r.example/", false),
            ("https://r.example:444/", false),
            ("https://s.r.example/", false),
        ] {
            assert_eq!(same_origin(&registry, &url(other)), same, "{other}");
        }
    }
}
