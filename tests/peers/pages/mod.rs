//! What the pages (README and `docs/`) tell people to type, word for word, on hosts like those in the text.

mod migrating; // from other programs
mod private; // private registries, at a company's site
mod sessions; // everything else

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::lock::{bot, pull_request};
use crate::machine::desk::Desk;
use crate::machine::program;
use crate::machine::server::wait_until;
use crate::support::pages::{Page, Section};

/// The port that the pages give to `hocker serve`.
const PORT: u16 = 5000;

const AUTOMATION: &str = "docs/automation.md";
const CONTRIBUTING: &str = "CONTRIBUTING.md";
const README: &str = "README.md";
const COMMANDS: &str = "docs/commands.md";
const FROM_THE_STORE: &str = "docs/running-from-the-store.md";
const LOADING: &str = "docs/loading.md";
const LOCK_FILE: &str = "docs/lock-file.md";
const MIGRATING: &str = "docs/migrating.md";
const NETWORKS: &str = "docs/networks.md";
const NIX: &str = "docs/nix.md";
const SENT_TO_NIXPKGS: &str = "nix/nixpkgs/README.md";
const PRIVATE: &str = "docs/private-registries.md";
const SERVING: &str = "docs/serving.md";
const SIGNATURES: &str = "docs/signatures.md";

/// The sections that have commands, with the tests that run all of them but the blocks in [`NOT_RUN`].
const FOLLOWED: &[(&str, &str, fn())] = &[
    (README, "A short session", sessions::a_short_session),
    (README, "In Nix", sessions::a_pin_in_nix),
    (README, "Try it", sessions::try_it),
    (
        AUTOMATION,
        "Workflow files",
        pull_request::a_bot_proposes_what_moved_and_nothing_else,
    ),
    (
        AUTOMATION,
        "Compose without Nix",
        sessions::lock_file_for_compose,
    ),
    (COMMANDS, "Examples", sessions::examples_of_commands),
    (COMMANDS, "Install the rest", sessions::install_the_rest),
    (LOADING, "Loading images into a daemon", sessions::loading),
    (
        LOADING,
        "Remove images that you no longer need",
        sessions::removing,
    ),
    (LOCK_FILE, "Tags by pattern", sessions::patterns_and_waits),
    (
        LOCK_FILE,
        "Wait before an update",
        sessions::patterns_and_waits,
    ),
    (LOCK_FILE, "Lock file", sessions::lock_file),
    (
        LOCK_FILE,
        "See what changed",
        sessions::lock_file_for_compose,
    ),
    (LOCK_FILE, "Compose files", sessions::lock_file_for_compose),
    (
        LOCK_FILE,
        "Update the file with a bot",
        bot::a_bot_checks_updates_builds_and_commits,
    ),
    (
        MIGRATING,
        "From the Haskell program",
        migrating::from_the_haskell_program,
    ),
    (
        MIGRATING,
        "From `dockerTools.pullImage`",
        migrating::from_pull_image,
    ),
    (
        NETWORKS,
        "A certificate authority of your own",
        private::a_certificate_authority_of_your_own,
    ),
    (NETWORKS, "Through a proxy", private::through_a_proxy),
    (NIX, "Nix functions", sessions::nix_functions),
    (NIX, "From a binary cache", sessions::from_a_binary_cache),
    (
        PRIVATE,
        "Builds from private registries",
        private::builds_from_private_registries,
    ),
    (
        PRIVATE,
        "Builds with a password from the environment",
        private::builds_from_private_registries,
    ),
    (
        PRIVATE,
        "Builds with credentials from a file",
        private::builds_from_private_registries,
    ),
    (
        PRIVATE,
        "Builds with the classic credentials file",
        private::builds_from_private_registries,
    ),
    (
        PRIVATE,
        "Builds by a Nix daemon",
        private::builds_by_a_nix_daemon,
    ),
    (SERVING, "Serving images", sessions::serving),
];

const COMPILES: &str = "it compiles for minutes what cargo has compiled for the tests";
const STORAGE: &str =
    "the test of that format does the same in another storage than this machine's";
const TESTS: &str = "it runs the tests";
const NIXPKGS: &str = "it needs nixpkgs";

/// The blocks that no test runs, by page and first words, and why.
const NOT_RUN: &[(&str, &str, &str)] = &[
    (CONTRIBUTING, "cargo build", COMPILES),
    (CONTRIBUTING, "cargo test", COMPILES),
    (CONTRIBUTING, "scripts/test", TESTS),
    (CONTRIBUTING, "export HOCKER_STATIC", TESTS),
    (CONTRIBUTING, "cp Cargo.lock", "it changes this repository"),
    (FROM_THE_STORE, "hocker image --format erofs-dir", STORAGE),
    (FROM_THE_STORE, "install --directory", STORAGE),
    (
        LOADING,
        "hocker load --host containerd:",
        "the tests of containerd do the same at a socket of their own",
    ),
    (SENT_TO_NIXPKGS, "cargo fetch", NIXPKGS),
    (SENT_TO_NIXPKGS, "nix-build", NIXPKGS),
    (README, "nix run /path", NIXPKGS),
    (
        SIGNATURES,
        "hocker lock add",
        "no registry here has an image that somebody signed with Sigstore's public instance",
    ),
    (README, "cargo install", COMPILES),
    (README, "scripts/build", COMPILES),
    (README, "scripts/test", TESTS),
];

/// Whether a test runs the block of a page that begins with this command.
fn is_run(page: &str, command: &str) -> bool {
    let mut not_run = NOT_RUN.iter();
    !not_run.any(|(own, words, _)| *own == page && command.starts_with(words))
}

#[test]
fn every_command_is_run_by_a_test() {
    let mut listed: Vec<(String, String)> = FOLLOWED
        .iter()
        .map(|(page, title, _)| ((*page).to_owned(), (*title).to_owned()))
        .collect();
    let mut found = Vec::new();
    for page in Page::all() {
        for section in page.sections() {
            let is_run = |command| is_run(page.path(), command);
            if section.first_commands().any(is_run) {
                found.push((page.path().to_owned(), section.title().to_owned()));
            }
        }
    }
    listed.sort();
    found.sort();
    assert_eq!(found, listed);
    for (page, words, _) in NOT_RUN {
        let sections = Page::at(page).sections();
        let commands = sections.iter().flat_map(Section::first_commands);
        let blocks = commands.filter(|command| command.starts_with(words));
        assert_eq!(
            blocks.count(),
            1,
            "blocks of {page} that begin with {words:?}"
        );
    }
}

#[test]
fn commands_stand_in_console_blocks_alone() {
    for page in Page::all() {
        let sections = page.sections();
        let languages = sections.iter().flat_map(Section::languages);
        let consoles = languages.filter(|language| {
            assert!(
                !["sh", "bash", "shell"].contains(language),
                "{}",
                page.path()
            );
            *language == "console"
        });
        // An indented block is not found as one.
        let written = page.text().matches("```console").count();
        assert_eq!(consoles.count(), written, "{}", page.path());
    }
}

/// The section of a page, without the blocks that no test runs.
#[track_caller]
fn section(page: &str, title: &str) -> Section {
    let section = Page::at(page).section(title);
    section.with_blocks(|command| is_run(page, command))
}

/// Runs what a section says. `variables` is everything that the section does not mention.
#[track_caller]
fn follow(desk: &Desk, section: &Section, variables: &[(&str, &str)]) -> Output {
    let output = desk.shell(&section.script(), variables);
    let told = program::told(&output);
    assert!(output.status.success(), "{}\n{told}", section.script());
    shows(section, &told);
    output
}

/// The same for a section whose last command serves until it is stopped; `meanwhile` runs before that.
#[track_caller]
fn follow_server(
    desk: &Desk,
    section: &Section,
    variables: &[(&str, &str)],
    meanwhile: impl FnOnce(),
) {
    let log = desk.path("log-of-server");
    let file = File::create(&log).unwrap();
    let mut group = Group(
        desk.command(&section.script(), variables)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap(),
    );
    let told = || String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    wait_until(|| {
        let ended = group.0.try_wait().unwrap();
        assert!(ended.is_none(), "{}\n{}", section.script(), told());
        desk.host().listens(PORT)
    })
    .unwrap_or_else(|()| panic!("no server listens\n{}", told()));
    meanwhile();
    drop(group);
    shows(section, &told());
}

/// A shell and the processes that it started. Dropping it terminates them and waits for the shell.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

/// Asserts that the output contains the lines that a section shows, whatever their numbers are.
#[track_caller]
fn shows(section: &Section, told: &str) {
    for shown in section.shown() {
        assert!(
            told.lines().any(|line| shape(line) == shape(shown)),
            "no {shown:?} in {told}"
        );
    }
}

/// A line without what differs between images: numbers, sizes and digests.
fn shape(line: &str) -> String {
    if line.starts_with("sha256:") {
        return "sha256:".to_owned();
    }
    let words = line.split_inclusive([' ', ',', ';']);
    words
        .map(|word| {
            let text = word.trim_end_matches([' ', ',', ';']);
            if is_size(text) {
                word.replace(text, "1MB")
            } else {
                without_numbers(word)
            }
        })
        .collect()
}

/// Whether a word is a size for people: `95B`, `1.2MB`.
fn is_size(word: &str) -> bool {
    let number = word.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = &word[number.len()..];
    matches!(unit, "B" | "kB" | "MB" | "GB" | "TB") && number.parse::<f64>().is_ok()
}

fn without_numbers(word: &str) -> String {
    let mut shape = String::new();
    for letter in word.chars() {
        match letter {
            '0'..='9' if shape.ends_with('0') => {}
            '0'..='9' => shape.push('0'),
            other => shape.push(other),
        }
    }
    shape
}
