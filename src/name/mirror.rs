//! Mirrors: servers with the content of a registry, which are tried before the registry.

use std::str::FromStr;

use super::RegistryName;
use super::endpoint::{self, Endpoint};

/// A registry and the endpoint of a mirror, written as `docker.io=https://mirror.example`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The registry whose content the mirror has.
    pub of: RegistryName,
    /// The endpoint of the mirror.
    pub endpoint: Endpoint,
}

impl FromStr for Mirror {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (of, endpoint) = text.split_once('=').ok_or(ParseError::Form)?;
        Ok(Self {
            of: of.parse()?,
            endpoint: endpoint.parse().map_err(|error| match error {
                endpoint::ParseError::Credentials(of) => ParseError::Credentials(of),
                error => ParseError::Endpoint(error),
            })?,
        })
    }
}

/// A text that is not a mirror.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The text contains no `=`.
    #[error("a mirror has the form REGISTRY=URL, like docker.io=https://mirror.example")]
    Form,
    /// The part before `=` is not a registry.
    #[error(transparent)]
    Registry(#[from] super::ParseError),
    /// The part after `=` is not an endpoint.
    #[error(transparent)]
    Endpoint(endpoint::ParseError),
    /// The URL contains a user name or password, which logs and every process on the machine could see.
    #[error("the URL of {0} contains credentials; store those of a mirror with `docker login`")]
    Credentials(String),
}

#[cfg(test)]
mod tests {
    use super::Mirror;

    #[test]
    fn a_mirror_is_a_registry_and_where_its_content_is() {
        let mirror: Mirror = "docker.io=https://mirror.example".parse().unwrap();
        assert_eq!(mirror.of.as_str(), "docker.io");
        assert_eq!(mirror.endpoint.to_string(), "https://mirror.example/v2/");
        for text in [
            "",
            "docker.io",
            "=https://x",
            "a b=https://x",
            "docker.io=ftp://x",
            "docker.io=https://me:pw@x",
            "docker.io=https://me:pw@x:99999",
            "docker.io=me:pw@x",
            "https://me:pw@x",
            "https://me:pw@x/?a=b",
        ] {
            let error = text.parse::<Mirror>().unwrap_err().to_string();
            assert!(!error.contains("pw"), "{text:?}: {error}");
        }
    }
}
