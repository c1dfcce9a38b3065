//! From arguments and environment to a reference, and to a registry that can be asked for it.

use std::path::{Path, PathBuf};

use super::args::{CredentialArgs, PlatformArgs, SourceArgs};
use super::environment::{self, var_os};
use super::{Error, credentials};
use crate::auth::Credentials;
use crate::endpoint::Endpoint;
use crate::http::{Client, Roots};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::registry::Registry;

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
    pub(super) async fn registry(&self, args: CredentialArgs) -> Result<Registry, Error> {
        let name = self.endpoint.registry_name();
        let credentials = credentials::of_command(args, name, &self.reference.repository).await?;
        connect(self.endpoint.clone(), credentials, roots()?)
    }
}

/// A client for a registry.
pub(super) fn connect(
    endpoint: Endpoint,
    credentials: Option<Credentials>,
    roots: Roots,
) -> Result<Registry, Error> {
    Ok(Registry::new(Client::new(roots)?, endpoint, credentials))
}

/// The trust roots that the environment names, else the system's.
pub(super) fn roots() -> Result<Roots, Error> {
    match roots_file() {
        Some(path) => Ok(Roots::from_file(&path)?),
        None => Ok(Roots::of_the_system()),
    }
}

/// The same inside a sandbox, where the environment may name a file that only the outside has: Nix itself
/// sets the variable for its own downloads.
pub(super) fn roots_in_sandbox() -> Result<Roots, Error> {
    match roots_file().map(|path| Roots::from_file(&path)) {
        Some(Ok(roots)) => Ok(roots),
        Some(Err(error)) if !error.is_not_found() => Err(error.into()),
        Some(Err(_)) | None => Ok(Roots::of_the_system()),
    }
}

fn roots_file() -> Option<PathBuf> {
    [environment::NIX_SSL_CERT_FILE, environment::SSL_CERT_FILE]
        .into_iter()
        .find_map(var_os)
        .map(PathBuf::from)
        // What Nix sets where it has no bundle.
        .filter(|path| path != Path::new("/no-cert-file.crt"))
}

/// The platform that was asked for, else this machine's.
pub(super) fn platform(args: PlatformArgs) -> Platform {
    args.platform.unwrap_or_else(Platform::of_this_machine)
}
