//! What a lock of fifty images asks a registry for, by the registry's own log, and where the file changes.

use std::time::Instant;

use serde_json::Value;

use super::fleet::{Fleet, IMAGES, lock, name, text};
use crate::machine::docker_registry::Access;

/// How many of the requests are of a method, and of a kind.
fn count(accesses: &[Access], method: &str, kind: fn(&Access) -> bool) -> usize {
    accesses
        .iter()
        .filter(|access| access.method == method && kind(access))
        .count()
}

/// Demands that nothing but what moved is another line: the index and its text, and manifest, configuration and top
/// layer of each platform.
#[track_caller]
fn only_moved(before: &str, after: &str, moved: &[usize]) {
    assert_eq!(before.lines().count(), after.lines().count());
    let changed = before
        .lines()
        .zip(after.lines())
        .filter(|(old, new)| old != new)
        .count();
    assert_eq!(changed, moved.len() * 8);
    let [before, after] = [before, after].map(|text| serde_json::from_str::<Value>(text).unwrap());
    for (number, name) in (0..IMAGES).map(|number| (number, name(number))) {
        let same = after["images"][&name] == before["images"][&name];
        assert_eq!(same, !moved.contains(&number), "{name}");
    }
}

#[test]
fn fifty_images_cost_manifests_and_configurations_alone() {
    let mut fleet = Fleet::start();
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    // What was asked since the last look; the times are for people who run this with --no-capture.
    let mut seen = fleet.registry.accesses().len();
    let mut asked = |fleet: &Fleet, what: &str, began: Instant| {
        let all = fleet.registry.accesses();
        let new = all[seen..].to_vec();
        seen = all.len();
        eprintln!("{what}: {:?}, {} requests", began.elapsed(), new.len());
        new
    };

    let began = Instant::now();
    fleet.lock(place, IMAGES);
    let added = asked(&fleet, "add", began);
    // An index, two manifests and two configurations each, and no layer.
    assert_eq!(added.len(), 5 * IMAGES);
    assert_eq!(count(&added, "GET", Access::is_manifest), 3 * IMAGES);
    assert_eq!(count(&added, "GET", Access::is_blob), 2 * IMAGES);
    let lock_file: Value = serde_json::from_str(&text(place)).unwrap();
    let images = lock_file["images"].as_object().unwrap();
    assert_eq!(images.len(), IMAGES);
    let layers = |image: &Value| {
        image["platforms"]["linux/amd64"]["layers"]
            .as_array()
            .unwrap()
            .len()
    };
    assert!(
        images
            .values()
            .all(|image| (10..=20).contains(&layers(image)))
    );

    let before = text(place);
    let began = Instant::now();
    lock(place, &["update"])
        .run()
        .done()
        .says("0 changed, 50 unchanged");
    let unmoved = asked(&fleet, "update, nothing moved", began);
    assert_eq!(count(&unmoved, "HEAD", Access::is_manifest), IMAGES);
    assert_eq!(unmoved.len(), IMAGES);
    assert_eq!(text(place), before);

    let moved = [3, 17, 42];
    for number in moved {
        fleet.push(number, "second");
    }
    asked(&fleet, "push", Instant::now());
    let began = Instant::now();
    let checked = lock(place, &["check", "--json"])
        .run()
        .failed(1)
        .says("3 of 50 images have moved");
    let asked_by_check = asked(&fleet, "check", began);
    assert_eq!(count(&asked_by_check, "HEAD", Access::is_manifest), IMAGES);
    // A header's word that a tag has moved is not taken alone.
    let confirmed = count(&asked_by_check, "GET", Access::is_manifest);
    assert_eq!(confirmed, moved.len());
    assert_eq!(asked_by_check.len(), IMAGES + confirmed);
    let checked: Value = serde_json::from_slice(&checked.stdout).unwrap();
    let told = checked["moved"].as_array().unwrap().iter();
    let names: Vec<_> = told.map(|one| &one["name"]).collect();
    assert_eq!(names, moved.map(name).each_ref());

    let began = Instant::now();
    let outcome = lock(place, &["update", "--json"])
        .run()
        .done()
        .says("3 changed, 47 unchanged");
    let updated = asked(&fleet, "update, three moved", began);
    assert_eq!(count(&updated, "HEAD", Access::is_manifest), IMAGES);
    assert_eq!(count(&updated, "GET", Access::is_manifest), 3 * moved.len());
    assert_eq!(count(&updated, "GET", Access::is_blob), 2 * moved.len());
    let told: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    for change in told["changed"].as_array().unwrap() {
        for platform in change["platforms"].as_object().unwrap().values() {
            let new = platform["layers"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|layer| layer["new"] == true);
            assert_eq!(new.count(), 1, "{platform:#}");
        }
    }

    only_moved(&before, &text(place), &moved);
    lock(place, &["check"]).run().done();
    let graph = lock(place, &["graph"]).run().done().text();
    assert!(graph.contains("50 images for linux/"), "{graph}");
}
