//! The `Authorization` header: Basic (RFC 7617) and Bearer (RFC 6750).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use url::Url;

use super::Error;
use crate::safe_url::SafeUrl;
use crate::secret::Secret;

/// The credentials in an `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// A user name and password.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A bearer token.
    Bearer(Secret),
}

impl Authorization {
    /// Returns whether a text contains the secret, plain or encoded. A server may echo the request in an error message.
    #[must_use]
    pub fn appears_in(&self, text: &str) -> bool {
        let (Self::Basic {
            password: secret, ..
        }
        | Self::Bearer(secret)) = self;
        let contains = |words: &str| !words.is_empty() && text.contains(words);
        contains(secret.expose()) || contains(&self.value())
    }

    /// Returns the part of the header after the scheme.
    fn value(&self) -> String {
        match self {
            Self::Basic { username, password } => {
                STANDARD.encode(format!("{username}:{}", password.expose()))
            }
            Self::Bearer(token) => token.expose().to_owned(),
        }
    }

    /// Returns the value of the header, marked as sensitive so that it is not printed.
    pub(super) fn header(&self, url: &Url) -> Result<HeaderValue, Error> {
        let scheme = match self {
            Self::Basic { .. } => "Basic",
            Self::Bearer(_) => "Bearer",
        };
        let mut value =
            HeaderValue::from_str(&format!("{scheme} {}", self.value())).map_err(|_| {
                Error::Authorization {
                    url: SafeUrl::new(url),
                }
            })?;
        value.set_sensitive(true);
        Ok(value)
    }
}
