//! The commands of `docs/automation.md`, against a registry and a git repository with a remote: branch, message and text
//! of the pull request. And `hocker lock diff` with names of commits that git takes, or must not see.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::fleet::{Fleet, name};
use crate::machine::program;
use crate::support::hocker::executable;
use crate::support::pages::Page;

/// A repository with a lock file, and a bare one as its origin.
struct Project {
    directory: TempDir,
}

impl Project {
    fn with(fleet: &Fleet, images: usize) -> Self {
        let project = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        fs::create_dir_all(project.path().join("hosts")).unwrap();
        fleet.lock(&project.hosts(), images);
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        project.git(&["init", "--quiet", "--bare", "origin.git"]);
        project.git(&["remote", "add", "origin", "./origin.git"]);
        project.git(&["add", "hosts"]);
        project.git(&["commit", "--quiet", "--message", "Begin"]);
        project
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn hosts(&self) -> PathBuf {
        self.path().join("hosts")
    }

    /// A program with the environment of a bot.
    fn command(&self, program: &str) -> Command {
        let mut path = self.path().join("bin").into_os_string();
        for directory in [
            executable().parent().unwrap().as_os_str(),
            &env::var_os("PATH").unwrap(),
        ] {
            path.push(":");
            path.push(directory);
        }
        let mut command = Command::new(program);
        command
            .env("PATH", path)
            .env("HOME", self.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(self.path());
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Bot")
                .env(format!("GIT_{role}_EMAIL"), "bot@example.org");
        }
        command
    }

    fn git(&self, arguments: &[&str]) -> String {
        program::text(self.command("git").args(arguments))
    }

    fn bash(&self, directory: &Path, script: &str) {
        let mut command = self.command("bash");
        program::run(
            command
                .current_dir(directory)
                .args(["-euo", "pipefail", "-c", script]),
        );
    }

    /// `hocker lock diff ARGUMENT…`
    fn diff(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = self.command(executable().to_str().unwrap());
        program::output(
            command
                .current_dir(self.hosts())
                .args(["lock", "diff"])
                .args(arguments),
        )
    }
}

#[test]
pub(crate) fn a_bot_proposes_what_moved_and_nothing_else() {
    let mut fleet = Fleet::of(2);
    let project = Project::with(&fleet, 2);
    // The commands of the page are for a lock file at the root.
    project.git(&["mv", "hosts/docker-images.lock.json", "."]);
    project.git(&["commit", "--quiet", "--message", "Move"]);
    let commands = Page::at("docs/automation.md")
        .section("Workflow files")
        .script();
    project.bash(project.path(), &commands);
    assert_eq!(
        project.git(&["rev-list", "--count", "main..update-images"]),
        "0"
    );
    assert_eq!(fs::read(project.path().join(".git/message")).unwrap(), b"");

    project.git(&["switch", "--quiet", "main"]);
    fleet.push(1, "second");
    // An update writes the signatures of images with a signer there.
    let signatures = project.path().join("docker-images.lock.d");
    fs::create_dir(&signatures).unwrap();
    fs::write(signatures.join("signature"), "").unwrap();
    project.bash(project.path(), &commands);
    assert_eq!(
        project.git(&["rev-list", "--count", "main..update-images"]),
        "1"
    );
    assert_eq!(
        project.git(&["show", "--format=", "--name-only", "update-images"]),
        "docker-images.lock.d/signature\ndocker-images.lock.json"
    );
    let message = project.git(&["log", "-1", "--format=%B", "update-images"]);
    assert!(
        message.starts_with(&format!("Update {}\n\n- **{}**: ", name(1), name(1))),
        "{message}"
    );
    let body = fs::read_to_string(project.path().join(".git/body.md")).unwrap();
    for part in [
        &format!("### `{}`: ", name(1)),
        "**`linux/amd64`**: 1 of 11 layers new, ",
        "  - command: `[\"first\"]` → `[\"second\"]`",
        "To fetch: ",
    ] {
        assert!(body.contains(part), "{part}\n{body}");
    }
    assert!(!body.contains(&name(0)), "{body}");
    assert!(!project.path().join(".git/failed").exists());

    // The step of GitHub's file, with a `gh` that writes down its arguments.
    let step = github_step();
    let bin = project.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let gh = "#!/bin/sh\ncase \"$2\" in list) ;; *) printf '%s\\n' \"$@\" > \"$HOME/gh\" ;; esac\n";
    fs::write(bin.join("gh"), gh).unwrap();
    fs::set_permissions(bin.join("gh"), fs::Permissions::from_mode(0o755)).unwrap();
    project.bash(project.path(), &step);
    assert_eq!(
        project.git(&["--git-dir", "origin.git", "rev-parse", "update-images"]),
        project.git(&["rev-parse", "update-images"])
    );
    let told = fs::read_to_string(project.path().join("gh")).unwrap();
    let title = format!("Update {}", name(1));
    let expected = [
        "pr",
        "create",
        "--head",
        "update-images",
        "--title",
        &title,
        "--body-file",
        ".git/body.md",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
}

/// The step of GitHub's workflow that opens a pull request: what stands behind its last `run: |`.
fn github_step() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bots/github.yml");
    let text = fs::read_to_string(path).unwrap();
    let (_, step) = text.rsplit_once("run: |\n").unwrap();
    let lines = step.lines().take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_lock_file_is_compared_with_any_commit_offline() {
    let mut fleet = Fleet::of(3);
    let project = Project::with(&fleet, 2);
    let before = fleet.registry.accesses().len();
    let none = project.diff(&[]);
    assert!(none.status.success(), "{}", program::told(&none));
    assert_eq!(none.stdout, b"no image changed\n");
    fleet.push(0, "second");
    let hosts = project.hosts();
    super::fleet::lock(&hosts, &["update"]).run().done();
    super::fleet::lock(&hosts, &["remove", &name(1)])
        .run()
        .done();
    super::fleet::lock(&hosts, &["add"])
        .arguments([&fleet.references(3)[2]])
        .run()
        .done();
    project.git(&["tag", "begin"]);
    let requests = fleet.registry.accesses().len();
    assert!(requests > before);
    for revision in ["HEAD", "begin", "main", "HEAD^{commit}", "@"] {
        let output = project.diff(&[revision, "--json"]);
        assert!(output.status.success(), "{}", program::told(&output));
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        let changes = value["changed"].as_array().unwrap().iter();
        let changes: Vec<_> = changes
            .map(|change| {
                (
                    change["name"].as_str().unwrap(),
                    change["change"].as_str().unwrap(),
                )
            })
            .collect();
        let names = [name(0), name(1), name(2)];
        assert_eq!(
            changes,
            [
                (&*names[0], "changed"),
                (&names[1], "removed"),
                (&names[2], "added")
            ]
        );
    }
    assert_eq!(
        fleet.registry.accesses().len(),
        requests,
        "nothing is asked"
    );
    let text = project.diff(&["--fetch"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("command: [\"first\"] → [\"second\"]"),
        "{text}"
    );

    // A commit without the file: everything is new.
    project.git(&["checkout", "--quiet", "--orphan", "empty"]);
    project.git(&["rm", "--quiet", "--cached", "--force", "-r", "."]);
    project.git(&["commit", "--quiet", "--allow-empty", "--message", "Empty"]);
    let output = project.diff(&["--json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["changed"].as_array().unwrap().len(), 2);
}

#[test]
fn the_name_of_a_commit_is_never_an_option_or_a_path() {
    let fleet = Fleet::of(1);
    let project = Project::with(&fleet, 1);
    for (revision, code, says) in [
        ("--output=x", 2, "--output"),
        (
            "HEAD:hosts",
            2,
            "cannot use `HEAD:hosts` as the name of a commit",
        ),
        (":/Begin", 2, "as the name of a commit"),
        ("", 2, "as the name of a commit"),
        ("none", 3, "cannot find the lock file in the commit none"),
        ("HEAD..HEAD", 3, "cannot find the lock file"),
        ("a\u{1b}[2J", 2, "\\u{1b}"),
    ] {
        let output = project.diff(&[revision]);
        let told = program::told(&output);
        assert_eq!(output.status.code(), Some(code), "{revision}\n{told}");
        assert!(told.contains(says), "{revision}\n{told}");
    }
    let output = project.diff(&["--", "--output=x"]);
    assert_eq!(output.status.code(), Some(2), "{}", program::told(&output));
    assert!(!project.hosts().join("x").exists());

    // A link in the commit is not followed, and a directory that is no repository is an error.
    let lock = project.hosts().join("docker-images.lock.json");
    fs::rename(&lock, project.path().join("real.json")).unwrap();
    std::os::unix::fs::symlink("../real.json", &lock).unwrap();
    project.git(&["add", "hosts"]);
    project.git(&["commit", "--quiet", "--message", "Link"]);
    let output = project.diff(&[]);
    assert!(output.status.success(), "{}", program::told(&output));
    fs::remove_dir_all(project.path().join(".git")).unwrap();
    let output = project.diff(&[]);
    let told = program::told(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("not a git repository"), "{told}");
}
