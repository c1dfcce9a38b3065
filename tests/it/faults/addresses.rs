//! Redirects and realms into networks where they may not lead.

use super::{Fetch, TOKEN};
use crate::support::hocker::hocker;
use crate::support::image::digest;
use crate::support::scripted_registry::{Answer, Registry, get};

#[test]
fn a_redirect_into_the_clients_own_network_is_refused() {
    // The registry seems to be far away: it is reached through a proxy.
    for target in [
        "http://127.0.0.1:9/x",
        "http://localhost:9/x",
        "http://LOCALHOST.:9/x",
        "//app.localhost/x",
        "http:\\\\localhost",
        "http://[::1]:9/x",
        "http://[::127.0.0.1]/x",
        "http://10.0.0.1/x",
        "http://100.64.0.1/x",
        "http://198.18.0.1/x",
        "http://255.255.255.255/x",
        "http://[64:ff9b::7f00:1]/x",
        "http://[fec0::1]/x",
        "http://192.168.1.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:10.0.0.1]/x",
        "http://[fe80::1]/x",
        "http://0.0.0.0:9/x",
    ] {
        let proxy = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        let digest = digest(b"x");
        let url = format!("http://registry.invalid/v2/app/blobs/{digest}");
        proxy.on(get(url), Answer::redirect(307, target));
        hocker(["layer", "--layer", &digest, "--out", "layer"])
            .arguments(["--registry", "http://registry.invalid/v2/", "app", "1"])
            .env("DOCKER_TOKEN", TOKEN)
            .env("http_proxy", proxy.at(""))
            .in_directory(directory.path())
            .run()
            .failed(7)
            .never_says(TOKEN);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        assert_eq!(proxy.requests().len(), 1, "{target} was asked");
    }
}

#[test]
fn a_registry_in_a_private_network_may_have_its_blobs_there() {
    // A proxy stands in for that network.
    for (registry, target, allowed) in [
        ("http://registry.lan:5000", "http://10.0.0.5:9000/x", None),
        ("http://10.0.0.1", "http://192.168.0.5/x", None),
        (
            "http://registry.example",
            "http://10.0.0.5:9000/x",
            Some("http://10.0.0.5:9000"),
        ),
    ] {
        let network = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        let digest = digest(b"x");
        let url = format!("{registry}/v2/app/blobs/{digest}");
        network.on(get(url), Answer::redirect(307, target));
        network.on(get(target).without("Authorization"), Answer::ok("x"));
        hocker(["layer", "--layer", &digest, "--out", "layer"])
            .arguments(["--registry", registry, "app", "1"])
            .arguments(allowed.iter().flat_map(|url| ["--blobs-from", url]))
            .env("DOCKER_TOKEN", TOKEN)
            .env("http_proxy", network.at(""))
            .in_directory(directory.path())
            .run()
            .done()
            .never_says(TOKEN);
    }
}

#[test]
fn a_realm_of_a_far_registry_is_on_the_internet() {
    for realm in [
        "https://127.0.0.1:9/token",
        "https://localhost:9/token",
        "https://LOCALHOST.:9/token",
        "https:\\\\app.localhost\\token",
        "https://[::127.0.0.1]/token",
        "https://10.0.0.1/token",
        "https://100.64.0.1/token",
        "https://192.0.0.1/token",
        "https://0.0.0.1/token",
        "https://255.255.255.255/token",
        "https://[64:ff9b::a00:1]/token",
        "https://[fec0::1]/token",
        "https://me@token.example/token",
        "https://:pw@token.example/token",
        "http://token.example/token",
    ] {
        let proxy = Registry::start();
        let challenge = format!("Bearer realm=\"{realm}\"").replace('\\', "\\\\");
        let url = "http://registry.invalid/v2/app/manifests/1";
        proxy.on(get(url), Answer::challenge(challenge));
        hocker(["manifest"])
            .arguments(["--registry", "http://registry.invalid/v2/", "app", "1"])
            .arguments(["--username", "ann", "--password", TOKEN])
            .env("http_proxy", proxy.at(""))
            .env("https_proxy", proxy.at(""))
            .run()
            .failed(4)
            .says("as its token service, ")
            .never_says(TOKEN);
        assert_eq!(proxy.requests().len(), 1, "{realm} was asked");
    }
}

#[test]
fn a_realm_inside_the_clients_network_is_not_asked() {
    // It is on another address of loopback than the registry, so it is somebody else.
    let inside = Registry::start_at("127.0.0.2:0");
    let fetch = Fetch::new();
    fetch.registry.on(
        get(fetch.path()).without("Authorization"),
        Answer::challenge(format!("Bearer realm=\"{}\"", inside.at("/token"))),
    );
    let outcome = fetch
        .run()
        .env("DOCKER_TOKEN", "")
        .arguments(["--username", "ann", "--password", TOKEN])
        .run();
    fetch.failed(outcome, 4);
    assert_eq!(inside.connections(), 0, "it was asked");
}
