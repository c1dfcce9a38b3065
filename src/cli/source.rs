//! Turns arguments into a reference, and into the registry that has it.

use super::args::{CredentialArgs, PlatformArgs, SourceArgs};
use super::{Context, Error, credentials, transport};
use hocker::name::Reference;
use hocker::name::endpoint::Endpoint;
use hocker::oci::platform::Platform;
use hocker::registry::{Registry, Resolved};
use hocker::safe_url;

/// An image's reference and the endpoint of its registry.
pub(super) struct Source {
    pub(super) reference: Reference,
    pub(super) endpoint: Endpoint,
}

impl Source {
    /// Parses the name and the tag. With `--registry`, the name is the full name of a repository.
    pub(super) fn new(args: SourceArgs) -> Result<Self, Error> {
        let invalid = |source| Error::Reference {
            image: safe_url::shown(&args.image),
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

    /// Returns the registry, with credentials and mirrors.
    pub(super) async fn registry(
        &self,
        args: CredentialArgs,
        context: &Context,
    ) -> Result<Registry, Error> {
        let (name, repository) = (self.endpoint.registry_name(), &self.reference.repository);
        let credentials = credentials::of_command(args, name, repository, context).await?;
        let client = transport::client(context, false)?;
        transport::registry(
            context,
            client,
            self.endpoint.clone(),
            repository,
            credentials,
            Vec::new(),
        )
        .await
    }
}

/// Resolves a reference for a platform. A platform from the arguments is required, also of an image without an index.
/// Without one, this machine's platform selects from an index.
pub(super) async fn resolve(
    registry: &Registry,
    reference: &Reference,
    args: PlatformArgs,
) -> Result<Resolved, Error> {
    let resolved = match &args.platform {
        Some(platform) => registry.resolve_for(reference, platform).await?,
        None => registry.resolve(reference, &platform(args)).await?,
    };
    Ok(resolved)
}

/// Returns the platform from the arguments, else this machine's.
pub(super) fn platform(args: PlatformArgs) -> Platform {
    args.platform.unwrap_or_else(Platform::of_this_machine)
}
