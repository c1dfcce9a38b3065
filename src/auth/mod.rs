//! Authentication: who the user is to a registry, and what to answer when it asks.
//!
//! [`Sources`] finds credentials in files ([`docker_config`], [`netrc`], [`credentials_file`]) and asks the
//! programs that they name ([`helper`]). [`challenge`] reads what a registry asks for, [`token`] fetches
//! bearer tokens, and [`Authenticator`] keeps what was granted. Nothing here reads the environment: where the
//! files are is handed in.
//!
//! Sources: RFC 9110, section 11; distribution's `docs/spec/auth/token.md` and `oauth.md`.

mod authenticator;
pub mod challenge;
pub mod credentials_file;
pub mod docker_config;
mod error;
pub mod helper;
pub mod netrc;
mod origin;
pub mod sources;
pub mod token;

pub use self::authenticator::Authenticator;
pub use self::error::{Answer, Error};
pub use self::origin::Origin;
pub use self::sources::Sources;

use crate::secret::Secret;

/// What a user has to prove who they are to one registry, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// What proves it.
    pub proof: Proof,
    /// Where it was found.
    pub origin: Origin,
}

/// What proves who a user is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A name and a password, for the registry itself or for the token service that it names.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A bearer token for the registry itself.
    Bearer(Secret),
    /// An identity token (OAuth2: a refresh token), which the token service takes for bearer tokens.
    Identity(Secret),
}
