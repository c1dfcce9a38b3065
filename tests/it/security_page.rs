//! `docs/security.md`: each attack names the tests that show what happens.

use std::fs;
use std::path::Path;

/// The links of a line of Markdown: their texts and targets.
fn links(line: &str) -> impl Iterator<Item = (&str, &str)> {
    line.split('[')
        .skip(1)
        .filter_map(|rest| rest.split_once("]("))
        .filter_map(|(text, rest)| Some((text, rest.split_once(')')?.0)))
}

#[test]
fn every_attack_has_tests_and_every_test_is_where_the_page_says() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = fs::read_to_string(docs.join("security.md")).unwrap();
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| attack |"))
        .collect();
    assert!(rows.len() > 20, "the page has no tables");
    for row in rows {
        assert_ne!(links(row).count(), 0, "no test: {row}");
        for (test, file) in links(row) {
            let source = fs::read_to_string(docs.join(file)).unwrap();
            assert!(source.contains(&format!("fn {test}(")), "{test} in {file}");
        }
    }
}
