//! Authentication: the user's credentials, and the answers to a registry's challenges.
//!
//! [`Sources`] finds credentials in files ([`docker_config`], [`netrc`], [`credentials_file`]) and runs the programs
//! that these files name ([`helper`]). [`challenge`] parses challenges, `token` fetches bearer tokens, and
//! [`Authenticator`] keeps tokens and passwords for later requests. This module does not read the environment: the
//! caller passes the paths of the files.
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
mod token;

pub use self::authenticator::Authenticator;
pub use self::error::{Error, ErrorResponse};
pub use self::origin::Origin;
pub use self::sources::Sources;

use crate::name::endpoint::{Channel, Endpoint};
use crate::secret::Secret;

/// The credentials of a user for one registry, and their source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The password or token.
    pub proof: Proof,
    /// The source of the credentials.
    pub origin: Origin,
}

impl Credentials {
    /// Returns whether a registry at `endpoint` may get these credentials. Stored credentials are sent only over https
    /// or loopback. Credentials of this call are sent over plain http only if the user wrote `http://`.
    #[must_use]
    pub fn are_for(&self, endpoint: &Endpoint) -> bool {
        match endpoint.channel() {
            Channel::Secure => true,
            Channel::PlainByUser => self.origin.is_this_call(),
            Channel::PlainByOthers => false,
        }
    }
}

/// A password or token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A user name and password, for the registry or for its token service.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A bearer token for the registry.
    Bearer(Secret),
    /// An identity token (OAuth2: a refresh token), for which the token service issues bearer tokens.
    Identity(Secret),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_credentials_are_for_https_and_loopback_alone() {
        let credentials = |origin| Credentials {
            proof: Proof::Bearer(Secret::new("x")),
            origin,
        };
        let of_this_call = [
            Origin::CommandLine,
            Origin::Environment("DOCKER_TOKEN"),
            Origin::NamedFile("/file".into()),
        ];
        let kept = [
            Origin::Variable("DOCKER_AUTH_CONFIG"),
            Origin::File("/file".into()),
            Origin::Helper {
                program: "docker-credential-x".to_owned(),
                file: "/file".into(),
            },
        ];
        // Credentials of this call, then stored ones: first for the user's own URL, then for a URL from a file.
        for (registry, expected) in [
            ("https://r.example/v2/", [true, true, true, true]),
            ("http://localhost:5000/v2/", [true, true, true, true]),
            ("http://r.example/v2/", [true, false, false, false]),
            ("http://10.0.0.1/v2/", [true, false, false, false]),
            (
                "http://registry-1.docker.io:8080/v2/",
                [true, false, false, false],
            ),
        ] {
            let endpoints: [Endpoint; 2] = [
                registry.parse().unwrap(),
                Endpoint::in_file(registry).unwrap(),
            ];
            let mut expected = expected.into_iter();
            for endpoint in &endpoints {
                for origins in [&of_this_call[..], &kept] {
                    let expected = expected.next().unwrap();
                    for origin in origins {
                        let are_for = credentials(origin.clone()).are_for(endpoint);
                        assert_eq!(are_for, expected, "{registry} {origin:?}");
                    }
                }
            }
        }
    }
}
