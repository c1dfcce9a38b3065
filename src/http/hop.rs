//! Hops: the servers that a request comes to by redirects, and what counts for each. Whether a request may go there is
//! [`super::admission`]'s knowledge.

use url::Url;

use super::allowed_networks::AllowedNetworks;
use super::{Client, Error, Purpose, Request};
use crate::name::Endpoint;
use crate::safe_url::SafeUrl;

/// A server on the way of a request.
pub(super) struct Hop {
    pub(super) url: Url,
    /// Which addresses its host may have.
    pub(super) allowed: AllowedNetworks,
    /// The registry that leads to it.
    pub(super) tls_registry: Option<Url>,
}

impl Request {
    /// The registry that leads to the servers on its way: its authorities count for them.
    fn tls_registry(&self) -> Option<&Url> {
        match &self.purpose {
            // The author of an image names places of layers, and is not the registry.
            Purpose::ForeignBlob => None,
            Purpose::Token(registry) => Some(registry.base()),
            // The registry that the authorization is for, which may be behind the one that the user named.
            Purpose::Document | Purpose::Blob if self.authorization.is_some() => Some(&self.url),
            Purpose::Document | Purpose::Blob => self.registry.as_ref().map(Endpoint::base),
        }
    }
}

impl Client {
    /// The server that a request names.
    pub(super) fn first_hop(&self, request: &Request) -> Hop {
        Hop {
            allowed: self.admission(request).allowed_networks(&request.url),
            tls_registry: request.tls_registry().cloned(),
            url: request.url.clone(),
        }
    }

    /// The server that a redirect names.
    pub(super) fn follow(&self, request: &Request, from: Hop, target: Url) -> Result<Hop, Error> {
        let refused = |refusal| Error::Redirect {
            url: SafeUrl::new(&from.url),
            target: SafeUrl::new(&target),
            purpose: match request.purpose {
                Purpose::Token(_) => " for a token",
                Purpose::Document | Purpose::Blob | Purpose::ForeignBlob => "",
            },
            refusal,
        };
        let allowed = self.admission(request).follow(&from.url, &target);
        let allowed = allowed.map_err(refused)?;
        // Another registry may be shown what is kept for it, which the authorities of the first one do not decide about.
        let is_registry = Endpoint::of_redirect(&target).is_some();
        Ok(Hop {
            allowed,
            tls_registry: if is_registry {
                Some(target.clone())
            } else {
                from.tls_registry
            },
            url: target,
        })
    }
}
