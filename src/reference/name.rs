//! The parts of a reference: registry, repository and tag, each parsed by the grammar of its own.
//!
//! Source: github.com/distribution/reference, `regexp.go`.

use std::fmt;
use std::str::FromStr;

use super::{DOCKER_HUB, MAX_NAME_LENGTH, ParseError};
use crate::safe_url;

/// With one of these as a name, `NAME:TAG` reads like a digest, and so like an image's id: podman finds images by such
/// names where it is asked for an id. Docker gives no image such a name either (moby, `reference/store.go`).
///
/// Source: OCI image specification, `descriptor.md`, section "Registered Algorithms"; opencontainers/go-digest.
const DIGEST_ALGORITHMS: [&str; 4] = ["sha256", "sha384", "sha512", "blake3"];

/// A registry's name as references spell it: `host`, `host:port` or `[ipv6]:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RegistryName(String);

/// A repository's full path within its registry: `library/debian`, `a/b/c`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Repository(String);

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag(String);

impl RegistryName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is Docker Hub.
    #[must_use]
    pub fn is_docker_hub(&self) -> bool {
        self.0 == DOCKER_HUB
    }
}

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

impl Tag {
    /// The tag that a reference means when it names neither tag nor digest.
    #[must_use]
    pub fn latest() -> Self {
        Self("latest".to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RegistryName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::Registry(safe_url::shown(text));
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']').ok_or_else(error)?;
                address.parse::<std::net::Ipv6Addr>().map_err(|_| error())?;
                let port = rest.strip_prefix(':');
                if port.is_none() && !rest.is_empty() {
                    return Err(error());
                }
                (None, port)
            }
            None => match text.split_once(':') {
                Some((host, "")) => {
                    return Err(ParseError::Registry(host.to_owned()));
                }
                Some((host, port)) => (Some(host), Some(port)),
                None => (Some(text), None),
            },
        };
        if !port.is_none_or(is_port) {
            return Err(error());
        }
        let label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if host.is_some_and(|host| !host.split('.').all(label)) {
            return Err(error());
        }
        Ok(Self(text.to_owned()))
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

/// Digits alone: Rust would take a sign.
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
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

impl FromStr for Tag {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let mut bytes = text.bytes();
        let valid = bytes.next().is_some_and(word)
            && bytes.all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
            && text.len() <= 128;
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::Tag(safe_url::shown(text)))
        }
    }
}

macro_rules! display_as_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
display_as_text!(RegistryName, Repository, Tag);
