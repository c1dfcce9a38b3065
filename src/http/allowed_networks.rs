//! Which networks a request may reach.

use crate::name::address::Network;

/// The networks to whose addresses a name may resolve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AllowedNetworks {
    /// The internet.
    Public,
    /// The internet and the networks of a site.
    Private,
    /// All networks except loopback. Some VPN programs resolve every name to an address in 198.18.0.0/15 and forward
    /// the data; the registry then has such an address too.
    Special,
    /// All networks except special addresses.
    Loopback,
    /// All networks.
    Anywhere,
}

impl AllowedNetworks {
    /// Returns the networks to which a server in `network` may send the client.
    pub(super) fn from(network: Network) -> Self {
        match network {
            Network::Public => Self::Public,
            Network::Private => Self::Private,
            Network::Special => Self::Special,
            Network::Loopback => Self::Loopback,
        }
    }

    /// Returns the networks that both allow.
    pub(super) fn intersection(self, other: Self) -> Self {
        match (self, other) {
            (Self::Special, Self::Loopback) | (Self::Loopback, Self::Special) => Self::Private,
            (one, other) => one.min(other),
        }
    }

    /// Returns whether a network is allowed.
    pub(super) fn contains(self, network: Network) -> bool {
        match self {
            Self::Public => network == Network::Public,
            Self::Private => matches!(network, Network::Public | Network::Private),
            Self::Special => network != Network::Loopback,
            Self::Loopback => network != Network::Special,
            Self::Anywhere => true,
        }
    }
}
