//! The workflow files in `examples/bots`: they are YAML, run the commands of the page, and use options that exist.

use std::fs;
use std::path::Path;

use granit_parser::{Event, Parser};

use crate::support::hocker::hocker;
use crate::support::pages::Page;

const HOSTS: [&str; 3] = ["github", "gitlab", "forgejo"];

/// The scalars of a file, in its order.
fn scalars(host: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/bots/{host}.yml"));
    let text = fs::read_to_string(path).unwrap();
    let events = Parser::new_from_str(&text).map(|event| event.unwrap().0);
    let texts = events.filter_map(|event| match event {
        Event::Scalar(text, ..) => Some(text.into_owned()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn each_file_runs_the_commands_of_the_page() {
    let page = Page::at("docs/automation.md");
    let commands = page.section("Workflow files").script();
    for host in HOSTS {
        let scalars = scalars(host);
        let updates: Vec<_> = scalars
            .iter()
            .filter(|text| text.contains("hocker lock update"))
            .collect();
        assert_eq!(updates.len(), 1, "{host}");
        assert_eq!(updates[0].trim(), commands.trim(), "{host}");
        assert!(
            scalars.iter().any(|text| text == "test ! -e .git/failed"),
            "{host}"
        );
    }
}

#[test]
fn each_command_of_hocker_exists_with_its_options() {
    let mut seen = 0;
    for host in HOSTS {
        for text in scalars(host) {
            let lines = text.lines().map(str::trim);
            for line in lines.filter(|line| line.starts_with("hocker ")) {
                let words: Vec<_> = line.split_whitespace().skip(1).collect();
                let is_word = |word: &&&str| word.starts_with(|c: char| c.is_ascii_lowercase());
                let command: Vec<_> = words.iter().take_while(is_word).copied().collect();
                let help = hocker(command).arguments(["--help"]).run().done().text();
                for option in words.iter().filter(|word| word.starts_with("--")) {
                    assert!(help.contains(option), "{host}: {line}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 9, "{seen}");
}

#[test]
fn no_file_puts_a_token_into_an_argument_of_git() {
    for host in HOSTS {
        for text in scalars(host) {
            for line in text
                .lines()
                .filter(|line| line.contains("git push") || line.contains("git clone"))
            {
                assert!(!line.contains("TOKEN"), "{host}: {line}");
            }
        }
    }
}
