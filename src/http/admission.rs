//! Admission: where a server may send the client, by a redirect, a challenge or a document. This module owns the rules
//! for schemes, user information and networks. [`crate::name::address`] maps addresses to networks.
//!
//! The user chooses the registry, so it may be in any network. A server that the registry names must be on the internet
//! or in the registry's network. Otherwise a server on the internet could reach servers in the user's network.
//!
//! Sources: CVE-2020-15157 (credentials for a realm of the attacker's choice); OWASP, "Server-Side Request Forgery".

use url::Url;

use super::allowed_networks::AllowedNetworks;
use super::resolver::ResolvedNames;
use super::{Purpose, Request, Settings};
use crate::name::address::{Network, is_loopback, is_site_name};
use crate::name::endpoint::Endpoint;

/// The reason why a client does not follow a server's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The URL contains a user name or password, so the server would choose the client's credentials.
    #[error("a URL with a user name or password")]
    UserInformation,
    /// The URL is not https, so others could read and change requests and responses.
    #[error("which is not https")]
    NotHttps,
    /// The address is in a network in which the registry is not.
    #[error("an internal address that is not the registry's own")]
    Internal,
}

/// Checks whether the registry may name `service` as its token service or as the URL of a layer. A token service gets
/// credentials and is trusted.
///
/// The URL must be https. Plain http is allowed for the registry's own scheme, host and port, and between loopback
/// addresses. An address that is not public must be the registry's own host.
pub fn admits(registry: &Endpoint, service: &Url) -> Result<(), Refusal> {
    if has_user_information(service) {
        return Err(Refusal::UserInformation);
    }
    let base = registry.base();
    let may_be_plain = same_origin(base, service)
        || base.scheme() == "http" && is_loopback(base) && is_loopback(service);
    match service.scheme() {
        "https" => {}
        "http" if may_be_plain => {}
        _ => return Err(Refusal::NotHttps),
    }
    match Network::named_by(service) {
        None | Some(Network::Public) => Ok(()),
        Some(_) if same_host(base, service) => Ok(()),
        Some(_) => Err(Refusal::Internal),
    }
}

/// The data for decisions about the redirects of one request.
#[derive(Clone, Copy)]
pub(super) struct Admission<'a> {
    pub(super) request: &'a Request,
    pub(super) names: &'a ResolvedNames,
    pub(super) settings: &'a Settings,
}

impl Admission<'_> {
    /// Checks whether the request may follow a redirect from `from` to `target`. Returns the networks in which `target`
    /// may be.
    pub(super) fn follow(self, from: &Url, target: &Url) -> Result<AllowedNetworks, Refusal> {
        if has_user_information(target) {
            return Err(Refusal::UserInformation);
        }
        if let Purpose::Token(registry) = &self.request.purpose {
            admits(registry, target)?;
        }
        if self.is_allowed(target) {
            return Ok(AllowedNetworks::Anywhere);
        }
        if from.scheme() == "https" && target.scheme() != "https" {
            return Err(Refusal::NotHttps);
        }
        let is_of_registry = same_host(self.home(), from) || same_origin(self.home(), target);
        let allowed = match self.allowed_networks(target) {
            AllowedNetworks::Anywhere if is_of_registry => AllowedNetworks::Anywhere,
            // A server on the internet may not redirect into the network of the registry.
            allowed => allowed.intersection(AllowedNetworks::from(self.network(from))),
        };
        let network = Network::named_by(target).unwrap_or(Network::Public);
        if allowed.contains(network) {
            Ok(allowed)
        } else {
            Err(Refusal::Internal)
        }
    }

    /// Returns the networks in which the host of `url` may be, before any redirect.
    pub(super) fn allowed_networks(self, url: &Url) -> AllowedNetworks {
        if same_host(self.home(), url) || self.is_allowed(url) {
            return AllowedNetworks::Anywhere;
        }
        // The image's author chooses the URLs in a manifest, not the registry.
        if self.request.purpose == Purpose::ForeignBlob {
            return AllowedNetworks::Public;
        }
        let allowed = AllowedNetworks::from(self.network(self.home()));
        // A host that was on the internet may not move into the registry's network (DNS rebinding).
        match self.names.network_of(url.host_str().unwrap_or_default()) {
            Some(Network::Public) => AllowedNetworks::Public,
            _ => allowed,
        }
    }

    /// Returns the URL that the user chose: the registry's, if the request has one.
    fn home(&self) -> &Url {
        let registry = self.request.registry.as_ref();
        registry.map_or(&self.request.url, Endpoint::base)
    }

    /// Returns the network of a host that was reached before.
    fn network(self, url: &Url) -> Network {
        if let Some(network) = Network::named_by(url) {
            return network;
        }
        let name = url.host_str().unwrap_or_default();
        let known = self.names.network_of(name);
        // If a proxy resolves the name, only the name itself shows the network.
        known.unwrap_or(if is_site_name(name) {
            Network::Private
        } else {
            Network::Public
        })
    }

    /// Returns whether the user allows blobs from this server.
    fn is_allowed(self, url: &Url) -> bool {
        self.request.purpose.is_blob()
            && self
                .settings
                .blob_stores
                .iter()
                .any(|store| same_origin(store, url))
    }
}

/// Returns whether two URLs have the same scheme, host and port.
pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

/// Returns whether two URLs have the same host. A loopback name equals every loopback address.
fn same_host(one: &Url, other: &Url) -> bool {
    let is_name = |url: &Url| url.domain().is_some();
    one.host() == other.host()
        || is_loopback(one) && is_loopback(other) && (is_name(one) || is_name(other))
}

fn has_user_information(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests;
