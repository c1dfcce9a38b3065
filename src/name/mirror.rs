//! Mirrors: other places that have what a registry has.

use std::str::FromStr;

use super::RegistryName;
use super::endpoint::{self, Endpoint};

/// `docker.io=https://mirror.example`: a registry, and where its content can be had too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The registry whose content it has.
    pub of: RegistryName,
    /// Where it is.
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

/// A text that names no mirror.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not two parts.
    #[error("write a mirror as REGISTRY=URL, like docker.io=https://mirror.example")]
    Form,
    /// The part before `=`.
    #[error(transparent)]
    Registry(#[from] super::ParseError),
    /// The part after it.
    #[error(transparent)]
    Endpoint(endpoint::ParseError),
    /// A user or password in the URL, which every process of the machine and the logs would see.
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
