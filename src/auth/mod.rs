//! Authentication: who the user is to a registry, and what to answer when it asks.
//!
//! [`challenge`] reads what a registry asks for, [`token`] fetches bearer tokens, [`Authenticator`] keeps
//! what was granted, and [`credentials_file`] is one of the places where credentials come from.
//!
//! Sources: RFC 9110, section 11; distribution's `docs/spec/auth/token.md`.

mod authenticator;
pub mod challenge;
pub mod credentials_file;
mod error;
pub mod token;

pub use self::authenticator::Authenticator;
pub use self::error::Error;

use crate::secret::Secret;

/// What a user has to prove who they are to one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A name and a password, for the registry itself or for the token service that it names.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A bearer token for the registry itself.
    Bearer(Secret),
}
