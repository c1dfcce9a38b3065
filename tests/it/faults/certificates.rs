//! Certificates for single hosts, as docker and podman keep them: whose authorities count where, and which host the
//! client shows a certificate.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::version::{TLS12, TLS13};
use tempfile::TempDir;

use super::{TOKEN, layer, retries};
use crate::support::hocker::Run;
use crate::support::image::{blob_path, digest, noise};
use crate::support::scripted_registry::{Answer, Registry, get};
use crate::support::tls::Authority;

/// A home in which hosts have certificates of their own.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Says that the authority vouches for a host.
    fn trusts(self, host: &Registry, authority: &Authority) -> Self {
        let directory = self.of(&host.name());
        fs::rename(authority.write(&directory), directory.join("ca.crt")).unwrap();
        self
    }

    /// Has a certificate to show to a host.
    fn shows(self, host: &Registry, authority: &Authority) -> Self {
        let directory = self.of(&host.name());
        let client = authority.identity(&["client.example"]);
        fs::write(directory.join("client.cert"), client.certificate).unwrap();
        fs::write(directory.join("client.key"), client.key).unwrap();
        self
    }

    fn of(&self, host: &str) -> PathBuf {
        let directory = self.0.path().join(".config/containers/certs.d").join(host);
        fs::create_dir_all(&directory).unwrap();
        directory
    }

    /// `hocker layer` without other authorities than the system's.
    fn fetch(&self, registry: &Registry, digest: &str, directory: &Path) -> Run {
        layer(digest, "app")
            .arguments(["--registry", &registry.url()])
            .env("HOME", self.0.path())
            .in_directory(directory)
    }
}

#[test]
fn a_registrys_authorities_count_for_its_token_service_and_its_store() {
    let authority = Authority::new("a company");
    let start = || Registry::start_with_tls(authority.server(&[]));
    let (registry, tokens, store) = (start(), start(), start());
    let blob = noise(1000);
    let digest = digest(&blob);
    let path = blob_path("app", &digest);
    let challenge = format!("Bearer realm=\"{}\"", tokens.at("/token"));
    registry
        .on(
            get(path.clone()).without("Authorization"),
            Answer::challenge(challenge),
        )
        .on(
            get(path).with("Authorization", "Bearer granted"),
            Answer::redirect(307, store.at("/store/x")),
        );
    tokens.on(get("/token"), Answer::ok(r#"{"token":"granted"}"#));
    store.on(
        get("/store/x").without("Authorization"),
        Answer::ok(blob.clone()),
    );
    let directory = tempfile::tempdir().unwrap();
    Home::new()
        .trusts(&registry, &authority)
        .fetch(&registry, &digest, directory.path())
        .env("DOCKER_TOKEN", "")
        .run()
        .done();
    assert!(fs::read(directory.path().join("layer")).unwrap() == blob);
}

#[test]
fn a_registrys_authorities_do_not_vouch_for_another_registry_behind_it() {
    let authority = Authority::new("a company");
    let blob = noise(1000);
    let digest = digest(&blob);
    let path = blob_path("there/app", &digest);
    for is_trusted in [false, true] {
        let front = Registry::start_with_tls(authority.server(&[]));
        let behind = Registry::start_with_tls(authority.server(&[]));
        front.on(
            get(blob_path("app", &digest)),
            Answer::redirect(307, behind.at(&path)),
        );
        let home = Home::new().trusts(&front, &authority);
        let home = if is_trusted {
            behind.on(get(path.clone()), Answer::ok(blob.clone()));
            home.trusts(&behind, &authority)
        } else {
            home
        };
        let directory = tempfile::tempdir().unwrap();
        let outcome = home.fetch(&front, &digest, directory.path()).run();
        if is_trusted {
            outcome.done();
        } else {
            outcome.failed(6).says("no trusted authority issued");
            assert!(behind.requests().is_empty());
        }
    }
}

#[test]
fn a_certificate_is_shown_to_the_host_alone_that_it_is_kept_for() {
    let authority = Authority::new("a company");
    let start = || Registry::start_with_tls(authority.server_that_asks(&TLS13, false));
    let (registry, store) = (start(), start());
    let blob = noise(1000);
    let digest = digest(&blob);
    registry.on(
        get(blob_path("app", &digest)),
        Answer::redirect(307, store.at("/store/x")),
    );
    store.on(get("/store/x"), Answer::ok(blob));
    let directory = tempfile::tempdir().unwrap();
    Home::new()
        .trusts(&registry, &authority)
        .shows(&registry, &authority)
        .fetch(&registry, &digest, directory.path())
        .run()
        .done();
    assert_eq!(registry.identified(), [true]);
    assert_eq!(store.identified(), [false]);
}

#[test]
fn a_server_that_demands_a_certificate_is_told_with_where_to_put_it() {
    let authority = Authority::new("a company");
    for version in [&TLS12, &TLS13] {
        let registry = Registry::start_with_tls(authority.server_that_asks(version, true));
        let directory = tempfile::tempdir().unwrap();
        let outcome = Home::new()
            .trusts(&registry, &authority)
            .fetch(&registry, &digest(b"x"), directory.path())
            .run()
            .failed(6)
            .says("hint: if the server requires a client certificate")
            .says("client.cert")
            .never_says(TOKEN);
        assert_eq!(retries(&outcome).len(), 0, "{outcome}");
        assert!(registry.requests().is_empty());
    }
}

#[test]
fn a_certificate_that_a_server_refuses_is_told() {
    let authority = Authority::new("a company");
    for version in [&TLS12, &TLS13] {
        let registry = Registry::start_with_tls(authority.server_that_asks(version, true));
        let directory = tempfile::tempdir().unwrap();
        let outcome = Home::new()
            .trusts(&registry, &authority)
            .shows(&registry, &Authority::new("another"))
            .fetch(&registry, &digest(b"x"), directory.path())
            .run()
            .failed(6)
            .says("hint: check the client certificate")
            .never_says(TOKEN);
        assert_eq!(retries(&outcome).len(), 0, "{outcome}");
        assert!(registry.requests().is_empty());
    }
}
