//! `scripts/with-nixpkgs` counts what a checkout lacks as not run.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::machine::configuration::nixpkgs_lib;
use crate::machine::nix::root;
use crate::machine::program;

/// Runs the script over a checkout, without cargo, which would run these tests.
fn with_nixpkgs(checkout: &Path, programs: &Path) -> std::process::Output {
    program::output(
        Command::new(root().join("scripts/with-nixpkgs"))
            .arg(checkout)
            .env("PATH", programs),
    )
}

/// A directory of links to programs, with a cargo that does not know nextest.
fn programs(directory: &Path) {
    fs::create_dir(directory).unwrap();
    let found = program::text(Command::new("bash").args([
        "-c",
        "for name in bash basename cat chmod cp dirname env grep mkdir mktemp nix nix-instantiate rm tail tar wc; do \
         type -P $name; done",
    ]));
    for path in found.lines().map(Path::new) {
        std::os::unix::fs::symlink(path, directory.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn what_a_checkout_lacks_is_not_run_and_does_not_count_as_passed() {
    let directory = tempfile::tempdir().unwrap();
    let own = directory.path().join("programs");
    programs(&own);
    let checkout = directory.path().join("nixpkgs");
    fs::create_dir(&checkout).unwrap();
    let output = with_nixpkgs(&checkout, &own);
    assert!(!output.status.success());
    let told = program::told(&output);
    assert!(
        told.contains("is no checkout of nixpkgs: it has no lib"),
        "{told}"
    );

    std::os::unix::fs::symlink(nixpkgs_lib(), checkout.join("lib")).unwrap();
    let output = with_nixpkgs(&checkout, &own);
    // Nothing holds, so nothing is tested.
    assert!(!output.status.success());
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let told = program::told(&output);
    assert!(text.lines().count() > 12, "{told}");
    for line in text.lines() {
        assert!(line.contains(" not run: "), "{told}");
    }
    assert!(
        told.contains("0 hold, ") && told.contains(", 0 fail"),
        "{told}"
    );
}
