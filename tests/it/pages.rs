//! README and the other pages: their links, and their length.

use std::path::Path;

use crate::support::pages::Page;

/// The targets of the links in a text, without those to other sites.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0))
        .filter(|target| !target.contains("://"))
}

/// The anchor that forges make of a heading.
fn anchor(title: &str) -> String {
    let letters = title.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ if letter.is_alphanumeric() => Some(letter.to_ascii_lowercase()),
        _ => None,
    });
    letters.collect()
}

/// A path without `..`.
fn resolved(path: &Path) -> String {
    let mut parts = Vec::new();
    for part in path.to_str().unwrap().split('/') {
        match part {
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in Page::all() {
        let directory = Path::new(page.path()).parent().unwrap();
        for link in links(page.text()) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let file = match file {
                "" => page.path().to_owned(),
                file => resolved(&directory.join(file)),
            };
            assert!(root.join(&file).exists(), "{} links to {file}", page.path());
            if !heading.is_empty() {
                let sections = Page::at(&file).sections();
                assert!(
                    sections
                        .iter()
                        .any(|section| anchor(section.title()) == heading),
                    "{} links to {link}",
                    page.path()
                );
            }
        }
    }
}

#[test]
fn every_page_is_in_the_index_and_the_readme_is_short() {
    let index = Page::at("docs/README.md");
    let linked: Vec<&str> = links(index.text()).collect();
    for page in Page::all() {
        let name = page.path().strip_prefix("docs/");
        if let Some(name) = name.filter(|name| *name != "README.md") {
            assert!(linked.contains(&name), "{name} is not in docs/README.md");
        }
    }
    assert!(Page::at("README.md").text().lines().count() <= 200);
}
