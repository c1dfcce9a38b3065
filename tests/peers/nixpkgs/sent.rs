//! `scripts/to-nixpkgs`, over a small tree with the files of nixpkgs that it changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::machine::nix::{Nix, root};
use crate::machine::program;

const ALL_PACKAGES: &str = "with pkgs;\n{\n  fetchdarcs = callPackage ../build-support/fetchdarcs { };\n\n  \
    fetchdocker = callPackage ../build-support/fetchdocker { };\n\n  \
    fetchDockerConfig = callPackage ../build-support/fetchdocker/fetchDockerConfig.nix { };\n\n  \
    fetchgit = callPackage ../build-support/fetchgit { };\n}\n";
const CHAPTER: &str =
    "# Fetchers {#chap-pkgs-fetchers}\n\n## `fetchtorrent` {#fetchtorrent}\n\nText.\n";
const REDIRECTS: &str = "{\n  \"nixpkgs-manual\": [\n    \"index.html#nixpkgs-manual\"\n  ]\n}\n";
const NOTES: &str = "# Nixpkgs 27.05\n\n## Highlights {#sec-nixpkgs-release-27.05-highlights}\n\n- A thing.\n\n\
    ## Other Notable Changes {#sec-nixpkgs-release-27.05-notable-changes}\n\n<!-- A comment. -->\n\n\
    - Create the first release note entry in this section!\n";
const OLD_NOTES: &str =
    "## Other Notable Changes {#sec-nixpkgs-release-26.11-notable-changes}\n\n- Old.\n";

/// A tree with the files of nixpkgs that the script reads.
struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        let own = Self(tempfile::tempdir().unwrap());
        own.write("pkgs/by-name/README.md", "");
        own.write("pkgs/top-level/all-packages.nix", ALL_PACKAGES);
        own.write("pkgs/build-support/fetchdocker/credentials.nix", "{ }");
        own.write("doc/build-helpers/fetchers.chapter.md", CHAPTER);
        own.write("doc/redirects.json", REDIRECTS);
        own.write("doc/release-notes/rl-2611.section.md", OLD_NOTES);
        own.write("doc/release-notes/rl-2705.section.md", NOTES);
        own
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// All its files with the hashes of their texts.
    fn files(&self) -> Vec<String> {
        let found = program::text(
            Command::new("bash")
                .args(["-c", "find . -type f | sort | xargs sha256sum"])
                .current_dir(self.0.path()),
        );
        found.lines().map(str::to_owned).collect()
    }
}

/// Runs the script of a repository.
fn to_nixpkgs(repository: &Path, arguments: &[&str], tree: &Tree) -> Output {
    program::output(
        Command::new(repository.join("scripts/to-nixpkgs"))
            .args(arguments)
            .arg(tree.0.path()),
    )
}

const WITHOUT_HASHES: [&str; 3] = ["--without-hashes", "--maintainer", "ann"];

#[test]
fn a_checkout_gets_the_package_the_functions_the_manual_and_the_note() {
    let tree = Tree::new();
    let output = to_nixpkgs(&root(), &WITHOUT_HASHES, &tree);
    assert!(output.status.success(), "{}", program::told(&output));

    let package = tree.read("pkgs/by-name/ho/hocker/package.nix");
    let own = fs::read_to_string(root().join("nix/nixpkgs/package.nix")).unwrap();
    assert_eq!(package.replace("with lib.maintainers; [ ann ]", "[ ]"), own);
    assert_ne!(package, own);

    assert!(
        !tree
            .path("pkgs/build-support/fetchdocker/credentials.nix")
            .exists()
    );
    let nix = Nix::new();
    let functions = nix.evaluate(&format!(
        "builtins.attrNames (import {} {{ hocker = {}; }})",
        tree.path("pkgs/build-support/fetchdocker").display(),
        nix.directory().join("hocker").display()
    ));
    assert_eq!(
        functions,
        nix.evaluate(&nix.with_functions("builtins.attrNames hocker"))
    );
    let lines = tree.read("pkgs/top-level/all-packages.nix");
    for gone in ["fetchDockerConfig.nix", "fetchdocker = callPackage"] {
        assert!(!lines.contains(gone), "{lines}");
    }
    nixfmt_rs::format(&lines).unwrap();
    assert!(
        lines.contains("callPackage ../build-support/fetchdocker/nixpkgs/functions.nix"),
        "{lines}"
    );

    let chapter = tree.read("doc/build-helpers/fetchers.chapter.md");
    assert!(chapter.starts_with(CHAPTER));
    assert!(chapter.contains("## `fetchDockerLayer` {#sec-pkgs-fetchers-fetchdockerlayer}\n"));
    let redirects: serde_json::Value =
        serde_json::from_str(&tree.read("doc/redirects.json")).unwrap();
    let anchors = redirects.as_object().unwrap();
    for (anchor, targets) in anchors {
        assert_eq!(targets[0], format!("index.html#{anchor}"));
    }
    let headings = chapter.matches("{#sec-").count() + chapter.matches(":::{.example ").count();
    assert_eq!(anchors.len(), headings + 1, "{anchors:#?}");

    let notes = tree.read("doc/release-notes/rl-2705.section.md");
    let note = fs::read_to_string(root().join("nix/nixpkgs/release-note.md")).unwrap();
    assert_eq!(
        notes,
        NOTES.replace(
            "- Create the first release note entry in this section!\n",
            &note
        )
    );
    assert_eq!(tree.read("doc/release-notes/rl-2611.section.md"), OLD_NOTES);
}

#[test]
fn the_files_are_the_same_when_they_are_written_twice() {
    let tree = Tree::new();
    to_nixpkgs(&root(), &WITHOUT_HASHES, &tree);
    let first = tree.files();
    let output = to_nixpkgs(&root(), &WITHOUT_HASHES, &tree);
    assert!(output.status.success(), "{}", program::told(&output));
    assert_eq!(tree.files(), first);
}

#[test]
fn without_a_maintainer_or_a_release_nothing_is_written() {
    let tree = Tree::new();
    let before = tree.files();
    for arguments in [
        &["--without-hashes"][..],
        &["--without-hashes", "--maintainer", "a b"],
        &["--maintainer", "ann", "--tag", "v0.0.0"],
        &["--unknown"],
    ] {
        let output = to_nixpkgs(&root(), arguments, &tree);
        assert!(!output.status.success(), "{arguments:?}");
        assert_eq!(tree.files(), before, "{arguments:?}");
    }
}

#[test]
fn the_hashes_are_those_of_the_tag_and_of_its_crates() {
    let directory = tempfile::tempdir().unwrap();
    let repository = directory.path().join("repository");
    let cargo = directory.path().join("cargo");
    let crates = cargo.join("registry/cache/index");
    fs::create_dir_all(&crates).unwrap();
    fs::write(crates.join("other-1.0.0.crate"), "a crate").unwrap();
    fs::create_dir_all(repository.join("scripts")).unwrap();
    for path in ["scripts/to-nixpkgs", "scripts/common.sh", "Cargo.toml"] {
        fs::copy(root().join(path), repository.join(path)).unwrap();
    }
    program::run(
        Command::new("cp")
            .arg("-r")
            .arg(root().join("nix"))
            .arg(&repository),
    );
    let checksum = crate::support::image::hex(b"a crate");
    let lock = format!(
        "[[package]]\nname = \"hocker\"\nversion = \"2.0.0\"\n\n[[package]]\nname = \"other\"\nversion = \"1.0.0\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{checksum}\"\n"
    );
    fs::write(repository.join("Cargo.lock"), &lock).unwrap();
    program::run(Command::new("bash").current_dir(&repository).args([
        "-euc",
        "git init --quiet; git add .; git -c user.name=a -c user.email=a@b commit --quiet --message 1; git tag v2.0.0",
    ]));

    // What fetchFromGitHub and fetchCargoVendor make.
    let nix = Nix::new();
    let vendor = directory.path().join("vendor");
    fs::create_dir_all(vendor.join("tarballs")).unwrap();
    fs::write(vendor.join("Cargo.lock"), &lock).unwrap();
    fs::write(vendor.join("tarballs/other-1.0.0.tar.gz"), "a crate").unwrap();
    let hash = |path: &Path| {
        let text = program::text(
            nix.command("nix")
                .args([
                    "--extra-experimental-features",
                    "nix-command",
                    "hash",
                    "path",
                    "--sri",
                ])
                .arg(path),
        );
        text.trim().to_owned()
    };
    let source = directory.path().join("source");
    program::run(
        Command::new("git")
            .args(["clone", "--quiet", "--branch", "v2.0.0"])
            .args([&repository, &source]),
    );
    fs::remove_dir_all(source.join(".git")).unwrap();

    let tree = Tree::new();
    let output = program::output(
        Command::new(repository.join("scripts/to-nixpkgs"))
            .args(["--maintainer", "ann"])
            .arg(tree.0.path())
            .env("CARGO_HOME", &cargo),
    );
    assert!(output.status.success(), "{}", program::told(&output));
    let package = tree.read("pkgs/by-name/ho/hocker/package.nix");
    for line in [
        format!("    hash = \"{}\";\n", hash(&source)),
        format!("  cargoHash = \"{}\";\n", hash(&vendor)),
    ] {
        assert!(package.contains(&line), "{line}{package}");
    }
}
