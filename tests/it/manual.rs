//! `hocker man`: the pages know every environment variable, and each other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::hocker::hocker;

/// The pages by name, without the marks of typesetting.
fn pages() -> BTreeMap<String, String> {
    let directory = tempfile::tempdir().unwrap();
    hocker(["man".as_ref(), directory.path().as_os_str()])
        .run()
        .done();
    let entries = fs::read_dir(directory.path()).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let text = text.replace("\\fB", "").replace("\\fR", "");
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, text.replace("\\-", "-"))
        })
        .collect()
}

/// A section of a page, or nothing.
fn section<'a>(page: &'a str, title: &str) -> &'a str {
    let sections = page.split("\n.SH ").skip(1);
    sections
        .filter_map(|section| section.split_once('\n'))
        .find(|(own, _)| own.trim_matches('"') == title)
        .map(|(_, text)| text)
        .unwrap_or_default()
}

/// The words of a section that are names of variables or pages.
fn words(text: &str) -> Vec<&str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"_-.".contains(letter))
        .collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn every_variable_that_is_read_is_described() {
    let pages = pages();
    let described = words(section(&pages["hocker"], "ENVIRONMENT"));
    let names = read("src/cli/environment.rs");
    let names: Vec<&str> = names
        .lines()
        .filter(|line| line.starts_with("pub(crate) const"))
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in &names {
        assert!(described.contains(name), "{name} is not in {described:?}");
    }
    // What builds are given is known; ftp is what nixpkgs has in its list.
    let given = read("nix/impure-env-vars.nix");
    for name in given.split('"').skip(1).step_by(2) {
        let is_ftp = name.eq_ignore_ascii_case("ftp_proxy");
        assert!(is_ftp || names.contains(&name), "{name}");
    }
}

#[test]
fn a_page_tells_of_the_variables_that_its_command_heeds_and_of_no_other() {
    let pages = pages();
    for (page, variable, heeds) in [
        ("hocker-manifest", "DOCKER_TOKEN", true),
        ("hocker-manifest", "DOCKER_HOST", false),
        ("hocker-load", "DOCKER_HOST", true),
        ("hocker-load", "DOCKER_TOKEN", false),
        ("hocker-load", "HOCKER_RETRIES", true),
        ("hocker-load", "https_proxy", false),
        ("hocker-lock", "COMPOSE_PROFILES", true),
        ("hocker-lock-compose", "COMPOSE_PROFILES", true),
        ("hocker-lock-add", "COMPOSE_PROFILES", false),
        ("hocker-lock-add", "REGISTRY_AUTH_FILE", true),
        ("hocker-lock-list", "HOME", false),
        ("hocker-serve", "HOME", false),
    ] {
        let told = words(section(&pages[page], "ENVIRONMENT"));
        assert_eq!(told.contains(&variable), heeds, "{page}: {variable}");
    }
    assert!(section(&pages["hocker-lock-list"], "FILES").contains("docker-images.lock.json"));
}

#[test]
fn every_page_has_examples_and_is_found_from_the_one_above() {
    let pages = pages();
    for (name, page) in &pages {
        assert!(!section(page, "EXAMPLES").is_empty(), "{name}");
        if name == "hocker" {
            continue;
        }
        let above = if name.starts_with("hocker-lock-") {
            "hocker-lock"
        } else {
            "hocker"
        };
        for (from, to) in [(above, name.as_str()), (name, above)] {
            let seen = words(section(&pages[from], "SEE ALSO"));
            assert!(seen.contains(&to), "{from}: no {to} in {seen:?}");
        }
    }
}
