//! The section of nixpkgs' manual.

use std::collections::BTreeSet;
use std::fs;

use crate::machine::nix::{Nix, root};

/// The names before the definitions under a heading.
fn defined(manual: &str, heading: &str) -> BTreeSet<String> {
    let (_, section) = manual
        .split_once(&format!("{{#{heading}}}\n"))
        .unwrap_or_else(|| panic!("the section has no {heading}"));
    let mut lines = section
        .lines()
        .take_while(|line| !line.starts_with('#'))
        .peekable();
    let mut names = BTreeSet::new();
    while let Some(line) = lines.next() {
        if lines.peek().is_some_and(|next| next.starts_with(": ")) {
            names.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    names
}

#[test]
fn every_argument_of_each_function_is_in_the_section_for_nixpkgs_and_no_other() {
    let manual = fs::read_to_string(root().join("nix/nixpkgs/fetchers.section.md")).unwrap();
    let nix = Nix::new();
    for function in ["fetchdocker", "fetchDockerLayer", "fetchDockerConfig"] {
        let arguments = nix.evaluate(&nix.with_functions(&format!(
            "builtins.attrNames (builtins.functionArgs hocker.{function})"
        )));
        let arguments: BTreeSet<String> = serde_json::from_value(arguments).unwrap();
        let heading = format!("sec-pkgs-fetchers-{}-inputs", function.to_lowercase());
        assert_eq!(defined(&manual, &heading), arguments, "{function}");
    }
}

#[test]
fn each_anchor_of_the_section_is_there_once() {
    let manual = fs::read_to_string(root().join("nix/nixpkgs/fetchers.section.md")).unwrap();
    let anchors: Vec<&str> = manual
        .lines()
        .filter_map(|line| line.split_once("#sec-").or(line.split_once("#ex-")))
        .filter_map(|(_, anchor)| anchor.strip_suffix('}'))
        .collect();
    assert!(anchors.len() > 10, "{anchors:?}");
    let distinct: BTreeSet<&str> = anchors.iter().copied().collect();
    assert_eq!(distinct.len(), anchors.len(), "{anchors:?}");
    // Headings have one.
    for heading in manual.lines().filter(|line| line.starts_with("##")) {
        assert!(heading.ends_with('}'), "{heading}");
    }
}
