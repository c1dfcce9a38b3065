//! `scripts/release`, in a repository of its own, with a cargo that records how it is called.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::machine::nix::root;
use crate::machine::program;

const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n";
const MANIFEST: &str =
    "[package]\nname = \"hocker\"\nversion = \"2.0.0\"\n\n[dependencies.other]\nversion = \"1\"\n";
const LOCK: &str = "[[package]]\nname = \"hocker\"\nversion = \"2.0.0\"\n\n\
                    [[package]]\nname = \"other\"\nversion = \"2.0.0\"\n";

const PACKAGE: &str = "nix/nixpkgs/package.nix";
const RECIPE: &str = "{ }:\n{\n  pname = \"hocker\";\n  version = \"2.0.0\";\n}\n";

/// A repository with the script and the files that it changes.
struct Repository(TempDir);

impl Repository {
    /// A repository whose `cargo package` ends with a status.
    fn new(package: u8) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let own = Self(directory);
        for path in ["scripts/release", "scripts/common.sh"] {
            fs::create_dir_all(own.path("scripts")).unwrap();
            fs::copy(root().join(path), own.path(path)).unwrap();
        }
        own.write("CHANGELOG.md", CHANGELOG);
        own.write("Cargo.toml", MANIFEST);
        own.write("Cargo.lock", LOCK);
        own.write("fuzz/Cargo.lock", LOCK);
        own.write(PACKAGE, RECIPE);
        own.write(".gitignore", "/bin\n/calls\n");
        own.write(
            "bin/cargo",
            &format!("#!/bin/sh\necho \"$*\" >>calls\n[ \"$1\" != package ] || exit {package}\n"),
        );
        fs::set_permissions(own.path("bin/cargo"), Permissions::from_mode(0o755)).unwrap();
        own.git(&["init", "--quiet"]);
        own.git(&["add", "."]);
        own.git(&["commit", "--quiet", "--message", "Begin"]);
        own
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut path = self.path("bin").into_os_string();
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(program.as_ref());
        command
            .env("PATH", path)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", self.0.path())
            .current_dir(self.0.path());
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Ann")
                .env(format!("GIT_{role}_EMAIL"), "ann@example.org");
        }
        command
    }

    #[track_caller]
    fn git(&self, arguments: &[&str]) -> String {
        program::text(self.command("git").args(arguments))
    }

    fn release(&self, version: &str) -> Output {
        program::output(self.command(self.path("scripts/release")).arg(version))
    }

    /// Asserts that a release was refused and changed nothing.
    #[track_caller]
    fn is_refused(&self, version: &str, reason: &str) {
        let output = self.release(version);
        let told = program::told(&output);
        assert!(!output.status.success(), "{told}");
        assert!(told.contains(reason), "{told}");
        assert_eq!(self.git(&["tag", "--list", "v2.1.0"]), "");
        assert_eq!(self.read("Cargo.toml"), MANIFEST);
    }
}

#[test]
fn a_release_moves_the_changes_sets_the_version_and_pushes_nothing() {
    let repository = Repository::new(0);
    let output = repository.release("2.1.0");
    let told = program::told(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("git push origin HEAD v2.1.0"), "{told}");

    let changelog = repository.read("CHANGELOG.md");
    let (before, after) = changelog.split_once("\n## [2.1.0] - ").unwrap();
    assert_eq!(before, "# Changelog\n\n## [Unreleased]\n");
    assert!(after.ends_with("\n\n### Added\n\n- A thing.\n"), "{after}");
    assert_eq!(
        repository.read("Cargo.toml"),
        MANIFEST.replace("version = \"2.0.0\"", "version = \"2.1.0\"")
    );
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let own = repository.read(lock);
        assert_eq!(own, LOCK.replacen("2.0.0", "2.1.0", 1), "{lock}");
    }
    assert_eq!(repository.read(PACKAGE), RECIPE.replace("2.0.0", "2.1.0"));
    assert_eq!(repository.read("calls"), "package --locked --allow-dirty\n");
    assert_eq!(
        repository.git(&["log", "-1", "--format=%s"]),
        "Release 2.1.0"
    );
    assert_eq!(repository.git(&["tag", "--points-at", "HEAD"]), "v2.1.0");
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_package_that_does_not_build_leaves_everything_unchanged() {
    let repository = Repository::new(1);
    repository.is_refused("2.1.0", "Building the package");
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
    assert_eq!(repository.git(&["rev-list", "--count", "HEAD"]), "1");
}

#[test]
fn what_is_no_release_is_refused() {
    let repository = Repository::new(0);
    repository.is_refused("v2.1", "is not a version");
    repository.write("new", "");
    repository.is_refused("2.1.0", "not committed");
    fs::remove_file(repository.path("new")).unwrap();
    repository.write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n");
    repository.git(&["commit", "--quiet", "--all", "--message", "Clear"]);
    repository.is_refused("2.1.0", "lists no change");
    repository.git(&["tag", "v2.0.1"]);
    repository.is_refused("2.0.1", "the tag v2.0.1 exists");
}
