//! The registry client: manifests, indexes, configurations and blobs of one registry, verified.
//!
//! [`Registry`] sends requests and answers challenges, and [`access`](Registry::access) tells how that goes; [`resolve`](Registry::resolve) finds an image's
//! manifest; [`BlobRequest`] is content on its way, with the error instead of the end if it is not what it should
//! be.
//!
//! Source: OCI distribution specification, section "Pull".

mod access;
mod blob;
mod error;
mod mirrors;
mod redirected;
mod resolve;
mod send;

pub use self::access::{Access, AnonymousResponse};
pub use self::blob::{BlobRequest, Destination, DownloadError, Progress, Silent, is_small};
pub use self::error::{Cause, Error, Object, Role};
pub use self::resolve::{ManifestOrIndex, Resolved};

use std::sync::Arc;

use tokio::sync::Semaphore;

use self::redirected::RedirectTargets;
use crate::auth::{Authenticator, Credentials, Sources};
use crate::http::Client;
use crate::name::endpoint::Endpoint;

/// A registry, and what is known of how to talk to it.
#[derive(Debug)]
pub struct Registry {
    endpoint: Endpoint,
    client: Client,
    authenticator: Authenticator,
    extra_connections: Arc<Semaphore>,
    mirrors: Vec<mirrors::Mirror>,
    redirect_targets: RedirectTargets,
}

impl Registry {
    /// The registry at `endpoint`, as the user with `credentials` sees it: without them if they are not for it.
    #[must_use]
    pub fn new(client: Client, endpoint: Endpoint, credentials: Option<Credentials>) -> Self {
        Self {
            authenticator: Authenticator::new(client.clone(), endpoint.clone(), credentials),
            client,
            endpoint,
            extra_connections: Arc::new(Semaphore::new(blob::EXTRA_CONNECTIONS)),
            mirrors: Vec::new(),
            redirect_targets: RedirectTargets::default(),
        }
    }

    /// With what is kept for other registries, for those that this one redirects to.
    #[must_use]
    pub fn with_sources(mut self, sources: Sources) -> Self {
        self.redirect_targets = RedirectTargets::new(sources);
        self
    }

    /// Where this registry is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}
