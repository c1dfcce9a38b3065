//! Through real forward proxies, the only ones that know where the registry is: outside of Nix, and in its sandbox.

use std::fs;
use std::process::Output;

use crate::machine::microsocks::{self, Microsocks};
use crate::machine::program;
use crate::machine::site::{PASSWORD, REGISTRY, Site, USER, is_discreet};
use crate::machine::tinyproxy::Tinyproxy;

const PROXY: &str = "proxy.example.com";
const PROXY_PASSWORD: &str = "pr0xy-s3cret";
const CREDENTIALS: [(&str, &str); 2] = [("DOCKER_USER", USER), ("DOCKER_PASS", PASSWORD)];
const TUNNEL: &str = "CONNECT registry.example.com:443 HTTP/1.1";

/// `hocker layer` of the image's layer, to the file `layer`.
fn layer(site: &Site, name: &str, variables: &[(&str, &str)]) -> Output {
    let _ = fs::remove_file(site.path("layer"));
    let digest = site.image().layers[0].digest();
    let variables = [
        &CREDENTIALS[..],
        &[("SSL_CERT_FILE", "/etc/ssl/company-ca.pem")],
        variables,
    ]
    .concat();
    site.shell(
        &format!("hocker layer --layer {digest} --out layer {name}"),
        &variables,
    )
}

#[track_caller]
fn is_fetched(site: &Site, output: &Output) {
    assert!(output.status.success(), "{}", program::told(output));
    let layer = fs::read(site.path("layer")).unwrap();
    assert!(layer == site.image().layers[0].blob, "another layer");
}

#[test]
fn https_goes_through_tunnels_in_the_sandbox_and_outside() {
    let site = Site::with_names(&[PROXY]);
    let proxy = Tinyproxy::start(site.host(), &[REGISTRY], None);
    let name = format!("{REGISTRY}/team/app:1");
    let output = layer(&site, &name, &[("HOCKER_RETRIES", "0")]);
    assert_eq!(
        output.status.code(),
        Some(6),
        "the registry is reached without a proxy"
    );
    for variable in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        let through = [(variable, "http://proxy.example.com:3128")];
        let before = proxy.requests().len();
        is_fetched(&site, &layer(&site, &name, &through));
        assert_eq!(proxy.requests()[before..], [TUNNEL], "{variable}");
    }
    let before = proxy.requests().len();
    let through = [("https_proxy", "http://proxy.example.com:3128")];
    let output = site.build(&[], &[&CREDENTIALS[..], &through].concat());
    site.is_built(&output);
    // One for each blob.
    assert_eq!(proxy.requests()[before..], [TUNNEL; 2]);
    assert!(!proxy.log().contains(PASSWORD), "{}", proxy.log());
}

#[test]
fn plain_http_is_asked_of_the_proxy_in_the_sandbox_and_outside() {
    let site = Site::with_names(&[PROXY]);
    let proxy = Tinyproxy::start(site.host(), &[REGISTRY], None);
    let url = format!("http://{REGISTRY}/v2/");
    let digest = site.image().layers[0].digest();
    // Once without credentials, and once as the registry wants.
    let request = format!("GET {url}team/app/blobs/{digest} HTTP/1.1");
    let through = [("http_proxy", "proxy.example.com:3128")];
    let output = layer(&site, &format!("--registry {url} team/app 1"), &through);
    is_fetched(&site, &output);
    assert_eq!(proxy.requests(), [request.as_str(); 2]);
    site.write(
        "app.nix",
        format!(
            "(import ./nix {{ hocker = ./hocker; }}).fetchDockerLayer {{ registry = \"{url}\"; \
             repository = \"team\"; imageName = \"app\"; layerDigest = \"{digest}\"; sha256 = \"{}\"; }}",
            site.image().layers[0].hex()
        ),
    );
    let output = site.build(&[], &[&CREDENTIALS[..], &through].concat());
    assert!(output.status.success(), "{}", program::told(&output));
    assert_eq!(proxy.requests(), [request.as_str(); 4]);
    site.is_discreet(&output);
}

#[test]
fn a_socks_proxy_resolves_the_name_for_either_scheme_in_the_sandbox_and_outside() {
    let site = Site::with_names(&[PROXY]);
    let proxy = Microsocks::start(site.host(), &[REGISTRY]);
    let name = format!("{REGISTRY}/team/app:1");
    let target = format!("{REGISTRY}:443");
    for scheme in ["socks5", "socks5h"] {
        let url = format!("{scheme}://{PROXY}:{}", microsocks::PORT);
        let through = [("all_proxy", url.as_str())];
        let before = proxy.targets().len();
        is_fetched(&site, &layer(&site, &name, &through));
        assert_eq!(proxy.targets()[before..], [target.as_str()], "{scheme}");
        let output = site.build(&[], &[&CREDENTIALS[..], &through].concat());
        site.is_built(&output);
        // One more for each blob.
        assert_eq!(proxy.targets()[before..], [target.as_str(); 3], "{scheme}");
        site.forget();
    }
}

#[test]
fn what_no_proxy_names_is_reached_directly_in_the_sandbox_and_outside() {
    let site = Site::with_names(&[PROXY, REGISTRY]);
    let proxy = Tinyproxy::start(site.host(), &[REGISTRY], None);
    for (variable, except) in [
        ("no_proxy", REGISTRY),
        ("NO_PROXY", "localhost,.example.com"),
    ] {
        let variables = [
            ("https_proxy", "http://proxy.example.com:3128"),
            (variable, except),
        ];
        let name = format!("{REGISTRY}/team/app:1");
        is_fetched(&site, &layer(&site, &name, &variables));
        site.is_built(&site.build(&[], &[&CREDENTIALS[..], &variables].concat()));
        site.forget();
    }
    assert_eq!(proxy.requests(), [""; 0], "the proxy was asked");
}

#[test]
fn a_proxy_may_want_a_password_of_its_own_which_nobody_else_learns() {
    let site = Site::with_names(&[PROXY]);
    let proxy = Tinyproxy::start(site.host(), &[REGISTRY], Some(("ann", PROXY_PASSWORD)));
    let url = format!("http://ann:{PROXY_PASSWORD}@{PROXY}:3128");
    let name = format!("{REGISTRY}/team/app:1");
    let through = [("https_proxy", url.as_str())];
    is_fetched(&site, &layer(&site, &name, &through));
    let output = site.build(&[], &[&CREDENTIALS[..], &through].concat());
    site.is_built(&output);
    is_discreet(site.directory(), &output, &[PROXY_PASSWORD]);
    assert_eq!(proxy.requests(), [TUNNEL; 3]);

    let wrong = format!("http://ann:wr0ng@{PROXY}:3128");
    for wrong in [wrong.as_str(), "http://proxy.example.com:3128"] {
        site.forget();
        let through = [("https_proxy", wrong), ("HOCKER_RETRIES", "0")];
        let output = site.build(&[], &[&CREDENTIALS[..], &through].concat());
        let told = program::told(&output);
        assert!(!output.status.success(), "{told}");
        assert!(told.contains("no connection through the proxy"), "{told}");
        assert!(
            told.contains("hint: check the proxy that https_proxy or all_proxy"),
            "{told}"
        );
        is_discreet(
            site.directory(),
            &output,
            &[PASSWORD, PROXY_PASSWORD, "wr0ng"],
        );
    }
}
