//! URLs fit for messages. Blob redirects carry signatures in their query and some registries are named
//! with `user:password@`: [`SafeUrl`] shows neither.

use std::fmt;
use url::Url;

/// Shows a URL without user information, query and fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct SafeUrl(Box<Url>);

impl SafeUrl {
    /// Keeps what may be shown of `url`.
    #[must_use]
    pub fn new(url: &Url) -> Self {
        let mut shown = url.clone();
        // Both fail only for URLs that cannot have user information, which then have none to hide.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        if shown.query().is_some() {
            shown.set_query(Some("…"));
        }
        shown.set_fragment(None);
        Self(Box::new(shown))
    }

    /// Whether the scheme is https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
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
    use super::SafeUrl;

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
}
