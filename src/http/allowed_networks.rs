//! Which networks a request may reach.

use crate::name::address::Network;

/// Which addresses a name may resolve to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AllowedNetworks {
    /// The internet's.
    Public,
    /// Those of a site.
    Private,
    /// Special ones. Some programs for VPNs answer every name with an address of their own of 198.18.0.0/15, and
    /// pass on what is sent there; the registry's own address then shows that they do.
    Special,
    /// This machine's, without special ones.
    Loopback,
    /// All.
    Anywhere,
}

impl AllowedNetworks {
    /// How far a server in a network may send a client.
    pub(super) fn from(network: Network) -> Self {
        match network {
            Network::Public => Self::Public,
            Network::Private => Self::Private,
            Network::Special => Self::Special,
            Network::Loopback => Self::Loopback,
        }
    }

    /// What is within both.
    pub(super) fn intersection(self, other: Self) -> Self {
        match (self, other) {
            (Self::Special, Self::Loopback) | (Self::Loopback, Self::Special) => Self::Private,
            (one, other) => one.min(other),
        }
    }

    /// Whether addresses of a network are among them.
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
