//! Faults on the way from a registry, one test each. Whatever happens, the output is right or absent, nothing else
//! is left behind, the exit code says what it was, and the token that goes with every request is never shown.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::files::listing;
use crate::support::hocker::{Outcome, Run, hocker};
use crate::support::image::{blob_path, digest, noise};
use crate::support::scripted_registry::{Expect, Registry, get};

mod addresses; // redirects and realms into networks where they may not lead
mod algorithms; // digests of SHA-512
mod certificates; // those of single hosts, and of clients
mod connection; // refused, reset, cut, stalled, slow
mod documents; // manifests, configurations and whole images on a bad line
mod encodings; // headers that say something about the content
mod hostile; // answers that are too large or something else
mod length; // lengths that are unsaid, or not true
mod parallel; // a large blob by several connections, and servers that cannot do that
mod ranges; // what servers answer to a request for the rest
mod status; // 401, 408, 429, 5xx
mod tls; // certificates, downgrades, ALPN
mod tokens; // token services on a bad line, or in trouble

/// Where the manifest is.
const MANIFEST: &str = "/v2/app/manifests/1";

/// Goes with every request.
const TOKEN: &str = "t0ken-of-the-tests";

/// A blob of this size takes one connection.
const SIZE: usize = 300_000;

/// `hocker manifest`
fn manifest(registry: &Registry) -> Run {
    hocker(["manifest", &format!("{}/app:1", registry.name())]).env("DOCKER_TOKEN", TOKEN)
}

/// A blob, a registry that has it, and a directory to fetch it to.
struct Fetch {
    registry: Registry,
    blob: Vec<u8>,
    directory: TempDir,
}

impl Fetch {
    fn new() -> Self {
        Self::of_size(SIZE)
    }

    fn of_size(size: usize) -> Self {
        Self {
            registry: Registry::start(),
            blob: noise(size),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Where the registry has the blob.
    fn path(&self) -> String {
        blob_path("app", &digest(&self.blob))
    }

    /// A request for all of the blob.
    fn whole(&self) -> Expect {
        get(self.path())
            .with("Authorization", format!("Bearer {TOKEN}"))
            .without("Range")
    }

    /// A request for some part of the blob.
    fn part(&self) -> Expect {
        get(self.path())
            .with("Authorization", format!("Bearer {TOKEN}"))
            .having("Range")
    }

    /// A request for all that comes after the first `count` bytes.
    fn rest(&self, count: usize) -> Expect {
        self.part()
            .with("Range", format!("bytes={count}-{}", self.blob.len() - 1))
    }

    /// `hocker layer`
    fn run(&self) -> Run {
        let reference = format!("{}/app:1", self.registry.name());
        layer(&digest(&self.blob), &reference).in_directory(self.directory.path())
    }

    /// Runs it, and demands that the blob arrives whole.
    #[track_caller]
    fn arrives(&self) -> Outcome {
        self.arrived(self.run().run())
    }

    #[track_caller]
    fn arrived(&self, outcome: Outcome) -> Outcome {
        let outcome = outcome.done().never_says(TOKEN);
        let content = fs::read(self.directory.path().join("layer")).unwrap();
        assert!(content == self.blob, "other bytes arrived: {outcome}");
        assert_eq!(listing(self.directory.path()).len(), 1, "left behind");
        outcome
    }

    /// Runs it, and demands that it fails like this and leaves nothing behind.
    #[track_caller]
    fn fails(&self, code: i32) -> Outcome {
        self.failed(self.run().run(), code)
    }

    #[track_caller]
    fn failed(&self, outcome: Outcome, code: i32) -> Outcome {
        let outcome = outcome.failed(code).never_says(TOKEN);
        let left: Vec<PathBuf> = listing(self.directory.path()).into_keys().collect();
        assert!(left.is_empty(), "left behind {left:?}: {outcome}");
        outcome
    }

    /// The number of requests so far.
    fn requests(&self) -> usize {
        self.registry.requests().len()
    }
}

fn layer(digest: &str, reference: &str) -> Run {
    hocker(["layer", "--layer", digest, "--out", "layer", reference]).env("DOCKER_TOKEN", TOKEN)
}

/// The lines that announce another try.
fn retries(outcome: &Outcome) -> Vec<&str> {
    outcome
        .stderr
        .lines()
        .filter(|line| line.starts_with("retrying in "))
        .collect()
}
