//! From arguments and environment to a reference, and to a registry that can be asked for it.

use std::io::Read as _;

use super::args::{CredentialArgs, PlatformArgs, SourceArgs};
use super::environment::{self, var};
use super::{Context, Error, transport};
use crate::auth::{Credentials, credentials_file};
use crate::endpoint::Endpoint;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::registry::Registry;
use crate::secret::Secret;

/// Passwords on standard input are read up to this many bytes.
const PASSWORD_LIMIT: u64 = 64 << 10;

/// An image's reference and the endpoint of its registry.
pub(super) struct Source {
    pub(super) reference: Reference,
    pub(super) endpoint: Endpoint,
}

impl Source {
    /// Reads the names. With a registry of its own, the image's name is taken as it is.
    pub(super) fn new(args: SourceArgs) -> Result<Self, Error> {
        let invalid = |source| Error::Reference {
            image: args.image.clone(),
            source,
        };
        let reference = match &args.registry {
            Some(endpoint) => Reference::in_registry(endpoint.registry_name().clone(), &args.image),
            None => args.image.parse(),
        }
        .and_then(|reference| match &args.tag {
            Some(tag) => reference.with_tag(tag),
            None => Ok(reference),
        })
        .map_err(invalid)?;
        let endpoint = match args.registry {
            Some(endpoint) => endpoint,
            None => Endpoint::of(&reference.registry)?,
        };
        Ok(Self {
            reference,
            endpoint,
        })
    }

    /// The registry, as the user with these credentials sees it.
    pub(super) fn registry(
        &self,
        credentials: CredentialArgs,
        context: &Context,
    ) -> Result<Registry, Error> {
        let credentials = self::credentials(credentials)?;
        let client = transport::client(context, false)?;
        Ok(Registry::new(client, self.endpoint.clone(), credentials))
    }
}

/// The platform that was asked for, else this machine's.
pub(super) fn platform(args: PlatformArgs) -> Platform {
    args.platform.unwrap_or_else(Platform::of_this_machine)
}

/// Credentials from the arguments, else from the environment.
fn credentials(args: CredentialArgs) -> Result<Option<Credentials>, Error> {
    if let Some(token) = args.token {
        return Ok(Some(Credentials::Bearer(token)));
    }
    if let Some(path) = args.credentials_file {
        return Ok(Some(credentials_file::read(&path)?));
    }
    let Some(username) = args.username else {
        return Ok(credentials_of_environment());
    };
    let password = match (args.password, args.password_stdin) {
        (Some(password), _) => password,
        (None, true) => password_from_stdin()?,
        (None, false) => return Err(Error::PasswordMissing),
    };
    Ok(Some(Credentials::Basic { username, password }))
}

/// The classic variables.
pub(super) fn credentials_of_environment() -> Option<Credentials> {
    let basic = var(environment::DOCKER_USER).zip(var(environment::DOCKER_PASS));
    match (var(environment::DOCKER_TOKEN), basic) {
        (Some(token), _) => Some(Credentials::Bearer(Secret::new(token))),
        (None, Some((username, password))) => Some(Credentials::Basic {
            username,
            password: Secret::new(password),
        }),
        (None, None) => None,
    }
}

fn password_from_stdin() -> Result<Secret, Error> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(PASSWORD_LIMIT)
        .read_to_string(&mut text)
        .map_err(|source| Error::Input {
            what: "the password from standard input".to_owned(),
            source,
        })?;
    // As docker login does: the newline of `echo` is not part of the password.
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
}
