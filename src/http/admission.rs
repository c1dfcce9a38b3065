//! Admission: where a server may send a client on, by a redirect, a challenge or a document. It owns the rules about
//! schemes, user information and networks; which addresses are in which network is [`crate::address`]'s knowledge.
//!
//! The user names a registry, which may therefore be anywhere. What the registry names in turn must be on the internet,
//! or in the network of the registry itself: else a server out there could look around in the user's own network.
//!
//! Sources: CVE-2020-15157 (credentials for a realm of the attacker's choice); OWASP, "Server-Side Request Forgery".

use url::Url;

use super::resolver::Names;
use super::{Purpose, Request, Settings};
use crate::address::{Network, is_loopback, is_site_name};
use crate::endpoint::Endpoint;

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

/// Which addresses a name may resolve to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
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

impl Reach {
    /// How far a server in a network may send a client.
    fn from(network: Network) -> Self {
        match network {
            Network::Public => Self::Public,
            Network::Private => Self::Private,
            Network::Special => Self::Special,
            Network::Loopback => Self::Loopback,
        }
    }

    /// What is within both.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Special, Self::Loopback) | (Self::Loopback, Self::Special) => Self::Private,
            (one, other) => one.min(other),
        }
    }

    /// Whether addresses of a network are among them.
    pub(super) fn holds(self, network: Network) -> bool {
        match self {
            Self::Public => network == Network::Public,
            Self::Private => matches!(network, Network::Public | Network::Private),
            Self::Special => network != Network::Loopback,
            Self::Loopback => network != Network::Special,
            Self::Anywhere => true,
        }
    }
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
    pub(super) names: &'a Names,
    pub(super) settings: &'a Settings,
}

impl Admission<'_> {
    /// Whether the request may go on to `target`, to which `from` has redirected it, and which addresses that may have.
    pub(super) fn follow(self, from: &Url, target: &Url) -> Result<Reach, Refusal> {
        if has_user_information(target) {
            return Err(Refusal::UserInformation);
        }
        if let Purpose::Token(registry) = &self.request.purpose {
            admits(registry, target)?;
        }
        if self.is_allowed(target) {
            return Ok(Reach::Anywhere);
        }
        if from.scheme() == "https" && target.scheme() != "https" {
            return Err(Refusal::NotHttps);
        }
        let is_of_registry = same_host(self.home(), from) || same_origin(self.home(), target);
        let reach = match self.reach(target) {
            Reach::Anywhere if is_of_registry => Reach::Anywhere,
            // A server on the internet does not lead into the network of a registry that has led to it.
            reach => reach.and(Reach::from(self.network(from))),
        };
        let network = Network::named_by(target).unwrap_or(Network::Public);
        if reach.holds(network) {
            Ok(reach)
        } else {
            Err(Refusal::Internal)
        }
    }

    /// Which addresses the host of `url` may have, where no redirect leads to it.
    pub(super) fn reach(self, url: &Url) -> Reach {
        if same_host(self.home(), url) || self.is_allowed(url) {
            return Reach::Anywhere;
        }
        // The author of an image names places of layers, and is not the registry.
        if self.request.purpose == Purpose::ForeignBlob {
            return Reach::Public;
        }
        let reach = Reach::from(self.network(self.home()));
        // What was on the internet has not moved into the registry's network since (DNS rebinding).
        match self.names.network_of(url.host_str().unwrap_or_default()) {
            Some(Network::Public) => Reach::Public,
            _ => reach,
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
mod tests {
    use super::Refusal::{Internal, NotHttps, UserInformation};
    use super::*;

    #[test]
    fn another_scheme_host_or_port_is_another_origin() {
        let url = |text: &str| text.parse().unwrap();
        let registry = url("https://r.example/v2/");
        for (other, same) in [
            ("https://r.example/other", true),
            ("https://r.example:443/", true),
            ("http://r.example/", false),
            ("https://r.example:444/", false),
            ("https://s.r.example/", false),
        ] {
            assert_eq!(same_origin(&registry, &url(other)), same, "{other}");
        }
    }

    #[track_caller]
    fn admits_as_expected(cases: &[(&str, &str, Result<(), Refusal>)]) {
        for (registry, service, expected) in cases {
            let endpoint: Endpoint = registry.parse().unwrap();
            let admitted = admits(&endpoint, &service.parse().unwrap());
            assert_eq!(admitted, *expected, "{registry} {service}");
        }
    }

    #[test]
    fn a_token_service_is_reached_by_https_or_as_the_registry_itself_is() {
        admits_as_expected(&[
            ("https://r.example", "https://auth.example/token", Ok(())),
            (
                "https://r.example",
                "http://auth.example/token",
                Err(NotHttps),
            ),
            ("https://r.example", "http://r.example/token", Err(NotHttps)),
            ("https://r.example", "file:///etc/passwd", Err(NotHttps)),
            // Plain http, at its own origin alone.
            (
                "http://gitea.lan:3000",
                "http://gitea.lan:3000/v2/token",
                Ok(()),
            ),
            ("http://gitea.lan:3000", "https://gitea.lan/token", Ok(())),
            (
                "http://gitea.lan:3000",
                "http://gitea.lan/token",
                Err(NotHttps),
            ),
            (
                "http://gitea.lan:3000",
                "http://other.lan:3000/",
                Err(NotHttps),
            ),
            ("http://10.0.0.1:3000", "http://10.0.0.1:3000/token", Ok(())),
            // Loopback by any of its names.
            (
                "http://localhost:5000",
                "http://localhost:5001/token",
                Ok(()),
            ),
            (
                "http://127.0.0.1:5000",
                "http://127.0.0.1:5001/token",
                Ok(()),
            ),
            (
                "http://localhost:5000",
                "http://127.0.0.1:5001/token",
                Ok(()),
            ),
            (
                "http://127.0.0.1:5000",
                "http://auth.localhost./token",
                Ok(()),
            ),
            ("http://localhost:5000", "http://[::1]:5001/token", Ok(())),
            (
                "http://127.0.0.1:5000",
                "http://[::1]:5001/token",
                Err(Internal),
            ),
            (
                "http://127.0.0.1:5000",
                "http://127.0.0.2:5001/",
                Err(Internal),
            ),
            (
                "https://localhost:5000",
                "http://localhost:5001/",
                Err(NotHttps),
            ),
        ]);
    }

    #[test]
    fn a_token_service_has_no_internal_address_but_the_registrys_own_and_no_user() {
        admits_as_expected(&[
            (
                "https://r.example",
                "https://169.254.169.254/",
                Err(Internal),
            ),
            ("https://r.example", "https://[::1]/token", Err(Internal)),
            (
                "https://r.example",
                "https://LOCALHOST./token",
                Err(Internal),
            ),
            (
                "https://r.example",
                "https://a.localhost/token",
                Err(Internal),
            ),
            (
                "https://r.example",
                "https://100.64.0.1/token",
                Err(Internal),
            ),
            (
                "https://r.example",
                "https://[64:ff9b::a00:1]/",
                Err(Internal),
            ),
            ("https://10.0.0.1", "https://10.0.0.1/token", Ok(())),
            ("https://10.0.0.1", "https://10.0.0.2/token", Err(Internal)),
            (
                "http://localhost:5000",
                "https://10.0.0.1/token",
                Err(Internal),
            ),
            // User information would become a header.
            (
                "https://r.example",
                "https://me@auth.example/",
                Err(UserInformation),
            ),
            (
                "https://r.example",
                "https://:pw@r.example/",
                Err(UserInformation),
            ),
        ]);
    }

    /// What is asked for, of a registry, which itself redirects.
    fn followed(purpose: Purpose, registry: &str, target: &str) -> Result<(), Refusal> {
        followed_from(purpose, registry, registry, target)
    }

    /// The same where another server has redirected.
    fn followed_from(
        purpose: Purpose,
        registry: &str,
        from: &str,
        target: &str,
    ) -> Result<(), Refusal> {
        let endpoint: Endpoint = registry.parse().unwrap();
        let request = Request {
            purpose,
            registry: Some(endpoint),
            ..Request::get(registry.parse().unwrap())
        };
        let settings = Settings {
            blob_stores: vec!["http://10.9.9.9:9000".parse().unwrap()],
            ..Settings::default()
        };
        let names = Names::default();
        names.saw("registry.corp", [[10, 0, 0, 1].into()].iter());
        names.saw(
            "mixed.example",
            [[10, 0, 0, 1].into(), [8, 8, 8, 8].into()].iter(),
        );
        names.saw("vpn.example", [[198, 18, 0, 7].into()].iter());
        let admission = Admission {
            request: &request,
            names: &names,
            settings: &settings,
        };
        admission
            .follow(&from.parse().unwrap(), &target.parse().unwrap())
            .map(|_| ())
    }

    #[test]
    fn a_redirect_leads_to_the_internet_or_stays_in_the_registrys_network() {
        for (registry, target, expected) in [
            ("https://r.example", "https://store.example/x", Ok(())),
            ("https://r.example", "http://store.example/x", Err(NotHttps)),
            ("https://r.example", "https://10.0.0.5/x", Err(Internal)),
            ("https://r.example", "https://127.0.0.1/x", Err(Internal)),
            ("https://r.example", "https://localhost/x", Err(Internal)),
            ("https://r.example", "https://r.example./x", Ok(())),
            (
                "https://r.example",
                "https://u:p@store.example/",
                Err(UserInformation),
            ),
            ("https://mixed.example", "https://10.0.0.5/x", Err(Internal)),
            // What is inside may lead to what is inside, but not to this machine or to what is no registry's.
            ("https://registry.corp", "https://10.0.0.5/x", Ok(())),
            ("https://registry.corp", "http://10.0.0.5/x", Err(NotHttps)),
            (
                "https://registry.corp",
                "https://127.0.0.1/x",
                Err(Internal),
            ),
            // Names that a proxy resolves.
            ("http://registry.lan", "http://10.0.0.5:9000/x", Ok(())),
            ("https://registry.lan", "https://10.0.0.5/x", Ok(())),
            ("http://r.example", "http://10.0.0.5:9000/x", Err(Internal)),
            ("http://registry.lan", "http://localhost/x", Err(Internal)),
            (
                "http://registry.lan",
                "http://169.254.169.254/x",
                Err(Internal),
            ),
            ("https://10.0.0.1", "https://192.168.0.1/x", Ok(())),
            ("https://vpn.example", "https://198.18.0.8/x", Ok(())),
            ("https://vpn.example", "https://127.0.0.1/x", Err(Internal)),
            ("http://localhost:5000", "http://127.0.0.1:9000/x", Ok(())),
            ("http://localhost:5000", "http://10.0.0.5:9000/x", Ok(())),
            (
                "http://localhost:5000",
                "http://169.254.169.254/x",
                Err(Internal),
            ),
        ] {
            for purpose in [Purpose::Document, Purpose::Blob] {
                assert_eq!(
                    followed(purpose, registry, target),
                    expected,
                    "{registry} {target}"
                );
            }
        }
    }

    #[test]
    fn a_server_on_the_internet_does_not_lead_into_the_registrys_network() {
        let (blob, foreign) = (Purpose::Blob, Purpose::ForeignBlob);
        for (purpose, registry, from, target, expected) in [
            (
                &blob,
                "https://registry.corp",
                "https://store.example",
                "https://10.0.0.5/x",
                Err(Internal),
            ),
            (
                &blob,
                "http://localhost:5000",
                "http://store.example",
                "http://127.0.0.2/x",
                Err(Internal),
            ),
            (
                &blob,
                "http://localhost:5000",
                "http://10.0.0.5",
                "http://127.0.0.2/x",
                Err(Internal),
            ),
            (
                &blob,
                "http://localhost:5000",
                "http://10.0.0.5",
                "http://10.0.0.6/x",
                Ok(()),
            ),
            // Back to the registry, whose credentials stay away.
            (
                &blob,
                "https://10.0.0.1",
                "https://store.example",
                "https://10.0.0.1/x",
                Ok(()),
            ),
            // The manifest's author, who is not the registry, has named the first place.
            (
                &foreign,
                "https://registry.corp",
                "https://10.0.0.5",
                "https://10.0.0.6/x",
                Err(Internal),
            ),
            (
                &foreign,
                "https://registry.corp",
                "https://store.example",
                "https://other.example/x",
                Ok(()),
            ),
        ] {
            assert_eq!(
                followed_from(purpose.clone(), registry, from, target),
                expected,
                "{registry} {from} {target}"
            );
        }
    }

    #[test]
    fn a_name_of_the_internet_stays_there() {
        let names = Names::default();
        names.saw("registry.corp", [[10, 0, 0, 1].into()].iter());
        names.saw("store.example", [[8, 8, 8, 8].into()].iter());
        names.saw("store.corp", [[10, 0, 0, 2].into()].iter());
        let request = Request {
            registry: Some("https://registry.corp".parse().unwrap()),
            ..Request::get("https://registry.corp/v2/".parse().unwrap())
        };
        let admission = Admission {
            request: &request,
            names: &names,
            settings: &Settings::default(),
        };
        for (url, reach) in [
            ("https://store.example/x", Reach::Public),
            ("https://store.corp/x", Reach::Private),
            ("https://unknown.example/x", Reach::Private),
            ("https://registry.corp/x", Reach::Anywhere),
        ] {
            assert_eq!(admission.reach(&url.parse().unwrap()), reach, "{url}");
        }
    }

    #[test]
    fn a_place_that_the_user_allows_may_have_blobs_and_nothing_else() {
        let target = "http://10.9.9.9:9000/x";
        let registry = "https://r.example";
        assert_eq!(followed(Purpose::Blob, registry, target), Ok(()));
        assert_eq!(followed(Purpose::ForeignBlob, registry, target), Ok(()));
        assert_eq!(followed(Purpose::Document, registry, target), Err(NotHttps));
        let other_port = "http://10.9.9.9:9001/x";
        assert_eq!(followed(Purpose::Blob, registry, other_port), Err(NotHttps));
    }
}
