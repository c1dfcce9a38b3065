//! `no_proxy`: which hosts are reached without a proxy. The variable has no standard. These are Go's rules, so a list
//! for docker, containerd or skopeo means the same here.
//!
//! Source: golang.org/x/net/http/httpproxy.

use std::net::IpAddr;

use url::{Host, Url};

/// An entry of the list.
#[derive(Debug, PartialEq, Eq)]
enum Entry {
    /// `*`: all hosts.
    All,
    /// `10.0.0.0/8`: addresses with this prefix, and its length in bits.
    Network(IpAddr, u8),
    /// `10.0.0.1`, `[::1]:443`: one address.
    Address(IpAddr, Port),
    /// `example.com`, `.example.com:443`: a domain.
    Domain {
        /// The domain with a leading dot.
        suffix: String,
        /// Whether the entry includes the domain itself, not only its subdomains.
        itself: bool,
        port: Port,
    },
}

/// The port of an entry; empty for all ports. It is compared as text.
type Port = String;

/// Returns whether a URL's host is reached without a proxy: it is loopback, or in the list.
pub(super) fn is_direct(list: &str, url: &Url) -> bool {
    let Some(host) = url.host() else { return true };
    let port = url.port_or_known_default().unwrap_or_default().to_string();
    let host = match host {
        Host::Domain("localhost") => return true,
        Host::Domain(name) => Err(name.to_ascii_lowercase()),
        Host::Ipv4(address) => Ok(IpAddr::V4(address)),
        Host::Ipv6(address) => Ok(IpAddr::V6(address).to_canonical()),
    };
    if host.as_ref().is_ok_and(IpAddr::is_loopback) {
        return true;
    }
    let mut entries = list.split(',').filter_map(parse);
    entries.any(|entry| entry.holds(&host, &port))
}

impl Entry {
    fn holds(&self, host: &Result<IpAddr, String>, port: &str) -> bool {
        let is_port = |own: &Port| own.is_empty() || own == port;
        match (self, host) {
            (Self::All, _) => true,
            (Self::Network(network, bits), Ok(address)) => shares(*network, *address, *bits),
            (Self::Address(own, own_port), Ok(address)) => own == address && is_port(own_port),
            (
                Self::Domain {
                    suffix,
                    itself,
                    port: own_port,
                },
                Err(name),
            ) => {
                let is_itself = *itself && suffix.strip_prefix('.') == Some(name.as_str());
                (is_itself || name.ends_with(suffix.as_str())) && is_port(own_port)
            }
            _ => false,
        }
    }
}

/// Parses one entry. Returns `None` for an invalid entry, which Go ignores too.
fn parse(text: &str) -> Option<Entry> {
    let text = text.trim().to_lowercase();
    if text == "*" {
        return Some(Entry::All);
    }
    if let Some((network, bits)) = network(&text) {
        return Some(Entry::Network(network, bits));
    }
    let (host, port) = host_and_port(&text).unwrap_or((text.as_str(), ""));
    let port = port.to_owned();
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(Entry::Address(address.to_canonical(), port));
    }
    // `*.example.com` is `.example.com`.
    let domain = match host.strip_prefix('*') {
        Some(rest) if rest.starts_with('.') => rest,
        _ => host,
    };
    if domain.is_empty() {
        return None;
    }
    let name = domain.strip_prefix('.');
    Some(Entry::Domain {
        itself: name.is_none(),
        suffix: format!(".{}", in_ascii(name.unwrap_or(domain))),
        port,
    })
}

/// Parses an address and the length of its prefix in bits.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    if !bits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let bits: u8 = bits.parse().ok()?;
    match (address, address.to_canonical()) {
        (IpAddr::V4(_), _) if bits > 32 => None,
        (IpAddr::V6(_), _) if bits > 128 => None,
        (IpAddr::V6(_), mapped @ IpAddr::V4(_)) => Some((mapped, bits.saturating_sub(96))),
        _ => Some((address, bits)),
    }
}

fn shares(network: IpAddr, address: IpAddr, bits: u8) -> bool {
    let (one, other, width) = match (network, address) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits().into(), other.to_bits().into(), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits(), other.to_bits(), 128),
        _ => return false,
    };
    let difference: u128 = one ^ other;
    // A shift by all bits overflows; then there is nothing to compare.
    difference
        .checked_shr(width - u32::from(bits))
        .unwrap_or_default()
        == 0
}

/// Splits `HOST:PORT` or `[ADDRESS]:PORT`. An IPv6 address without brackets has no port.
fn host_and_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    let odd = |text: &str| text.contains(['[', ']']);
    (!odd(host) && !odd(port)).then_some((host, port))
}

/// Converts a domain to its form in URLs. Any other text stays unchanged.
fn in_ascii(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    Host::parse(name).map_or_else(|_| name.to_owned(), |host| host.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, url: &str, direct: bool) {
        let parsed = url.parse().unwrap();
        assert_eq!(is_direct(list, &parsed), direct, "{list:?} {url}");
    }

    /// The values of Go's own tests.
    const LIST: &str = "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, \
                        2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64";
    const HOSTS: [(&str, bool); 28] = [
        ("localhost", true),
        ("127.0.0.1", true),
        ("127.0.0.2", true),
        ("[::1]", true),
        ("[::2]", false),
        ("192.168.1.1", true),
        ("192.168.1.2", false),
        ("192.168.1.3", true),
        ("192.168.1.4", false),
        ("10.0.0.2", true),
        ("[2001:db8::52:0:1]", true),
        ("[2001:db8::52:0:2]", false),
        ("[2001:db8::52:0:3]", true),
        ("[2002:db8:a::123]", true),
        ("[fe80::424b:c8be:1643:a1b6]", false),
        ("barbaz.net", false),
        ("www.barbaz.net", true),
        ("foobar.com", true),
        ("www.foobar.com", true),
        ("foofoobar.com", false),
        ("baz.com", false),
        ("localhost.net", false),
        ("local.localhost", false),
        ("barbarbaz.net", false),
        ("wildcard.io", false),
        ("nested.wildcard.io", true),
        ("awildcard.io", false),
        ("[::ffff:10.0.0.2]", true),
    ];

    #[test]
    fn a_list_means_what_it_means_to_go() {
        for (host, direct) in HOSTS {
            check(LIST, &format!("http://{host}:80/"), direct);
        }
    }

    #[test]
    fn a_star_is_for_names_and_addresses() {
        for (host, _) in HOSTS {
            check("*", &format!("http://{host}:80/"), true);
            check("other.example, * ,", &format!("http://{host}:80/"), true);
        }
    }

    #[test]
    fn a_domain_is_for_what_is_below_it_too() {
        for (list, url, direct) in [
            ("example.com", "http://example.com/", true),
            (".example.com", "http://example.com/", false),
            ("*.example.com", "http://example.com/", false),
            ("ample.com", "http://example.com/", false),
            ("example.com", "http://foo.example.com/", true),
            (".foo.com", "http://example.com/", false),
            ("EXAMPLE.com", "http://Example.COM/", true),
            (".示例.com", "http://www.示例.com", true),
            ("xn--fsq092h.com", "http://www.示例.com", true),
            ("示例.com", "http://www.xn--fsq092h.com", true),
            ("*.示例.com:81", "http://www.示例.com:81", true),
            // Parts of names are no domains.
            ("*ample.com", "http://example.com/", false),
            ("example.*", "http://example.com/", false),
            ("com", "http://example.com/", true),
        ] {
            check(list, url, direct);
        }
    }

    #[test]
    fn a_port_is_that_of_the_url_or_its_scheme() {
        for (list, url, direct) in [
            ("r.lan:5000", "http://r.lan:5000/", true),
            ("r.lan:5000", "http://r.lan:5001/", false),
            ("r.lan:5000", "http://a.r.lan:5000/", true),
            ("r.lan:443", "https://r.lan/", true),
            ("r.lan:80", "https://r.lan/", false),
            ("r.lan:", "https://r.lan/", true),
            ("r.lan:0443", "https://r.lan/", false),
            (".r.lan:443", "https://a.r.lan/", true),
            ("*.r.lan:443", "https://a.r.lan/", true),
            ("10.1.2.3:5000", "http://10.1.2.3:5000/", true),
            ("10.1.2.3:5000", "http://10.1.2.3/", false),
            ("[fd00::1]:443", "https://[fd00::1]/", true),
            ("[fd00::1]:443", "https://[fd00::1]:444/", false),
        ] {
            check(list, url, direct);
        }
    }

    #[test]
    fn a_network_is_for_addresses_alone() {
        for (list, url, direct) in [
            ("10.0.0.0/8", "http://10.200.0.1/", true),
            ("10.0.0.0/8", "http://11.0.0.1/", false),
            ("10.0.0.1/32", "http://10.0.0.1/", true),
            ("10.0.0.1/32", "http://10.0.0.2/", false),
            ("0.0.0.0/0", "http://11.0.0.1/", true),
            ("0.0.0.0/0", "http://[fd00::1]/", false),
            ("0.0.0.0/0", "http://r.lan/", false),
            ("::/0", "http://[fd00::1]/", true),
            ("::/0", "http://11.0.0.1/", false),
            ("::ffff:10.0.0.0/104", "http://10.1.0.1/", true),
            ("10.0.0.0/33", "http://10.0.0.0/", false),
            ("10.0.0.0/+8", "http://10.0.0.0/", false),
            ("10.0.0.0/", "http://10.0.0.0/", false),
            // An end of an address is no domain.
            ("0.1", "http://10.0.0.1/", false),
            (".0.1", "http://10.0.0.1/", false),
        ] {
            check(list, url, direct);
        }
    }

    #[test]
    fn what_makes_no_sense_is_passed_over() {
        for list in [
            "",
            ",",
            " , ",
            ":1",
            ":",
            "[",
            "[]",
            "[]:1",
            "*.",
            ".",
            "[fd00::1]",
            "a:b:c",
        ] {
            check(list, "http://example.com/", false);
            check(list, "http://[fd00::1]:1/", false);
            check(&format!("{list},example.com"), "http://example.com/", true);
        }
    }
}
