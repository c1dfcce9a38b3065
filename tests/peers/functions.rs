//! The tables of `tests/nix/functions`: what each function of `nix/` gives, and the message of each error.

use std::collections::HashMap;
use std::fs;

use serde::Deserialize;
use serde_json::Value;

use crate::machine::nix::{Nix, root};
use crate::machine::program;

/// A case of a table, without the message of its error.
#[derive(Deserialize)]
struct Case {
    name: String,
    throws: Option<String>,
    holds: bool,
    seen: Value,
}

/// What the evaluation of a case writes to standard error.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Note {
    Case(String),
    Message(String),
}

/// The message of each case's error.
fn messages(stderr: &str) -> HashMap<String, String> {
    let mut messages = HashMap::new();
    let mut current = None;
    for note in stderr
        .lines()
        .filter_map(|line| line.strip_prefix("trace: "))
    {
        match serde_json::from_str(note).unwrap() {
            Note::Case(name) => current = Some(name),
            Note::Message(message) => {
                messages.insert(current.clone().unwrap(), message);
            }
        }
    }
    messages
}

#[test]
fn every_function_gives_what_its_table_says_or_refuses_it_with_the_tables_words() {
    let tables = root().join("tests/nix/functions");
    let output = program::output(
        Nix::new()
            .command("nix-instantiate")
            .args(["--eval", "--strict", "--json"])
            .arg(&tables),
    );
    assert!(output.status.success(), "{}", program::told(&output));
    let cases: Vec<Case> = serde_json::from_slice(&output.stdout).unwrap();
    let mut messages = messages(&String::from_utf8(output.stderr).unwrap());

    let mut wrong = Vec::new();
    for case in &cases {
        let message = messages.remove(&case.name);
        // A value may come of an error that a function catches; only the message of a refusal is looked at.
        if !case.holds || case.throws.is_some() && case.throws != message {
            let Case {
                name, throws, seen, ..
            } = case;
            wrong.push(format!(
                "{name}: {seen}\n  expected error: {throws:?}\n  seen error: {message:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));

    for entry in fs::read_dir(tables).unwrap() {
        let table = entry.unwrap().file_name().into_string().unwrap();
        let has_cases = cases
            .iter()
            .any(|case| case.name.starts_with(&format!("{table}: ")));
        assert!(has_cases || table == "default.nix", "{table} has no case");
    }
}

#[test]
fn every_function_that_refuses_something_has_a_table() {
    // The tables of the fetchers of layers and configurations say what the first refuses. The second reads only the
    // modules of this project.
    let exceptions = ["fetch-blob.nix", "option-docs.nix"];
    for entry in fs::read_dir(root().join("nix")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap();
        if file.is_dir() || exceptions.contains(&name) {
            continue;
        }
        let refuses = fs::read_to_string(&file).unwrap().contains("throw ");
        let table = root().join("tests/nix/functions").join(name);
        assert!(!refuses || table.exists(), "{name} has no table");
    }
}
