//! What the READMEs tell people to type, word for word, on hosts like those that they tell of.

mod coming; // from other programs
mod private; // private registries, at a company's site
mod sessions; // all else

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::machine::desk::Desk;
use crate::machine::program;
use crate::machine::server::wait_until;
use crate::support::readme::{Manual, Section};

/// Where `hocker serve` listens.
const PORT: u16 = 5000;

/// The sections that have commands, and the tests that do what they say, but for the blocks in [`NOT_RUN`].
const FOLLOWED: &[(&str, fn())] = &[
    ("A short session", sessions::a_short_session),
    ("Install", sessions::install),
    ("Into a daemon", sessions::into_a_daemon),
    ("From a binary cache", sessions::from_a_binary_cache),
    ("The lock file", sessions::the_lock_file),
    (
        "Builds from private registries",
        private::builds_from_private_registries,
    ),
    (
        "Builds with a password from the environment",
        private::builds_from_private_registries,
    ),
    (
        "Builds with credentials from a file",
        private::builds_from_private_registries,
    ),
    (
        "Builds with the classic credentials file",
        private::builds_from_private_registries,
    ),
    ("Builds by a Nix daemon", private::builds_by_a_nix_daemon),
    (
        "A certificate authority of your own",
        private::a_certificate_authority_of_your_own,
    ),
    ("Through a proxy", private::through_a_proxy),
    ("Serving images", sessions::serving_images),
    ("From the Haskell program", coming::from_the_haskell_program),
    ("From `dockerTools.pullImage`", coming::from_pull_image),
    ("Development", sessions::development),
];

/// The blocks that no test runs, by their first words, and why.
const NOT_RUN: &[(&str, &str)] = &[
    (
        "cargo install",
        "it compiles for minutes what cargo has compiled for the tests",
    ),
    (
        "scripts/build",
        "the same: scripts/test has compiled it in this way",
    ),
    ("scripts/test", "it is what runs the tests"),
];

/// Whether a test runs the block that begins with this command.
fn is_run(command: &str) -> bool {
    !NOT_RUN.iter().any(|(words, _)| command.starts_with(words))
}

#[test]
fn every_command_is_run_by_a_test() {
    let mut listed: Vec<&str> = FOLLOWED.iter().map(|(title, _)| *title).collect();
    let mut found: Vec<String> = [Manual::Project, Manual::Nix]
        .into_iter()
        .flat_map(Manual::sections_with_commands)
        .collect();
    listed.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, listed);
    for (words, _) in NOT_RUN {
        let blocks = Manual::Project.blocks_beginning_with(words);
        assert_eq!(blocks, 1, "blocks that begin with {words:?}");
    }
}

/// The section of the project's README with this title.
#[track_caller]
fn section(title: &str) -> Section {
    Manual::Project.section(title).of_blocks(is_run)
}

/// Does what a section says. Whoever does has the variables of everything that the section is not about.
#[track_caller]
fn follow(desk: &Desk, section: &Section, variables: &[(&str, &str)]) -> Output {
    let output = desk.shell(&section.script(), variables);
    let told = program::told(&output);
    assert!(output.status.success(), "{}\n{told}", section.script());
    shows(section, &told);
    output
}

/// The same where the last command serves until it is told to end, and something is to be done `meanwhile`.
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
    .unwrap_or_else(|()| panic!("nobody listens\n{}", told()));
    meanwhile();
    drop(group);
    shows(section, &told());
}

/// A shell and what it started. They are asked to end, and the shell is waited for, when this is dropped.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

/// Demands that what a section shows is in what was told, but for the numbers in it.
#[track_caller]
fn shows(section: &Section, told: &str) {
    for shown in section.shown() {
        assert!(
            told.lines().any(|line| shape(line) == shape(shown)),
            "no {shown:?} in {told}"
        );
    }
}

/// A line without what differs from one image to another: numbers, and digests.
fn shape(line: &str) -> String {
    if line.starts_with("sha256:") {
        return "sha256:".to_owned();
    }
    let mut shape = String::new();
    for letter in line.chars() {
        match letter {
            '0'..='9' if shape.ends_with('0') => {}
            '0'..='9' => shape.push('0'),
            other => shape.push(other),
        }
    }
    shape
}
