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
pub use self::error::{Error, ErrorResponse};
pub use self::origin::Origin;
pub use self::sources::Sources;

use crate::name::endpoint::{Channel, Endpoint};
use crate::secret::Secret;

/// What a user has to prove who they are to one registry, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// What proves it.
    pub proof: Proof,
    /// Where it was found.
    pub origin: Origin,
}

impl Credentials {
    /// Whether a registry there may get them. Scheme and port are part of what credentials are for: those that are kept
    /// for a name are sent over https or loopback alone, and those of this call over plain http only where the user
    /// said `http://` too.
    #[must_use]
    pub fn are_for(&self, endpoint: &Endpoint) -> bool {
        match endpoint.channel() {
            Channel::Secure => true,
            Channel::PlainByUser => self.origin.is_this_call(),
            Channel::PlainByOthers => false,
        }
    }
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
        // In order: credentials of this call and kept ones where the user names the registry, and where a file does.
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
