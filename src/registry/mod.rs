//! The registry client: manifests, indexes, configurations and blobs of one registry, verified.
//!
//! [`Registry`] sends requests and answers challenges, and [`access`](Registry::access) tells how that goes; [`resolve`](Registry::resolve) finds an image's
//! manifest; [`Blob`] is content on its way, with the error instead of the end if it is not what it should
//! be.
//!
//! Source: OCI distribution specification, section "Pull".

mod access;
mod behind;
mod blob;
mod error;
mod mirrors;
mod resolve;
mod send;

pub use self::access::{Access, Greeting};
pub use self::blob::{Blob, Destination, DownloadError, Progress, Silent, is_small};
pub use self::error::{Cause, Error, Object, Role};
pub use self::resolve::{Found, Resolved};

use std::sync::Arc;

use tokio::sync::Semaphore;

use self::behind::Behind;
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
    behind: Behind,
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
            behind: Behind::default(),
        }
    }

    /// With what is kept for other registries, for those that this one redirects to.
    #[must_use]
    pub fn with_kept(mut self, kept: Sources) -> Self {
        self.behind = Behind::new(kept);
        self
    }

    /// Where this registry is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}
