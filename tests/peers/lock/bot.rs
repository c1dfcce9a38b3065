//! The commands of `docs/lock-file.md` with which a bot keeps a repository up to date.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::fleet::{Fleet, name};
use crate::machine::nix::{Nix, static_hocker};
use crate::machine::program;
use crate::support::pages::Page;

/// The commands of the page.
fn sequence() -> String {
    let page = Page::at("docs/lock-file.md");
    page.section("Update the file with a bot").script()
}

#[test]
pub(crate) fn a_bot_checks_updates_builds_and_commits() {
    let mut fleet = Fleet::of(2);
    let nix = Nix::new();
    let repository = nix.directory().join("repository");
    fs::create_dir(&repository).unwrap();
    fleet.lock(&repository, 2);
    fs::write(
        repository.join("images.nix"),
        nix.with_functions(
            "hocker.importLock { lockFile = ./docker-images.lock.json; platform = \"linux/amd64\"; }",
        ),
    )
    .unwrap();
    let git = |arguments: &[&str]| program::text(bot(&nix, &repository, "git").args(arguments));
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "Begin"]);

    let output = run(&nix, &repository);
    assert!(output.status.success(), "{}", program::told(&output));
    assert_eq!(
        git(&["rev-list", "--count", "HEAD"]),
        "1",
        "nothing moved, and nothing is committed"
    );

    fleet.push(1, "second");
    let output = run(&nix, &repository);
    assert!(output.status.success(), "{}", program::told(&output));
    assert_eq!(git(&["rev-list", "--count", "HEAD"]), "2");
    let message = git(&["log", "-1", "--format=%B"]);
    assert!(
        message.starts_with(&format!("Update {}\n", name(1))),
        "{message}"
    );
    assert!(
        message.contains("linux/amd64: 1 of 11 layers new"),
        "{message}"
    );
    assert_eq!(git(&["status", "--porcelain", "--untracked-files=no"]), "");
    assert_eq!(
        git(&["show", "--format=", "--name-only"]),
        "docker-images.lock.json"
    );
}

fn run(nix: &Nix, repository: &Path) -> Output {
    program::output(bot(nix, repository, "bash").args(["-euo", "pipefail", "-c", &sequence()]))
}

/// A program with the environment of a bot: Nix with a store of its own, and hocker in the path.
fn bot(nix: &Nix, repository: &Path, program: &str) -> Command {
    let mut path = static_hocker().parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let mut command = nix.command(program);
    command
        .env("PATH", path)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .current_dir(repository);
    for role in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{role}_NAME"), "Bot")
            .env(format!("GIT_{role}_EMAIL"), "bot@example.org");
    }
    command
}
