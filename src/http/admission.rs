//! Admission: where a server may send a client on, by a redirect, a challenge or a document. It owns the rules about
//! schemes, user information and networks; which addresses are in which network is [`crate::name::address`]'s knowledge.
//!
//! The user names a registry, which may therefore be anywhere. What the registry names in turn must be on the internet,
//! or in the network of the registry itself: else a server out there could look around in the user's own network.
//!
//! Sources: CVE-2020-15157 (credentials for a realm of the attacker's choice); OWASP, "Server-Side Request Forgery".

use url::Url;

use super::allowed_networks::AllowedNetworks;
use super::resolver::ResolvedNames;
use super::{Purpose, Request, Settings};
use crate::name::address::{Network, is_loopback, is_site_name};
use crate::name::endpoint::Endpoint;

/// Why a client does not go where a server sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The server would choose what the client says it is.
    #[error("a URL with a user name or password")]
    UserInformation,
    /// What is sent and what comes could be read and changed on the way.
    #[error("which is not https")]
    NotHttps,
    /// It is inside a network in which the registry is not.
    #[error("an internal address that is not the registry's own")]
    Internal,
}

/// Whether the registry may name `service` as its token service, or as another place of a layer: by https, or by plain
/// http at its own origin or, for one on loopback, on loopback; and at no address that is not public but its own. A
/// token service sees credentials, and what it answers is believed.
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

/// What decides about the way of one request.
#[derive(Clone, Copy)]
pub(super) struct Admission<'a> {
    pub(super) request: &'a Request,
    pub(super) names: &'a ResolvedNames,
    pub(super) settings: &'a Settings,
}

impl Admission<'_> {
    /// Whether the request may go on to `target`, to which `from` has redirected it, and which addresses that may have.
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
            // A server on the internet does not lead into the network of a registry that has led to it.
            allowed => allowed.intersection(AllowedNetworks::from(self.network(from))),
        };
        let network = Network::named_by(target).unwrap_or(Network::Public);
        if allowed.contains(network) {
            Ok(allowed)
        } else {
            Err(Refusal::Internal)
        }
    }

    /// Which addresses the host of `url` may have, where no redirect leads to it.
    pub(super) fn allowed_networks(self, url: &Url) -> AllowedNetworks {
        if same_host(self.home(), url) || self.is_allowed(url) {
            return AllowedNetworks::Anywhere;
        }
        // The author of an image names places of layers, and is not the registry.
        if self.request.purpose == Purpose::ForeignBlob {
            return AllowedNetworks::Public;
        }
        let allowed = AllowedNetworks::from(self.network(self.home()));
        // What was on the internet has not moved into the registry's network since (DNS rebinding).
        match self.names.network_of(url.host_str().unwrap_or_default()) {
            Some(Network::Public) => AllowedNetworks::Public,
            _ => allowed,
        }
    }

    /// What the user has named.
    fn home(&self) -> &Url {
        let registry = self.request.registry.as_ref();
        registry.map_or(&self.request.url, Endpoint::base)
    }

    /// The network of a host that was asked.
    fn network(self, url: &Url) -> Network {
        if let Some(network) = Network::named_by(url) {
            return network;
        }
        let name = url.host_str().unwrap_or_default();
        let known = self.names.network_of(name);
        // A proxy resolves names itself; then the name alone says where it is.
        known.unwrap_or(if is_site_name(name) {
            Network::Private
        } else {
            Network::Public
        })
    }

    /// Whether the user allows that this place has the layers of registries elsewhere.
    fn is_allowed(self, url: &Url) -> bool {
        self.request.purpose.is_blob()
            && self
                .settings
                .blob_stores
                .iter()
                .any(|store| same_origin(store, url))
    }
}

/// Whether two URLs have one scheme, host and port.
pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

/// Whether two URLs have one host. A name of loopback is each of its addresses.
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
