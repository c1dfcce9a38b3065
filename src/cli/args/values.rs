//! Parsers for values of arguments that have no type of their own.

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
}
