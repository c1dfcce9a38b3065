//! The registry client: it fetches and verifies the manifests, indexes, configs and blobs of one registry.
//!
//! [`Registry`] sends requests and answers challenges. [`resolve`](Registry::resolve) finds the manifest of an image,
//! [`fetch_blob`](Registry::fetch_blob) fetches a blob, [`tags`](Registry::tags) lists tags,
//! [`referrers`](Registry::referrers) lists signatures, and [`access`](Registry::access) checks whether a user may do
//! so.
//!
//! Source: OCI distribution specification, section "Pull".

mod access;
mod blob;
mod docker_hub;
mod error;
mod github;
mod mirrors;
mod presence;
mod redirected;
mod referrers;
mod resolve;
mod send;
mod tags;
mod tags_error;

pub use self::access::{Access, AnonymousResponse};
pub use self::blob::{BlobRequest, Destination, DownloadError, Progress, Silent, is_small};
pub use self::error::{Cause, Error, Object, Role};
pub use self::github::{AttestedBy, GitHubApi};
pub use self::resolve::{ManifestOrIndex, Resolved};
pub use self::tags_error::TagsError;

use std::sync::Arc;

use tokio::sync::Semaphore;

use self::redirected::RedirectTargets;
use crate::auth::{Authenticator, Credentials, Sources};
use crate::http::Client;
use crate::name::endpoint::Endpoint;

/// A client for one registry.
///
/// ```no_run
/// use hocker::http::{Client, Roots, Settings};
/// use hocker::name::{Endpoint, Reference};
/// use hocker::oci::Platform;
/// use hocker::output::{Existing, OutputFile};
/// use hocker::registry::{BlobRequest, Registry, Role, Silent};
/// use hocker::verify::Size;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let reference: Reference = "debian:12".parse()?;
/// let client = Client::new(Roots::of_the_system(), Settings::default());
/// let registry = Registry::new(client, Endpoint::of(&reference.registry)?, None);
///
/// let platform = Platform::linux("amd64");
/// let resolved = registry.resolve(&reference, &platform).await?;
/// for layer in &resolved.manifest.layers {
///     let blob = BlobRequest {
///         repository: reference.repository.clone(),
///         role: Role::Layer,
///         digest: layer.digest,
///         size: Size::Exact(layer.size),
///         urls: layer.urls.clone(),
///     };
///     let path = format!("{}.tar.gz", layer.digest.hex());
///     let file = OutputFile::create(path.as_ref(), Existing::Refuse)?;
///     registry.fetch_to(&blob, &file, &Silent).await?;
///     file.commit()?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Registry {
    endpoint: Endpoint,
    client: Client,
    authenticator: Authenticator,
    extra_connections: Arc<Semaphore>,
    mirrors: Vec<mirrors::Mirror>,
    redirect_targets: RedirectTargets,
    github: Option<GitHubApi>,
}

impl Registry {
    /// Creates a client for the registry at `endpoint`. Ignores `credentials` that the registry may not get.
    #[must_use]
    pub fn new(client: Client, endpoint: Endpoint, credentials: Option<Credentials>) -> Self {
        Self {
            authenticator: Authenticator::new(client.clone(), endpoint.clone(), credentials),
            client,
            endpoint,
            extra_connections: Arc::new(Semaphore::new(blob::EXTRA_CONNECTIONS)),
            mirrors: Vec::new(),
            redirect_targets: RedirectTargets::default(),
            github: GitHubApi::new(None, None),
        }
    }

    /// Adds the sources of credentials for registries to which this one redirects.
    #[must_use]
    pub fn with_sources(mut self, sources: Sources) -> Self {
        self.redirect_targets = RedirectTargets::new(sources);
        self
    }

    /// Returns the endpoint of this registry.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}
