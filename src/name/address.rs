//! Addresses: the network of a host. This module defines which addresses are loopback, private or special, and which
//! names mean loopback. It does not decide where a server may send a client: [`crate::http`] does.
//!
//! Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890) and multicast; RFC 6761, section 6.3
//! (`localhost`); RFC 4291, section 2.5.5, RFC 6052, RFC 8215 and RFC 3056 for IPv4 addresses within IPv6 ones.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// A part of the network, the largest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Network {
    /// The internet.
    Public,
    /// The networks of a site: addresses for private use, shared addresses of a provider, and unique local addresses.
    Private,
    /// This machine.
    Loopback,
    /// All other special-purpose addresses, such as link-local ones. No registry has one.
    Special,
}

/// An IPv4 prefix, its length in bits, and its network.
type Block4 = (Ipv4Addr, u32, Network);

/// The IPv4 prefixes that are not public.
const BLOCKS_4: [Block4; 17] = [
    (Ipv4Addr::new(127, 0, 0, 0), 8, Network::Loopback),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Network::Private),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Network::Private),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Network::Private),
    // The networks of carriers, and of VPNs such as Tailscale.
    (Ipv4Addr::new(100, 64, 0, 0), 10, Network::Private),
    (Ipv4Addr::UNSPECIFIED, 8, Network::Special),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Network::Special),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Network::Special),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Network::Special),
    (Ipv4Addr::new(192, 31, 196, 0), 24, Network::Special),
    (Ipv4Addr::new(192, 52, 193, 0), 24, Network::Special),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Network::Special),
    (Ipv4Addr::new(192, 175, 48, 0), 24, Network::Special),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Network::Special),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Network::Special),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Network::Special),
    // Multicast, reserved addresses and the limited broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3, Network::Special),
];

/// The IPv6 prefixes inside the block of global unicast addresses, `2000::/3`, that are not public.
const BLOCKS_6: [(Ipv6Addr, u32); 4] = [
    // Protocol assignments, including Teredo and ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const UNIQUE_LOCAL: (Ipv6Addr, u32) = (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7);
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
const SIX_TO_FOUR: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);

impl Network {
    /// Returns the network of an address.
    #[must_use]
    pub(crate) fn of_address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// Returns the network of a URL's host, if the text of the URL shows it: for an address, or a name that means
    /// loopback. Resolves no names.
    #[must_use]
    pub(crate) fn named_by(url: &Url) -> Option<Self> {
        match url.host()? {
            Host::Domain(name) => is_loopback_name(name).then_some(Self::Loopback),
            Host::Ipv4(address) => Some(of_v4(address)),
            Host::Ipv6(address) => Some(of_v6(address)),
        }
    }
}

/// Returns whether a URL's host is a loopback address or a name that means loopback.
#[must_use]
pub(crate) fn is_loopback(url: &Url) -> bool {
    Network::named_by(url) == Some(Network::Loopback)
}

/// Returns whether a name means this machine: `localhost` or a name below it, in any case, with or without a final dot.
#[must_use]
pub(crate) fn is_loopback_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost")
}

/// Returns whether a name exists only inside a site: a name without a dot, or a name below a domain for private use
/// (RFC 6762, section 3 and appendix G; RFC 8375; ICANN's resolution of 2024 on `internal`).
#[must_use]
pub(crate) fn is_site_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let (_, last) = name.rsplit_once('.').unwrap_or_default();
    matches!(
        last,
        "" | "corp" | "home" | "internal" | "intranet" | "lan" | "local" | "private"
    ) || name.ends_with(".home.arpa")
}

fn of_v4(address: Ipv4Addr) -> Network {
    let is_in = |(block, length, _): &&Block4| {
        address.to_bits() >> (32 - length) == block.to_bits() >> (32 - length)
    };
    BLOCKS_4
        .iter()
        .find(is_in)
        .map_or(Network::Public, |(_, _, network)| *network)
}

fn of_v6(address: Ipv6Addr) -> Network {
    let is_in = |(block, length): (Ipv6Addr, u32)| {
        address.to_bits() >> (128 - length) == block.to_bits() >> (128 - length)
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return of_v4(mapped);
    }
    // A gateway forwards these addresses to an IPv4 address, whose network counts. Loopback would be the gateway
    // itself, not this machine. In `64:ff9b:1::/48` each site chooses its own format, so the IPv4 address is unknown.
    let shift = if is_in(NAT64) {
        Some(0)
    } else {
        is_in(SIX_TO_FOUR).then_some(80)
    };
    if let Some(shift) = shift {
        return match of_v4(embedded(address, shift)) {
            Network::Loopback => Network::Special,
            network => network,
        };
    }
    if address.is_loopback() {
        Network::Loopback
    } else if is_in(UNIQUE_LOCAL) {
        Network::Private
    } else if is_in(GLOBAL_UNICAST) && !BLOCKS_6.into_iter().any(is_in) {
        Network::Public
    } else {
        Network::Special
    }
}

/// Returns the 32 bits above the lowest `shift` bits.
fn embedded(address: Ipv6Addr, shift: u32) -> Ipv4Addr {
    let [_, _, _, _, _, _, _, _, _, _, _, _, a, b, c, d] =
        (address.to_bits() >> shift).to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::Network::{self, Loopback, Private, Public, Special};
    use super::{is_loopback, is_site_name};

    #[test]
    fn every_address_is_in_one_network_however_it_is_written() {
        for (host, network) in [
            // IPv4, with the first and the last address of each block and their neighbours.
            ("0.0.0.0", Special),
            ("0.255.255.255", Special),
            ("1.0.0.0", Public),
            ("9.255.255.255", Public),
            ("10.0.0.0", Private),
            ("10.255.255.255", Private),
            ("11.0.0.0", Public),
            ("100.63.255.255", Public),
            ("100.64.0.0", Private),
            ("100.127.255.255", Private),
            ("100.128.0.0", Public),
            ("127.0.0.1", Loopback),
            ("127.255.255.255", Loopback),
            ("2130706433", Loopback),
            ("0x7f.1", Loopback),
            ("169.254.169.254", Special),
            ("172.15.255.255", Public),
            ("172.16.0.0", Private),
            ("172.31.255.255", Private),
            ("172.32.0.0", Public),
            ("192.0.0.9", Special),
            ("192.0.1.0", Public),
            ("192.0.2.1", Special),
            ("192.31.196.1", Special),
            ("192.52.193.1", Special),
            ("192.88.99.1", Special),
            ("192.168.0.1", Private),
            ("192.175.48.1", Special),
            ("198.17.255.255", Public),
            ("198.18.0.0", Special),
            ("198.19.255.255", Special),
            ("198.20.0.0", Public),
            ("198.51.100.1", Special),
            ("203.0.113.1", Special),
            ("223.255.255.255", Public),
            ("224.0.0.1", Special),
            ("240.0.0.1", Special),
            ("255.255.255.255", Special),
            ("8.8.8.8", Public),
            // IPv6.
            ("[::]", Special),
            ("[::1]", Loopback),
            ("[::2]", Special),
            ("[::127.0.0.1]", Special),
            ("[::8.8.8.8]", Special),
            ("[::ffff:127.0.0.1]", Loopback),
            ("[::ffff:10.0.0.1]", Private),
            ("[::ffff:169.254.169.254]", Special),
            ("[::ffff:8.8.8.8]", Public),
            ("[::ffff:0:127.0.0.1]", Special),
            ("[64:ff9b::8.8.8.8]", Public),
            ("[64:ff9b::10.0.0.1]", Private),
            ("[64:ff9b::127.0.0.1]", Special),
            ("[64:ff9b::169.254.169.254]", Special),
            ("[64:ff9b:1::8.8.8.8]", Special),
            ("[100::1]", Special),
            ("[100:0:0:1::1]", Special),
            ("[2001::1]", Special),
            ("[2001:1ff:ffff::1]", Special),
            ("[2001:200::1]", Public),
            ("[2001:db8::1]", Special),
            ("[2002:0808:0808::1]", Public),
            ("[2002:0a00:0001::1]", Private),
            ("[2002:7f00:0001::1]", Special),
            ("[2002:a9fe:a9fe::1]", Special),
            ("[2606:4700::1]", Public),
            ("[2620:4f:8000::1]", Special),
            ("[3fff::1]", Special),
            ("[3fff:fff::1]", Special),
            ("[3fff:1000::1]", Public),
            ("[4000::1]", Special),
            ("[5f00::1]", Special),
            ("[fc00::1]", Private),
            ("[fdff::1]", Private),
            ("[fe80::1]", Special),
            ("[fec0::1]", Special),
            ("[ff02::1]", Special),
        ] {
            let url = format!("http://{host}/").parse().unwrap();
            assert_eq!(Network::named_by(&url), Some(network), "{host}");
        }
    }

    #[test]
    fn localhost_and_all_below_it_is_loopback_however_it_is_written() {
        for (url, loopback) in [
            ("http://localhost/", true),
            ("http://LocalHost:5000/", true),
            ("http://localhost./", true),
            ("http:\\\\localhost", true),
            ("https://app.localhost/", true),
            ("https://a.b.LOCALHOST./", true),
            ("https://l\u{ff4f}calhost/", true),
            ("https://localhost.example/", false),
            ("https://notlocalhost/", false),
            ("https://r.example/", false),
        ] {
            assert_eq!(is_loopback(&url.parse().unwrap()), loopback, "{url}");
        }
        assert_eq!(
            Network::named_by(&"https://r.example/".parse().unwrap()),
            None
        );
    }

    #[test]
    fn the_names_of_a_site_are_those_that_the_internet_does_not_have() {
        for (name, of_site) in [
            ("registry", true),
            ("registry.", true),
            ("registry.lan", true),
            ("REGISTRY.LAN.", true),
            ("a.b.internal", true),
            ("printer.local", true),
            ("nas.home.arpa", true),
            ("home.arpa", false),
            ("registry.example", false),
            ("registry.invalid", false),
            ("lan.example", false),
        ] {
            assert_eq!(is_site_name(name), of_site, "{name}");
        }
    }
}
