//! Repositories: an image's full path within its registry.
//!
//! Source: github.com/distribution/reference, `regexp.go`.

use std::fmt;
use std::str::FromStr;

use super::MAX_NAME_LENGTH;
use super::ParseError;
use crate::safe_url;

/// With one of these as a name, `NAME:TAG` reads like a digest, and so like an image's id: podman finds images by such
/// names where it is asked for an id. Docker gives no image such a name either (moby, `reference/store.go`).
///
/// Source: OCI image specification, `descriptor.md`, section "Registered Algorithms"; opencontainers/go-digest.
const DIGEST_ALGORITHMS: [&str; 4] = ["sha256", "sha384", "sha512", "blake3"];

/// A repository's full path within its registry: `library/debian`, `a/b/c`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Repository(String);

impl Repository {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Everything before the last slash and what follows it: `a/b/c` is `a/b` and `c`. The classic
    /// expressions call the two `repository` and `imageName`.
    #[must_use]
    pub fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }
}

impl FromStr for Repository {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ParseError::Uppercase(safe_url::shown(text)));
        }
        if text.len() > MAX_NAME_LENGTH {
            return Err(ParseError::TooLong);
        }
        if !text.split('/').all(is_path_component) {
            return Err(ParseError::Repository(safe_url::shown(text)));
        }
        let repository = Self(text.to_owned());
        if DIGEST_ALGORITHMS.contains(&repository.split().1) {
            return Err(ParseError::Algorithm(repository.0));
        }
        Ok(repository)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_component(component: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let ends_well = bytes.first().is_some_and(|byte| alphanumeric(*byte))
        && bytes.last().is_some_and(|byte| alphanumeric(*byte));
    ends_well
        && bytes
            .split(|byte| alphanumeric(*byte))
            .all(|separator| match separator {
                b"" | b"." | b"_" | b"__" => true,
                dashes => dashes.iter().all(|byte| *byte == b'-'),
            })
}
