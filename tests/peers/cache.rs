//! Binary caches: a store that cannot reach the registry gets the same images, and does not have to trust the cache
//! for their layers.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::nix::{Nix, built};
use crate::machine::program;
use crate::machine::real_image::real_image;
use crate::pipeline::{expression, registry_with};

/// A cache with one image, and the expression of that image. The registry is gone.
struct Cache {
    nix: Nix,
    image: PathBuf,
    requisites: Vec<PathBuf>,
}

impl Cache {
    fn with_image() -> Self {
        let nix = Nix::new();
        let registry = registry_with(&real_image());
        let image = nix.built_image(&expression(&registry));
        drop(registry);
        let requisites = nix.requisites(&image);

        let directory = nix.directory().to_owned();
        program::run(
            nix.command("nix-store")
                .args(["--generate-binary-cache-key", "cache-1"])
                .arg(directory.join("secret"))
                .arg(directory.join("public")),
        );
        let url = format!(
            "file://{}?secret-key={}",
            directory.join("cache").display(),
            directory.join("secret").display()
        );
        program::run(
            nix.command("nix")
                .args(["--extra-experimental-features", "nix-command"])
                .args(["copy", "--to", &url])
                .arg(&image),
        );
        Self {
            nix,
            image,
            requisites,
        }
    }

    /// A command about another store, with the same paths, that may use the cache.
    fn command(&self, name: &str, store: &Path) -> Command {
        let mut command = self.nix.command(name);
        command
            .arg("--store")
            .arg(format!("local?root={}", store.display()));
        command
    }

    /// Builds the image in another store, with further options.
    fn build(&self, store: &Path, options: &[&str]) -> PathBuf {
        let directory = self.nix.directory();
        let cache = format!("file://{}", directory.join("cache").display());
        let image = format!("hocker.callImage {}/image.nix", directory.display());
        built(&program::output(
            self.command("nix-build", store)
                .args(["--option", "substituters", &cache])
                .args(options)
                .args(["--no-out-link", "--expr", &self.nix.with_functions(&image)]),
        ))
    }

    /// The image is in another store with all that belongs to it, and every path is what it was.
    #[track_caller]
    fn is_in(&self, store: &Path) {
        let found = program::text(
            self.command("nix-store", store)
                .args(["--query", "--requisites"])
                .arg(&self.image),
        );
        let mut found: Vec<PathBuf> = found.lines().map(PathBuf::from).collect();
        let mut expected = self.requisites.clone();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        program::run(
            self.command("nix-store", store)
                .arg("--verify-path")
                .args(&expected),
        );
    }
}

#[test]
fn a_store_that_trusts_a_cache_needs_no_registry_and_builds_nothing() {
    let cache = Cache::with_image();
    let key = std::fs::read_to_string(cache.nix.directory().join("public")).unwrap();
    let store = cache.nix.directory().join("second");
    let image = cache.build(
        &store,
        &["--option", "trusted-public-keys", &key, "--max-jobs", "0"],
    );
    assert_eq!(image, cache.image);
    cache.is_in(&store);
}

#[test]
fn layers_come_from_a_cache_that_nobody_trusts() {
    let cache = Cache::with_image();
    let store = cache.nix.directory().join("second");
    // The image itself, a directory of links, is built.
    let image = cache.build(&store, &["--option", "trusted-public-keys", ""]);
    assert_eq!(image, cache.image);
    cache.is_in(&store);
}
