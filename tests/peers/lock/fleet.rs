//! Fifty images for two platforms, of ten to twenty layers each, on five bases, in a registry.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::machine::docker_registry::DockerRegistry;
use crate::machine::pusher::Pusher;
use crate::support::hocker::{Run, hocker};
use crate::support::image::{Family, Image, Layer, Packing};

/// So many images.
pub(super) const IMAGES: usize = 50;
const BASES: usize = 5;
const LAYERS_OF_A_BASE: usize = 7;
/// Where layers are that images share.
const BASE: &str = "base";

/// The images in their registry.
pub(super) struct Fleet {
    pub(super) registry: DockerRegistry,
    pusher: Pusher,
}

impl Fleet {
    /// Pushes them all.
    pub(super) fn start() -> Self {
        Self::of(IMAGES)
    }

    /// The first so many of them.
    pub(super) fn of(count: usize) -> Self {
        let registry = DockerRegistry::start_in_memory();
        let pusher = Pusher::to(registry.port());
        let mut fleet = Self { registry, pusher };
        for architecture in ARCHITECTURES {
            for base in 0..BASES {
                for layer in base_layers(architecture, base) {
                    fleet.pusher.blob(BASE, &layer.blob, None);
                }
            }
        }
        for number in 0..count {
            fleet.push(number, "first");
        }
        fleet
    }

    /// Pushes an image whose top layer is of this version.
    pub(super) fn push(&mut self, number: usize, version: &str) -> String {
        self.pusher
            .push_index(&repository(number), "1", &images(number, version), BASE)
    }

    /// What `hocker lock add` takes.
    pub(super) fn references(&self, count: usize) -> Vec<String> {
        let name = self.registry.name();
        (0..count)
            .map(|number| format!("{name}/{}:1", repository(number)))
            .collect()
    }

    /// Locks the first so many.
    pub(super) fn lock(&self, directory: &Path, count: usize) {
        lock(directory, &["add"])
            .arguments(self.references(count))
            .run()
            .done();
    }
}

const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// `hocker lock …` in a directory.
pub(super) fn lock(directory: &Path, arguments: &[&str]) -> Run {
    hocker(["lock"])
        .arguments(arguments)
        .in_directory(directory)
}

/// What the lock file holds.
pub(super) fn text(directory: &Path) -> String {
    fs::read_to_string(directory.join("docker-images.lock.json")).unwrap()
}

pub(super) fn name(number: usize) -> String {
    format!("app{number:02}")
}

pub(super) fn repository(number: usize) -> String {
    format!("team/{}", name(number))
}

/// The image of a number for each platform.
pub(super) fn images(number: usize, version: &str) -> Vec<Image> {
    let of = |architecture: &&str| {
        let mut layers = base_layers(architecture, number % BASES);
        // Ten to twenty in all.
        let own = 10 - LAYERS_OF_A_BASE + number % 11;
        for layer in 1..own {
            layers.push(small(&format!("{architecture} {number} {layer}")));
        }
        layers.push(small(&format!("{architecture} {number} {version}")));
        let platform = json!({"os": "linux", "architecture": architecture});
        Image::for_platform(Family::Oci, &platform, &[version], layers)
    };
    ARCHITECTURES.iter().map(of).collect()
}

fn base_layers(architecture: &str, base: usize) -> Vec<Layer> {
    (0..LAYERS_OF_A_BASE)
        .map(|layer| small(&format!("{architecture} base {base} {layer}")))
        .collect()
}

fn small(content: &str) -> Layer {
    Layer::of_files(Packing::Gzip, &[("file", content.as_bytes())])
}
