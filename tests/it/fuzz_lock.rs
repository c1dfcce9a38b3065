//! `fuzz/` has a lock file of its own, and what is fuzzed there is what is built here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The versions of each package that a lock file holds.
fn locked(path: &str) -> BTreeMap<String, BTreeSet<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = fs::read_to_string(path).unwrap();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in text.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let start = format!("{name} = ");
            let line = package.lines().find_map(|line| line.strip_prefix(&start));
            line.unwrap().trim_matches('"').to_owned()
        };
        let of_name = versions.entry(field("name")).or_default();
        of_name.insert(field("version"));
    }
    versions
}

#[test]
fn the_fuzz_targets_use_the_versions_that_hocker_does() {
    let ours = locked("Cargo.lock");
    let fuzzed = locked("fuzz/Cargo.lock");
    assert!(fuzzed.contains_key("libfuzzer-sys"));
    let different: Vec<_> = fuzzed
        .iter()
        .filter(|(name, versions)| {
            ours.get(*name)
                .is_some_and(|ours| !versions.is_subset(ours))
        })
        .collect();
    assert!(
        different.is_empty(),
        "after a change to Cargo.lock, run `cp Cargo.lock fuzz/ && cargo update --manifest-path fuzz/Cargo.toml \
         --workspace`: {different:?}"
    );
}
