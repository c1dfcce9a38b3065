//! `--help` of every command, as `tests/it/help/*.txt` hold it, so that a change of words is seen in review.
//!
//! `UPDATE_GOLDENS=1 cargo nextest run --test it help` rewrites the files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::hocker::hocker;

/// Commands that help does not list: other programs start them.
const HIDDEN: [&str; 4] = ["builder", "composite", "completions", "man"];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/help")
}

fn help(command: &[String]) -> String {
    let arguments = command.iter().map(String::as_str).chain(["--help"]);
    hocker(arguments).env("COLUMNS", "100").run().done().text()
}

/// The commands that a help lists.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

/// The help of a command and of those below it, by the name of the file.
fn collect(command: &[String], all: &mut BTreeMap<String, String>) {
    let text = help(command);
    let below = |name: &str| [command, &[name.to_owned()]].concat();
    let hidden = HIDDEN.iter().filter(|_| command.is_empty());
    let names = listed(&text);
    let names = names.iter().map(String::as_str).chain(hidden.copied());
    for name in names {
        collect(&below(name), all);
    }
    let words: Vec<_> = ["hocker"]
        .into_iter()
        .chain(command.iter().map(String::as_str))
        .collect();
    all.insert(format!("{}.txt", words.join("-")), text);
}

#[test]
fn the_help_of_each_command_is_the_one_that_was_reviewed() {
    let mut all = BTreeMap::new();
    collect(&[], &mut all);
    assert!(all.contains_key("hocker-lock-add.txt"), "{:?}", all.keys());

    let entries = fs::read_dir(directory()).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let kept: BTreeMap<_, _> = names
        .map(|name| {
            (
                name.clone(),
                fs::read_to_string(directory().join(&name)).unwrap(),
            )
        })
        .collect();

    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        fs::create_dir_all(directory()).unwrap();
        for name in kept.keys().filter(|name| !all.contains_key(*name)) {
            fs::remove_file(directory().join(name)).unwrap();
        }
        for (name, text) in &all {
            fs::write(directory().join(name), text).unwrap();
        }
        return;
    }
    let gone: Vec<_> = kept
        .keys()
        .filter(|name| !all.contains_key(*name))
        .collect();
    assert!(gone.is_empty(), "no command has the help in {gone:?}");
    for (name, text) in &all {
        let reviewed = kept.get(name).map(String::as_str).unwrap_or_default();
        assert!(
            text == reviewed,
            "tests/it/help/{name} differs; UPDATE_GOLDENS=1 rewrites it. The help is now:\n{text}"
        );
    }
}
