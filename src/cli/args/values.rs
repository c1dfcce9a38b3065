//! Parsers for values of arguments that have no type of their own.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

/// Parses the URL of a server: an http or https scheme, a host and perhaps a port.
pub(in crate::cli) fn origin(text: &str) -> Result<Url, String> {
    text.parse()
        .ok()
        .filter(|url: &Url| matches!(url.scheme(), "http" | "https"))
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .filter(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none())
        .ok_or_else(|| {
            "the value must be the URL of a server, like http://10.0.0.5:9000".to_owned()
        })
}

/// Parses a number of seconds, with or without a fraction, up to a day.
pub(in crate::cli) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds| (0.0..=86_400.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "the value must be a number of seconds from 0 to 86400".to_owned())
}

/// Parses a number of seconds that is not zero.
pub(in crate::cli) fn timeout(text: &str) -> Result<Duration, String> {
    seconds(text)
        .ok()
        .filter(|timeout| !timeout.is_zero())
        .ok_or_else(|| {
            "the value must be a number of seconds greater than 0, at most 86400".to_owned()
        })
}

/// Parses a number of retries.
pub(in crate::cli) fn retries(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| "the value must be a whole number from 0 on".to_owned())
}

/// Parses the size of a blob in bytes, at most `limit`.
pub(super) fn blob_size(text: &str, limit: u64) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|size| *size <= limit)
        .ok_or_else(|| format!("the value must be a whole number of bytes, at most {limit}"))
}

/// Parses an address on which a server listens.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "the value must be an IP address and a port, like 127.0.0.1:5000 or [::]:5000".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_fractions_and_bounds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("60"), Ok(Duration::from_secs(60)));
        for text in ["", "-1", "NaN", "inf", "1e9", "1s"] {
            assert!(seconds(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_timeout_is_not_zero() {
        assert_eq!(timeout("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "0.0", "-0", "1e-12", "-1", "x"] {
            assert!(timeout(text).is_err(), "{text:?}");
        }
    }
}
