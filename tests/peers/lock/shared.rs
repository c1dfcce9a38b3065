//! Images of different repositories that share layers: one derivation of each, and no blob that is fetched twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::fleet::lock;
use crate::machine::docker_registry::DockerRegistry;
use crate::machine::nix::{Nix, built, store_name};
use crate::machine::program;
use crate::support::image::{Family, Image, Layer, Packing, noise};

const IMAGES: usize = 4;
const SHARED: usize = 3;

/// A registry with images of a repository each, and a store where their lock file is.
struct Bench {
    registry: DockerRegistry,
    images: Vec<Image>,
    nix: Nix,
}

fn repository(number: usize) -> String {
    format!("team/app-{number}")
}

fn layer(name: &str, size: usize) -> Layer {
    Layer::of_files(Packing::Gzip, &[(name, &noise(size))])
}

impl Bench {
    fn new() -> Self {
        let registry = DockerRegistry::start();
        let base: Vec<_> = (0..SHARED)
            .map(|number| layer(&format!("base-{number}"), 100_000 + number))
            .collect();
        let images: Vec<_> = (0..IMAGES)
            .map(|number| {
                let mut layers = base.clone();
                layers.push(layer(&format!("app-{number}"), 50_000 + number));
                Image::new(Family::Oci, &[&format!("/app-{number}")], layers)
            })
            .collect();
        let nix = Nix::new();
        for (number, image) in images.iter().enumerate() {
            let layout = image.layout("1");
            registry.push(
                layout.path(),
                &repository(number),
                "1",
                &["--preserve-digests"],
            );
            let reference = format!("{}/{}:1", registry.name(), repository(number));
            lock(nix.directory(), &["add", &reference]).run().done();
        }
        Self {
            registry,
            images,
            nix,
        }
    }

    fn expression(&self) -> String {
        format!(
            "builtins.attrValues (hocker.importLock {{ lockFile = {}/docker-images.lock.json; \
             platform = \"linux/amd64\"; }})",
            self.nix.directory().display()
        )
    }

    /// The digests of everything that the images are made of.
    fn blobs(&self) -> BTreeSet<String> {
        self.images
            .iter()
            .flat_map(|image| {
                let layers = image.layers.iter().map(Layer::digest);
                layers.chain([image.config_digest()]).collect::<Vec<_>>()
            })
            .collect()
    }

    /// How the blobs were asked for from a moment on: digest, repository and status.
    fn asked(&self, from: usize) -> Vec<(String, String, u16)> {
        self.registry.accesses()[from..]
            .iter()
            .map(|access| {
                assert!(access.is_blob() && access.method == "GET", "{access:?}");
                let path = access.path.strip_prefix("/v2/").unwrap();
                let (repository, digest) = path.split_once("/blobs/").unwrap();
                (digest.to_owned(), repository.to_owned(), access.status)
            })
            .collect()
    }

    /// Builds all images, one derivation at a time.
    fn build(&self) -> std::process::Output {
        let output = self.nix.build_with(&self.expression(), &["-j1"], &[]);
        built(&output);
        let results = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(results.lines().count(), IMAGES);
        for (image, result) in self.images.iter().zip(results.lines()) {
            for layer in &image.layers {
                let path = std::path::Path::new(result)
                    .join("oci/blobs/sha256")
                    .join(layer.hex());
                assert!(fs::read(path).unwrap() == layer.blob, "another layer");
            }
        }
        output
    }
}

#[test]
fn a_layer_that_four_repositories_share_is_one_derivation_and_fetched_once() {
    let bench = Bench::new();
    let file = bench.nix.directory().join("all.nix");
    fs::write(&file, bench.nix.with_functions(&bench.expression())).unwrap();
    let derivations = program::text(bench.nix.command("nix-instantiate").arg(&file));
    assert_eq!(derivations.lines().count(), IMAGES);
    let mut of_blobs: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for derivation in derivations.lines() {
        for path in bench.nix.requisites(derivation.as_ref()) {
            let name = store_name(&path);
            if name.starts_with("docker-") && seen.insert(path) {
                *of_blobs.entry(name).or_default() += 1;
            }
        }
    }
    assert_eq!(of_blobs.len(), bench.blobs().len(), "{of_blobs:#?}");
    assert!(of_blobs.values().all(|count| *count == 1), "{of_blobs:#?}");

    let before = bench.registry.accesses().len();
    bench.build();
    let asked = bench.asked(before);
    assert!(
        asked.iter().all(|(.., status)| *status == 200),
        "{asked:#?}"
    );
    let digests: BTreeSet<_> = asked.iter().map(|(digest, ..)| digest.clone()).collect();
    assert_eq!(asked.len(), digests.len(), "a blob came twice: {asked:#?}");
    assert_eq!(digests, bench.blobs());
}

#[test]
fn what_the_first_repository_has_lost_comes_from_the_next() {
    let bench = Bench::new();
    let shared: Vec<_> = bench.images[0].layers[..SHARED]
        .iter()
        .map(Layer::digest)
        .collect();
    for digest in &shared {
        bench.registry.delete_blob(&repository(0), digest);
    }
    let before = bench.registry.accesses().len();
    let output = bench.build();
    let asked = bench.asked(before);
    for digest in shared {
        let of_it: Vec<_> = asked
            .iter()
            .filter(|(asked, ..)| *asked == digest)
            .map(|(_, repository, status)| (repository.clone(), *status))
            .collect();
        assert_eq!(of_it, [(repository(0), 404), (repository(1), 200)]);
        let says = format!(
            "trying the next location: cannot fetch the blob {digest} of {} from {}: the registry answers 404",
            repository(0),
            bench.registry.name()
        );
        let told = program::told(&output);
        assert!(told.contains(&says), "no {says:?} in {told}");
    }
}

#[test]
fn a_layer_that_no_repository_has_fails_the_build_with_what_each_says() {
    let bench = Bench::new();
    let lost = bench.images[0].layers[1].digest();
    for number in 0..IMAGES {
        bench.registry.delete_blob(&repository(number), &lost);
    }
    let output = bench.nix.build_with(&bench.expression(), &["-j1"], &[]);
    assert!(!output.status.success());
    let told = program::told(&output);
    let says = format!("hocker: cannot fetch the blob {lost} from any of its {IMAGES} locations");
    assert!(told.contains(&says), "no {says:?} in {told}");
    for number in 0..IMAGES {
        let says = format!(
            "  caused by: {} from {}: the registry answers 404 Not Found",
            repository(number),
            bench.registry.name()
        );
        assert!(told.contains(&says), "no {says:?} in {told}");
    }
    assert!(told.contains("exit code 3"), "{told}");
}
