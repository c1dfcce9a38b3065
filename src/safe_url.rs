//! URLs for messages. The query of a redirect to a blob often contains a signature, and users write registries with
//! `user:password@`. [`SafeUrl`] shows neither, and [`shown`] does the same for text that may not be a URL.

use std::fmt;
use url::Url;

/// A URL without user information, query and fragment, for messages.
#[derive(Clone, PartialEq, Eq)]
pub struct SafeUrl(Box<Url>);

impl SafeUrl {
    /// Removes the secret parts of `url`.
    #[must_use]
    pub fn new(url: &Url) -> Self {
        let mut shown = url.clone();
        // Both fail only for URLs that cannot have user information.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        if shown.query().is_some() {
            shown.set_query(Some("…"));
        }
        shown.set_fragment(None);
        Self(Box::new(shown))
    }

    /// Returns whether both URLs have the same scheme, host and port.
    #[must_use]
    pub fn is_at(&self, other: &Url) -> bool {
        self.0.origin() == other.origin()
    }

    /// Returns whether the scheme is https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

/// Returns the part of a text from a user or server that may be quoted. If the text looks like a URL, with or without a
/// scheme, the user information, the query and the fragment are replaced by `…`. The text does not have to be a valid
/// URL.
#[must_use]
pub fn shown(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return match text.rsplit_once('@') {
            Some((user, rest)) if user.contains(':') && !is_digest(rest) => format!("…@{rest}"),
            _ => text.to_owned(),
        };
    };
    // Up to the last `@`: a password may contain a slash or a question mark.
    let (user, rest) = rest
        .rsplit_once('@')
        .map_or(("", rest), |(_, rest)| ("…@", rest));
    let (rest, query) = rest
        .split_once(['?', '#'])
        .map_or((rest, ""), |(rest, _)| (rest, "?…"));
    format!("{scheme}://{user}{rest}{query}")
}

/// Returns whether a text contains user information if it is read as a URL. An invalid URL with an `@` counts too: for
/// example, a password may contain a slash.
#[must_use]
pub fn has_user_information(text: &str) -> bool {
    match text.parse::<Url>() {
        Ok(url) => !url.username().is_empty() || url.password().is_some(),
        Err(_) => text
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .contains('@'),
    }
}

/// Returns whether the text after an `@` is the digest of a reference, not the host after a password.
fn is_digest(text: &str) -> bool {
    ["sha256:", "sha512:"]
        .iter()
        .any(|algorithm| text.starts_with(algorithm))
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The url crate percent-encodes the ellipsis.
        f.write_str(&self.0.as_str().replace("%E2%80%A6", "…"))
    }
}

impl fmt::Debug for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{SafeUrl, has_user_information, shown};

    #[test]
    fn hides_user_information_and_signatures() {
        let url = "https://me:pw@store.example/blob?X-Signature=abc#part"
            .parse()
            .unwrap();
        assert_eq!(
            SafeUrl::new(&url).to_string(),
            "https://store.example/blob?…"
        );
    }

    #[test]
    fn finds_user_information_in_whatever_could_be_a_url() {
        for (text, holds) in [
            ("https://r.example/x", false),
            ("https://r.example:8443/x@1?a=b@c", false),
            ("https://r.example/x?signature=a@b", false),
            ("not a URL", false),
            ("https://me:pw@r.example/x", true),
            ("https://me@r.example/x", true),
            ("https://:pw@r.example/x", true),
            ("https://me:p/w@r.example/x", true),
            ("https:\\\\me:pw@r.example/x", true),
            ("https:me:pw@r.example/x", true),
        ] {
            assert_eq!(has_user_information(text), holds, "{text}");
        }
    }

    #[test]
    fn quotes_no_user_information_of_what_is_no_url_either() {
        for (text, expected) in [
            ("debian:12", "debian:12"),
            ("a@sha256:00", "a@sha256:00"),
            (
                "r.example:5000/a:1@sha256:00",
                "r.example:5000/a:1@sha256:00",
            ),
            ("a@latest", "a@latest"),
            ("me:pw@r.example:5000/app", "…@r.example:5000/app"),
            ("me:p/w@localhost", "…@localhost"),
            ("https:\\\\me:pw@r.example", "…@r.example"),
            ("https://r.example/app", "https://r.example/app"),
            (
                "https://me:pw@r.example:99999/",
                "https://…@r.example:99999/",
            ),
            ("https://me:p/w@r.example/", "https://…@r.example/"),
            ("https://me:p@w?p#w@r.example/", "https://…@r.example/"),
            ("https://r.example/?token=pw", "https://r.example/?…"),
            ("docker.io=https://me:pw@x", "docker.io=https://…@x"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}
