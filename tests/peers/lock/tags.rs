//! Fifty images with a hundred tags each, followed by a pattern and with a wait, by the registry's own log.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::fleet::lock;
use crate::machine::docker_registry::{Access, DockerRegistry};
use crate::machine::pusher::Pusher;
use crate::support::image::{Family, Image, Layer, OCI_INDEX, Packing, index};

const IMAGES: usize = 50;
/// Tags of each image: 1.0 to 1.79 and variants of some.
const NUMBERS: usize = 80;
const VARIANTS: usize = 20;

/// The image of a version.
fn image(version: &str) -> Image {
    let layer = Layer::of_files(Packing::Gzip, &[("version", version.as_bytes())]);
    let platform = json!({"os": "linux", "architecture": "amd64"});
    Image::for_platform(Family::Oci, &platform, &[version], vec![layer])
}

struct Repositories {
    registry: DockerRegistry,
    pusher: Pusher,
    seen: usize,
}

impl Repositories {
    /// Pushes one image to each repository, under all of its tags.
    fn start() -> Self {
        let registry = DockerRegistry::start_in_memory();
        let pusher = Pusher::to(registry.port());
        let mut all = Self {
            registry,
            pusher,
            seen: 0,
        };
        let first = image("first");
        let document = index(&[first.descriptor()]);
        for number in 0..IMAGES {
            let repository = repository(number);
            let images = [image("first")];
            all.pusher.push_index(&repository, "1.0", &images, "base");
            for tag in tags() {
                all.pusher.manifest(&repository, &tag, OCI_INDEX, &document);
            }
        }
        all
    }

    /// Pushes another image.
    fn push(&mut self, number: usize, tag: &str) -> String {
        let images = [image(&format!("{number} {tag}"))];
        self.pusher
            .push_index(&repository(number), tag, &images, "base")
    }

    /// What was asked since the last look.
    fn asked(&mut self) -> Vec<Access> {
        let all = self.registry.accesses();
        let new = all[self.seen..].to_vec();
        self.seen = all.len();
        new
    }
}

fn repository(number: usize) -> String {
    format!("team/app{number:02}")
}

fn tags() -> impl Iterator<Item = String> {
    let plain = (0..NUMBERS).map(|number| format!("1.{number}"));
    plain.chain((0..VARIANTS).map(|number| format!("1.{number}-alpine")))
}

fn lists(accesses: &[Access]) -> usize {
    let lists = accesses.iter();
    lists
        .filter(|access| access.path.contains("/tags/list"))
        .count()
}

fn read(place: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(place.join("docker-images.lock.json")).unwrap())
        .unwrap()
}

#[test]
fn fifty_images_with_five_thousand_tags_cost_two_requests_each_while_nothing_moves() {
    let mut all = Repositories::start();
    assert_eq!(tags().count() * IMAGES, 5000);
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    all.asked();

    let name = all.registry.name();
    let images = (0..IMAGES).map(|number| format!("{name}/{}:1.*", repository(number)));
    lock(place, &["add", "--min-age", "3d"])
        .arguments(images)
        .run()
        .done();
    let added = all.asked();
    // The list, the index, a manifest and a configuration.
    assert_eq!((added.len(), lists(&added)), (4 * IMAGES, IMAGES));
    let locked = read(place);
    for number in 0..IMAGES {
        let image = &locked["images"][format!("app{number:02}")];
        let newest = format!("{name}/{}:1.79", repository(number));
        assert_eq!(image["reference"], newest);
    }

    for command in ["update", "check"] {
        lock(place, &[command]).run().done();
        let unmoved = all.asked();
        assert_eq!((unmoved.len(), lists(&unmoved)), (2 * IMAGES, IMAGES));
    }
    assert_eq!(read(place), locked);

    let new = all.push(3, "1.80");
    all.push(17, "1.79");
    all.asked();
    lock(place, &["update"])
        .run()
        .done()
        .says("app03 1.80 (sha256:")
        .says("app17 1.79 (sha256:")
        .says("0 changed, 50 unchanged, 2 waiting");
    let waited = all.asked();
    // A header's word about a new digest is not taken alone.
    assert_eq!(waited.len(), 2 * IMAGES + 2);

    let mut aged = read(place);
    for name in ["app03", "app17"] {
        aged["images"][name]["pending"][0]["firstSeen"] = json!("2026-01-01T00:00:00Z");
    }
    fs::write(place.join("docker-images.lock.json"), aged.to_string()).unwrap();
    lock(place, &["update"])
        .run()
        .done()
        .says("app03 1.79 → 1.80: sha256:")
        .says("2 changed, 48 unchanged");
    let updated = all.asked();
    // For each of them an index, a manifest and a configuration.
    assert_eq!(updated.len(), 2 * IMAGES + 2 * 3);
    assert_eq!(
        read(place)["images"]["app03"]["index"]["digest"],
        json!(new)
    );

    lock(place, &["check", "--available"]).run().done();
    let asked = all.asked();
    assert!(asked.iter().all(|access| access.method == "HEAD"));
    // The first image is the same in 48 repositories: an index, a manifest, a configuration and a layer.
    assert_eq!(asked.len(), 3 * 4);
    all.registry.delete(&repository(3), &new);
    lock(place, &["check", "--available"])
        .run()
        .failed(1)
        .says(&format!("app03: the index {new} is gone from "));
}
