//! The targets of redirects. [`super::admission`] decides whether a request may follow.
//!
//! Source: RFC 9110, section 15.4.

use std::fmt::Write as _;

use reqwest::header::LOCATION;
use url::Url;

use super::{Error, Response, StatusCode};
use crate::safe_url::SafeUrl;

/// The maximum number of redirects, as in Go's client.
pub(super) const LIMIT: usize = 10;

/// Returns the target of a response from `url`, if it is a redirect.
pub(super) fn target(url: &Url, response: &Response) -> Result<Option<Url>, Error> {
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
        .headers()
        .get(LOCATION)
        .and_then(|value| url.join(&in_ascii(value.as_bytes())).ok())
        .filter(|target| matches!(target.scheme(), "http" | "https") && target.has_host())
        .ok_or_else(location)?;
    Ok(Some(target))
}

/// Percent-encodes the bytes of a URL that are not ASCII. Some servers send file names unescaped.
fn in_ascii(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii() {
            text.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}
