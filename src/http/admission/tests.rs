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
        // Plain http, only for the registry's own scheme, host and port.
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

/// Requests `purpose` from a registry, which redirects.
fn followed(purpose: Purpose, registry: &str, target: &str) -> Result<(), Refusal> {
    followed_from(purpose, registry, registry, target)
}

/// Requests `purpose` from a registry, after a redirect from another server.
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
    let names = ResolvedNames::default();
    names.record("registry.corp", [[10, 0, 0, 1].into()].iter());
    names.record(
        "mixed.example",
        [[10, 0, 0, 1].into(), [8, 8, 8, 8].into()].iter(),
    );
    names.record("vpn.example", [[198, 18, 0, 7].into()].iter());
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
        // An internal server may redirect to an internal server, but not to this machine or to a special address.
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
        // Back to the registry, without its credentials.
        (
            &blob,
            "https://10.0.0.1",
            "https://store.example",
            "https://10.0.0.1/x",
            Ok(()),
        ),
        // The first URL is from the manifest's author, not from the registry.
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
    let names = ResolvedNames::default();
    names.record("registry.corp", [[10, 0, 0, 1].into()].iter());
    names.record("store.example", [[8, 8, 8, 8].into()].iter());
    names.record("store.corp", [[10, 0, 0, 2].into()].iter());
    let request = Request {
        registry: Some("https://registry.corp".parse().unwrap()),
        ..Request::get("https://registry.corp/v2/".parse().unwrap())
    };
    let admission = Admission {
        request: &request,
        names: &names,
        settings: &Settings::default(),
    };
    for (url, allowed) in [
        ("https://store.example/x", AllowedNetworks::Public),
        ("https://store.corp/x", AllowedNetworks::Private),
        ("https://unknown.example/x", AllowedNetworks::Private),
        ("https://registry.corp/x", AllowedNetworks::Anywhere),
    ] {
        assert_eq!(
            admission.allowed_networks(&url.parse().unwrap()),
            allowed,
            "{url}"
        );
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
