//! Hops: the servers that a request reaches by redirects, and the rules for each. [`super::admission`] decides whether
//! a request may go there.

use url::Url;

use super::allowed_networks::AllowedNetworks;
use super::{Client, Error, Purpose, Request};
use crate::name::Endpoint;
use crate::safe_url::SafeUrl;

/// A server that a request reaches.
pub(super) struct Hop {
    pub(super) url: Url,
    /// The networks in which its host may be.
    pub(super) allowed: AllowedNetworks,
    /// The registry that leads to it. Its certificate authorities are trusted.
    pub(super) tls_registry: Option<Url>,
}

impl Request {
    /// Returns the registry that leads to the servers of this request. Its certificate authorities are trusted.
    fn tls_registry(&self) -> Option<&Url> {
        match &self.purpose {
            // The image's author chooses the URLs in a manifest, not the registry.
            Purpose::ForeignBlob => None,
            Purpose::Token(registry) => Some(registry.base()),
            // The authorization is for this URL. The registry that the user named may have redirected to it.
            Purpose::Document | Purpose::Blob if self.authorization.is_some() => Some(&self.url),
            Purpose::Document | Purpose::Blob => self.registry.as_ref().map(Endpoint::base),
        }
    }
}

impl Client {
    /// Returns the first server of a request.
    pub(super) fn first_hop(&self, request: &Request) -> Hop {
        Hop {
            allowed: self.admission(request).allowed_networks(&request.url),
            tls_registry: request.tls_registry().cloned(),
            url: request.url.clone(),
        }
    }

    /// Returns the server of a redirect, if the request may follow it.
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
        // Another registry may get its own credentials. The authorities of the first registry are not trusted for that.
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
