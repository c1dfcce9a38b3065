//! Ten builds at once against one registry with a token server: none is disturbed, nothing is fetched twice, and each
//! process asks once for a token for its scope.

use std::collections::BTreeMap;
use std::fs;
use std::process::Output;
use std::thread;

use crate::machine::docker_registry::{Access, DockerRegistry};
use crate::machine::nix::{Nix, built};
use crate::machine::program;
use crate::machine::token_server::TokenServer;
use crate::support::image::{Family, Image, Layer, Packing, noise};

const BUILDS: usize = 10;

/// A registry with images as team/app-N, its token server, and a store.
struct Bench {
    tokens: TokenServer,
    registry: DockerRegistry,
    images: Vec<Image>,
    nix: Nix,
    /// What was asked for while the images were pushed.
    pushed: (usize, usize),
}

/// A layer of its own, and one that it shares with those of the same base.
fn image(number: usize, base: usize) -> Image {
    let layer = |name: &str, size| Layer::of_files(Packing::Gzip, &[(name, &noise(size))]);
    let layers = vec![
        layer("base", 300_000 + base),
        layer(&format!("app-{number}"), 200_000 + number),
    ];
    Image::new(Family::Oci, &[&format!("/app-{number}")], layers)
}

impl Bench {
    /// With images that have these bases.
    fn new(bases: impl IntoIterator<Item = usize>) -> Self {
        let tokens = TokenServer::start();
        let registry = DockerRegistry::start_with_tokens(&tokens);
        let images: Vec<Image> = bases
            .into_iter()
            .enumerate()
            .map(|(number, base)| image(number, base))
            .collect();
        let nix = Nix::new();
        // Of several processes that make a store at once, Nix 2.8 lets some fail.
        program::run(nix.command("nix-store").arg("--init"));
        for (number, image) in images.iter().enumerate() {
            let layout = image.layout("1");
            let repository = format!("team/app-{number}");
            registry.push(layout.path(), &repository, "1", &["--preserve-digests"]);
            let manifest = nix.directory().join(format!("app-{number}.json"));
            fs::write(manifest, &image.manifest).unwrap();
        }
        let pushed = (tokens.scopes().len(), registry.accesses().len());
        Self {
            tokens,
            registry,
            images,
            nix,
            pushed,
        }
    }

    fn expression(&self, number: usize) -> String {
        format!(
            "hocker.fetchdocker {{ image = \"{}/team/app-{number}:1\"; imageManifest = {}/app-{number}.json; }}",
            self.registry.name(),
            self.nix.directory().display()
        )
    }

    fn build(&self, body: &str, options: &[&str]) -> Output {
        self.nix
            .command("nix-build")
            .arg("--no-out-link")
            .args(options)
            .args(["--expr", &self.nix.with_functions(body)])
            .output()
            .unwrap()
    }

    /// Ten processes at once, each with its expression.
    fn build_at_once(&self, body: impl Fn(usize) -> String + Sync) -> Vec<Output> {
        thread::scope(|scope| {
            let running: Vec<_> = (0..BUILDS)
                .map(|number| {
                    let body = &body;
                    scope.spawn(move || self.build(&body(number), &[]))
                })
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        })
    }

    /// Demands that each blob came once, and that each of the processes, which fetch one blob each, asked once for
    /// its scope. The registry lets nobody in without a token.
    #[track_caller]
    fn asked_once(&self, blobs: usize) {
        let accesses = self.registry.accesses().split_off(self.pushed.1);
        let mut fetched: BTreeMap<String, usize> = BTreeMap::new();
        let mut paths: Vec<&str> = Vec::new();
        for access in accesses.iter().filter(|access| access.status == 200) {
            assert!(access.is_blob() && access.method == "GET", "{access:?}");
            let (repository, digest) = blob(access);
            *fetched
                .entry(format!("repository:{repository}:pull"))
                .or_default() += 1;
            paths.push(digest);
        }
        assert_eq!(paths.len(), blobs, "{accesses:#?}");
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), blobs, "a blob came twice: {accesses:#?}");
        let mut scopes: BTreeMap<String, usize> = BTreeMap::new();
        for scope in self.tokens.scopes().split_off(self.pushed.0) {
            *scopes.entry(scope).or_default() += 1;
        }
        assert_eq!(scopes, fetched, "{accesses:#?}");
    }

    #[track_caller]
    fn is(&self, number: usize, output: &Output) {
        let blobs = built(output).join("oci/blobs/sha256");
        for layer in &self.images[number].layers {
            assert!(
                fs::read(blobs.join(layer.hex())).unwrap() == layer.blob,
                "another layer"
            );
        }
    }
}

/// `/v2/team/app/blobs/sha256:…`
fn blob(access: &Access) -> (&str, &str) {
    let path = access.path.strip_prefix("/v2/").unwrap();
    path.split_once("/blobs/").unwrap()
}

#[test]
fn ten_builds_of_one_image_fetch_it_once() {
    let bench = Bench::new([0]);
    for output in bench.build_at_once(|_| bench.expression(0)) {
        bench.is(0, &output);
    }
    bench.asked_once(3);
}

#[test]
fn ten_builds_of_ten_images_do_not_disturb_each_other() {
    let bench = Bench::new([0; BUILDS]);
    for (number, output) in bench
        .build_at_once(|number| bench.expression(number))
        .iter()
        .enumerate()
    {
        bench.is(number, output);
    }
    // Configuration and layer of each, and one layer of all.
    bench.asked_once(2 * BUILDS + 1);
}

#[test]
fn one_build_of_ten_images_with_ten_jobs_does_the_same() {
    // The first two share a layer, from different repositories. More could, but of several derivations with one output
    // path in one build, Nix 2.8 finishes one every five seconds, or none.
    let bench = Bench::new((0..BUILDS).map(|number| number.max(1)));
    let all: Vec<_> = (0..BUILDS)
        .map(|number| format!("({})", bench.expression(number)))
        .collect();
    let output = bench.build(&format!("[ {} ]", all.join(" ")), &["-j10"]);
    let paths = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(paths.lines().count(), BUILDS, "{output:?}");
    bench.is(BUILDS - 1, &output);
    bench.asked_once(3 * BUILDS - 1);
}
