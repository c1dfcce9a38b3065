//! Repositories: the full path of an image's name in its registry.
//!
//! Source: github.com/distribution/reference, `regexp.go`.

use std::fmt;
use std::str::FromStr;

use super::MAX_NAME_LENGTH;
use super::ParseError;
use crate::safe_url;

/// Digest algorithms, which may not be the last component: `NAME:TAG` would look like a digest, and podman would use it
/// as an image ID. Docker refuses such names too (moby, `reference/store.go`).
///
/// Source: OCI image specification, `descriptor.md`, section "Registered Algorithms"; opencontainers/go-digest.
const DIGEST_ALGORITHMS: [&str; 4] = ["sha256", "sha384", "sha512", "blake3"];

/// The full path of an image's name in its registry: `library/debian`, `a/b/c`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Repository(String);

impl Repository {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns a name like that of a file or a directory. Letters become lowercase, and `-` replaces characters that no
    /// repository has.
    #[must_use]
    pub fn of_file_name(name: &str) -> Self {
        if let Ok(repository) = name.parse() {
            return repository;
        }
        let is_separator = |character| matches!(character, '.' | '_' | '-');
        let mut text = String::new();
        for character in name.to_lowercase().chars() {
            match character {
                'a'..='z' | '0'..='9' => text.push(character),
                _ if text.is_empty() || text.ends_with(is_separator) => {}
                '.' | '_' => text.push(character),
                _ => text.push('-'),
            }
        }
        let text = text.trim_end_matches(is_separator);
        text.parse().unwrap_or_else(|_| Self("image".to_owned()))
    }

    /// Splits the path at its last slash: `a/b/c` becomes `a/b` and `c`. The classic expressions call the two parts
    /// `repository` and `imageName`.
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

/// Returns whether a component matches `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_name_gives_a_repository() {
        for (name, expected) in [
            ("app.oci", "app.oci"),
            ("MyApp", "myapp"),
            ("tmp.aB3 (1)", "tmp.ab3-1"),
            ("_a..b__c--d_ e", "a.b_c-d_e"),
            ("\u{dc}n\u{ef}", "n"),
            ("---", "image"),
            ("sha256", "image"),
            (&"A".repeat(255), &"a".repeat(255)),
        ] {
            assert_eq!(Repository::of_file_name(name).as_str(), expected, "{name}");
        }
    }
}
