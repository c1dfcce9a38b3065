//! The `Authorization` header: Basic (RFC 7617) and Bearer (RFC 6750).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use url::Url;

use super::Error;
use crate::safe_url::SafeUrl;
use crate::secret::Secret;

/// What proves to a host who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// A user's name and password.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A token.
    Bearer(Secret),
}

impl Authorization {
    /// The header's value, marked so that nothing prints it.
    pub(super) fn header(&self, url: &Url) -> Result<HeaderValue, Error> {
        let text = match self {
            Self::Basic { username, password } => {
                let pair = format!("{username}:{}", password.expose());
                format!("Basic {}", STANDARD.encode(pair))
            }
            Self::Bearer(token) => format!("Bearer {}", token.expose()),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| Error::Authorization {
            url: SafeUrl::new(url),
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}
