//! Names of registries.
//!
//! Source: github.com/distribution/reference, `regexp.go`.

use std::fmt;
use std::str::FromStr;

use super::ParseError;
use super::docker_hub::DOCKER_HUB;
use crate::safe_url;

/// A registry's name in a reference: `host`, `host:port`, `[ipv6]` or `[ipv6]:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RegistryName(String);

impl RegistryName {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this is Docker Hub.
    #[must_use]
    pub fn is_docker_hub(&self) -> bool {
        self.0 == DOCKER_HUB
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

impl fmt::Display for RegistryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns whether a text is a port. Only digits are allowed; Rust would also accept a sign.
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}
