//! Resolution of host names to the addresses in the allowed networks. Otherwise a public name with an internal address
//! would bypass the rules for addresses in URLs.
//!
//! A proxy resolves the names of the hosts that are reached through it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::allowed_networks::AllowedNetworks;
use crate::name::address::{Network, is_loopback_name};

/// The networks of the names that were resolved until now.
#[derive(Clone, Debug, Default)]
pub(super) struct ResolvedNames(Arc<Mutex<HashMap<String, Network>>>);

impl ResolvedNames {
    /// Returns the network of a name, if hocker resolved it. A name that had a public address stays public: otherwise
    /// an attacker could choose which of several addresses is checked.
    pub(super) fn network_of(&self, name: &str) -> Option<Network> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(&key(name)).copied()
    }

    /// Records the addresses of a name.
    pub(super) fn record<'a>(&self, name: &str, addresses: impl Iterator<Item = &'a IpAddr>) {
        let Some(network) = addresses.copied().map(Network::of_address).min() else {
            return;
        };
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names
            .entry(key(name))
            .and_modify(|known| *known = network.min(*known))
            .or_insert(network);
    }
}

fn key(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Resolves names, and returns only addresses in the allowed networks.
pub(super) struct Resolver {
    pub(super) allowed: AllowedNetworks,
    pub(super) names: ResolvedNames,
    /// The host names of proxies, which may be in any network because the user chose them.
    pub(super) proxies: Arc<HashSet<String>>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, names) = (self.allowed, self.names.clone());
        let name = name.as_str().to_owned();
        let is_proxy = self.proxies.contains(&key(&name));
        Box::pin(async move {
            let mut found = addresses(&name).await?;
            if is_proxy {
                return Ok(Box::new(found.into_iter()) as Addrs);
            }
            let addresses: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
            names.record(&name, addresses.iter());
            found.retain(|address| allowed.contains(Network::of_address(address.ip())));
            match addresses.first() {
                Some(address) if found.is_empty() => {
                    Err(ForbiddenAddress { address: *address }.into())
                }
                _ => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

/// Resolves a name with the system's resolver. Names below `localhost` are always loopback (RFC 6761).
async fn addresses(name: &str) -> Result<Vec<SocketAddr>, UnknownHost> {
    let own = [
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
    ];
    if is_loopback_name(name) && key(name) != "localhost" {
        return Ok(own.to_vec());
    }
    match tokio::net::lookup_host((name, 0)).await {
        Ok(found) => Ok(found.collect()),
        Err(reason) => Err(UnknownHost {
            name: name.to_owned(),
            reason,
        }),
    }
}

/// A name for which the system's resolver finds no address.
#[derive(Debug)]
pub(super) struct UnknownHost {
    name: String,
    reason: io::Error,
}

impl fmt::Display for UnknownHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot resolve {}: {}", self.name, self.reason)
    }
}

impl std::error::Error for UnknownHost {}

/// A name whose addresses are all outside the allowed networks.
#[derive(Debug)]
pub(super) struct ForbiddenAddress {
    pub(super) address: IpAddr,
}

impl fmt::Display for ForbiddenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is an internal address", self.address)
    }
}

impl std::error::Error for ForbiddenAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver(allowed: AllowedNetworks, proxies: &[&str]) -> Resolver {
        let proxies = proxies.iter().map(|name| (*name).to_owned()).collect();
        Resolver {
            allowed,
            names: ResolvedNames::default(),
            proxies: Arc::new(proxies),
        }
    }

    #[tokio::test]
    async fn a_name_gives_only_addresses_within_reach() {
        // A name that every system resolves to an internal address, and one that hocker resolves itself.
        for name in ["localhost", "app.localhost", "APP.LOCALHOST."] {
            for allowed in [
                AllowedNetworks::Public,
                AllowedNetworks::Private,
                AllowedNetworks::Special,
                AllowedNetworks::Loopback,
                AllowedNetworks::Anywhere,
            ] {
                let found = resolver(allowed, &[]).resolve(name.parse().unwrap()).await;
                let within = allowed.contains(Network::Loopback);
                assert_eq!(found.is_ok(), within, "{name} {allowed:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_proxy_may_be_anywhere_and_says_nothing_of_names() {
        let resolver = resolver(AllowedNetworks::Public, &["localhost"]);
        assert!(resolver.resolve("localhost".parse().unwrap()).await.is_ok());
        assert_eq!(resolver.names.network_of("localhost"), None);
    }

    #[test]
    fn a_name_that_has_had_a_public_address_is_public() {
        let names = ResolvedNames::default();
        assert_eq!(names.network_of("r.example"), None);
        names.record("R.example.", [[10, 0, 0, 1].into()].iter());
        assert_eq!(names.network_of("r.example"), Some(Network::Private));
        names.record(
            "r.example",
            [[10, 0, 0, 1].into(), [8, 8, 8, 8].into()].iter(),
        );
        names.record("r.example", [[10, 0, 0, 1].into()].iter());
        assert_eq!(names.network_of("r.example"), Some(Network::Public));
    }
}
