//! Registries as operators run them: behind nginx, with a certificate of a private authority, with blobs
//! elsewhere, with a token server, and at the far end of a bad line.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use tempfile::TempDir;

use crate::machine::cutter::{Cutter, Line};
use crate::machine::docker_registry::DockerRegistry;
use crate::machine::nginx::Nginx;
use crate::machine::server::wait_until;
use crate::machine::token_server::TokenServer;
use crate::support::files::listing;
use crate::support::hocker::{Outcome, Run, hocker};
use crate::support::image::{Family, Image, Layer, Packing, digest, hex, noise};
use crate::support::tls::Authority;

const PASSWORD: &str = "s3cret=x";

/// Pushes an image as team/app:1, and keeps its layout.
fn push(registry: &DockerRegistry, image: &Image, arguments: &[&str]) -> TempDir {
    let directory = image.layout("1");
    let mut all = vec!["--preserve-digests"];
    all.extend(arguments);
    registry.push(directory.path(), "team/app", "1", &all);
    directory
}

/// An image of so many layers.
pub(crate) fn layers(count: usize) -> Image {
    let layers = (0..count)
        .map(|number| {
            let content = noise(100_000 + number);
            Layer::of_files(Packing::Gzip, &[("content", &content)])
        })
        .collect();
    Image::new(Family::Oci, &["/hello"], layers)
}

/// `hocker image` from a registry at a URL.
pub(crate) fn image_from(url: &str, directory: &Path, name: &str) -> Run {
    hocker(["image", "--format", "oci-dir", "--out", name])
        .arguments(["--registry", url, "team/app", "1"])
        .in_directory(directory)
}

/// `hocker image` from nginx, by TLS and with the authority that vouches for it, to its end.
pub(crate) fn image_by_tls(nginx: &Nginx, authority: &Authority) -> Outcome {
    let ca = tempfile::tempdir().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let url = format!("https://{}/v2/", nginx.name());
    image_from(&url, directory.path(), "image")
        .env("SSL_CERT_FILE", authority.write(ca.path()))
        .run()
}

#[track_caller]
fn is_complete(image: &Image, layout: &Path) {
    for layer in &image.layers {
        let path = layout.join("blobs/sha256").join(layer.hex());
        assert!(fs::read(path).unwrap() == layer.blob, "another layer");
    }
}

/// The directives of nginx before a registry.
pub(crate) fn before(registry: &DockerRegistry) -> String {
    format!(
        "location / {{ proxy_pass http://127.0.0.1:{}; proxy_set_header Host $http_host; \
         proxy_set_header X-Forwarded-Proto $scheme; }}",
        registry.port()
    )
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named_and_only_then() {
    let registry = DockerRegistry::start_with_password("ann", PASSWORD);
    let credentials = format!("ann:{PASSWORD}");
    let image = layers(2);
    push(&registry, &image, &["--dest-creds", &credentials]);
    let authority = Authority::new("a company");
    let nginx = Nginx::start_with_tls(&authority.identity(&["localhost"]), &before(&registry));
    let ca = tempfile::tempdir().unwrap();
    let bundle = authority.write(ca.path());
    let url = format!("https://{}/v2/", nginx.name());
    let directory = tempfile::tempdir().unwrap();
    let run = |name: &str| {
        image_from(&url, directory.path(), name).arguments([
            "--username",
            "ann",
            "--password",
            PASSWORD,
        ])
    };

    for variable in ["SSL_CERT_FILE", "NIX_SSL_CERT_FILE"] {
        run(variable)
            .env(variable, &bundle)
            .run()
            .done()
            .never_says(PASSWORD);
        is_complete(&image, &directory.path().join(variable));
    }

    let seen = nginx.requests().len();
    let outcome = run("untrusted")
        .run()
        .failed(6)
        .says("certificate")
        .never_says(PASSWORD);
    assert!(!outcome.stderr.contains("retrying"), "{outcome}");
    assert_eq!(nginx.requests().len(), seen, "{}", nginx.log());

    let (missing, broken, empty) = (
        ca.path().join("missing.pem"),
        ca.path().join("broken.pem"),
        ca.path().join("empty.pem"),
    );
    fs::write(
        &broken,
        "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    fs::write(&empty, "").unwrap();
    for bad in [missing, broken, empty] {
        run("bad")
            .env("SSL_CERT_FILE", &bad)
            .run()
            .failed(1)
            .says("certificate authorities")
            .says(bad.to_str().unwrap());
    }
    let left: Vec<PathBuf> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| PathBuf::from(entry.unwrap().file_name()))
        .collect();
    assert_eq!(left.len(), 2, "left behind: {left:?}");
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new("a company");
    let nginx = Nginx::start_with_tls(&authority.identity(&["registry.test"]), "return 200;");
    image_by_tls(&nginx, &authority)
        .failed(6)
        .says("certificate");
    assert!(nginx.requests().is_empty());
}

#[test]
fn documents_and_small_layers_share_one_connection_and_a_large_layer_has_its_own() {
    let registry = DockerRegistry::start();
    let mut image = layers(30);
    let large = noise(2 << 20);
    let large = Layer::of_files(Packing::Gzip, &[("large", &large)]);
    let at_large = format!("/blobs/sha256:{}", large.hex());
    image.layers.push(large);
    let image = Image::new(Family::Oci, &["/hello"], image.layers);
    push(&registry, &image, &[]);
    let authority = Authority::new("a company");
    let identity = authority.identity(&["localhost"]);
    let nginx = Nginx::start_with_http2(&identity, &before(&registry));
    let directory = tempfile::tempdir().unwrap();
    let bundle = authority.write(directory.path());
    image_from(
        &format!("https://{}/v2/", nginx.name()),
        directory.path(),
        "image",
    )
    .env("SSL_CERT_FILE", &bundle)
    .run()
    .done();
    is_complete(&image, &directory.path().join("image"));
    let connections = nginx.connections();
    let (large, small): (Vec<String>, Vec<String>) = connections
        .into_iter()
        .partition(|line| line.ends_with(&at_large));
    assert_eq!(large.len(), 1, "{large:#?}");
    assert!(large[0].starts_with("HTTP/1.1 "), "{large:#?}");
    assert_eq!(small.len(), 32, "{small:#?}");
    let shared: HashSet<&str> = small
        .iter()
        .map(|line| line.rsplit_once(' ').unwrap().0)
        .collect();
    assert_eq!(shared.len(), 1, "{small:#?}");
    assert!(shared.iter().all(|line| line.starts_with("HTTP/2.0 ")));
}

#[test]
fn a_server_that_wants_a_certificate_gets_the_one_that_is_kept_for_it() {
    let registry = DockerRegistry::start();
    let image = layers(2);
    push(&registry, &image, &[]);
    let authority = Authority::new("a company");
    let home = tempfile::tempdir().unwrap();
    let bundle = authority.write(home.path());
    let nginx = Nginx::start_with_http2(
        &authority.identity(&["localhost"]),
        &format!(
            "ssl_client_certificate {}; ssl_verify_client on;\n{}",
            bundle.display(),
            before(&registry)
        ),
    );
    let url = format!("https://{}/v2/", nginx.name());
    let directory = tempfile::tempdir().unwrap();
    let run = |name: &str| {
        image_from(&url, directory.path(), name)
            .env("HOME", home.path())
            .run()
    };
    let own = home
        .path()
        .join(".config/containers/certs.d")
        .join(nginx.name());
    fs::create_dir_all(&own).unwrap();
    fs::copy(&bundle, own.join("ca.crt")).unwrap();
    let outcome = run("refused");
    assert_ne!(outcome.code, Some(0), "{outcome}");
    outcome.says("400");
    let client = authority.identity(&["client.example"]);
    fs::write(own.join("client.cert"), client.certificate).unwrap();
    fs::write(own.join("client.key"), client.key).unwrap();
    run("image").done();
    is_complete(&image, &directory.path().join("image"));
}

#[test]
fn blobs_may_be_on_another_server_which_sees_no_credentials() {
    let registry = DockerRegistry::start_with_password("ann", PASSWORD);
    let image = layers(3);
    let credentials = format!("ann:{PASSWORD}");
    let layout = push(&registry, &image, &["--dest-creds", &credentials]);
    let store = Nginx::start(&format!(
        "location ~ /blobs/sha256:(?<hex>[0-9a-f]+)$ {{ alias {}/blobs/sha256/$hex; }}",
        layout.path().display()
    ));
    let front = Nginx::start(&format!(
        "location ~ /blobs/ {{ return 307 http://{}/store$request_uri?signature=5igned; }}\n{}",
        store.name(),
        before(&registry)
    ));
    let directory = tempfile::tempdir().unwrap();
    image_from(
        &format!("http://{}/v2/", front.name()),
        directory.path(),
        "image",
    )
    .arguments(["--username", "ann", "--password", PASSWORD])
    .run()
    .done()
    .never_says(PASSWORD)
    .never_says("5igned");
    is_complete(&image, &directory.path().join("image"));
    let requests = store.requests();
    assert_eq!(requests.len(), 4, "{requests:#?}");
    for request in requests {
        assert!(
            request.contains("signature=5igned 200 \"-\""),
            "{request} has credentials"
        );
    }
}

const LARGE: usize = 200_000_000;
const CUT: u64 = 10_000_000;

/// nginx with one large blob, and its digest.
fn large_blob(directory: &Path) -> (Nginx, Vec<u8>, String) {
    let blob = noise(LARGE);
    fs::write(directory.join(hex(&blob)), &blob).unwrap();
    let nginx = Nginx::start(&format!(
        "location ~ ^/v2/app/blobs/sha256:(?<hex>[0-9a-f]+)$ {{ alias {}/$hex; }}",
        directory.display()
    ));
    let digest = digest(&blob);
    (nginx, blob, digest)
}

fn large(digest: &str, line: &Cutter, directory: &Path) -> Run {
    let reference = format!("{}/app:1", line.name());
    hocker(["layer", "--layer", digest, "--out", "layer", &reference]).in_directory(directory)
}

#[test]
fn a_line_that_is_cut_every_10_mb_brings_200_mb_with_hardly_more() {
    let files = tempfile::tempdir().unwrap();
    let (nginx, blob, digest) = large_blob(files.path());
    // As fast as the machine is, and so slow that several connections are used.
    for rate in [None, Some(20_000_000)] {
        let line = Cutter::start(
            nginx.port(),
            Line {
                cut_after: CUT,
                rate,
            },
        );
        let directory = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let outcome = large(&digest, &line, directory.path()).run().done();
        let took = began.elapsed();
        assert!(
            fs::read(directory.path().join("layer")).unwrap() == blob,
            "other bytes"
        );
        assert_eq!(listing(directory.path()).len(), 1, "left behind");
        let (sent, connections) = (line.sent(), line.connections());
        assert!(
            sent <= LARGE as u64 * 11 / 10,
            "{rate:?}: {sent} bytes were sent by {connections} connections in {took:?}: {outcome}\n{:#?}",
            nginx.requests()
        );
        assert!(connections >= 20, "{connections} connections were not cut");
    }
}

#[test]
fn a_process_that_is_killed_half_way_leaves_no_output_and_the_next_one_is_not_disturbed() {
    let files = tempfile::tempdir().unwrap();
    let (nginx, blob, digest) = large_blob(files.path());
    let line = Cutter::start(
        nginx.port(),
        Line {
            cut_after: u64::MAX,
            rate: Some(20_000_000),
        },
    );
    let directory = tempfile::tempdir().unwrap();
    let layer = directory.path().join("layer");
    let running = large(&digest, &line, directory.path()).start();
    wait_until(|| line.sent() > LARGE as u64 / 2).unwrap();
    running.kill();
    assert!(!layer.exists(), "half of a layer");
    large(&digest, &line, directory.path()).run().done();
    assert!(fs::read(layer).unwrap() == blob, "other bytes");
}

#[test]
fn one_token_serves_ten_layers_at_once() {
    let tokens = TokenServer::start();
    let registry = DockerRegistry::start_with_tokens(&tokens);
    let image = layers(10);
    push(&registry, &image, &[]);
    let before = tokens.scopes().len();
    let directory = tempfile::tempdir().unwrap();
    image_from(&registry.url(), directory.path(), "image")
        .run()
        .done();
    is_complete(&image, &directory.path().join("image"));
    assert_eq!(
        tokens.scopes()[before..],
        ["repository:team/app:pull"],
        "once per scope and process"
    );
}

#[test]
fn ten_processes_at_once_do_not_disturb_each_other() {
    let tokens = TokenServer::start();
    let registry = DockerRegistry::start_with_tokens(&tokens);
    let image = layers(10);
    push(&registry, &image, &[]);
    let before = tokens.scopes().len();
    let directory = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for number in 0..10 {
            let (registry, directory, image) = (&registry, &directory, &image);
            scope.spawn(move || {
                let name = format!("image-{number}");
                image_from(&registry.url(), directory.path(), &name)
                    .run()
                    .done();
                is_complete(image, &directory.path().join(name));
            });
        }
    });
    let scopes = tokens.scopes().split_off(before);
    assert_eq!(scopes, ["repository:team/app:pull"; 10]);
}
