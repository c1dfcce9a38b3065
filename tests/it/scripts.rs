//! What `scripts/` and `benches/` share.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// Runs a script that has `scripts/common.sh`, with these programs in place of the real ones.
///
/// Without that file every script ends with an error, and a test that expects one would pass without testing anything.
#[track_caller]
fn run(directory: &Path, programs: &[(&str, &str)], script: &str) -> Output {
    let common = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/common.sh");
    assert!(common.is_file(), "{} does not exist", common.display());
    for (program, does) in programs {
        let path = directory.join(program);
        fs::write(&path, format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    Command::new("bash")
        .args([
            "-c",
            &format!("set -euo pipefail; source scripts/common.sh; {script}"),
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PATH", path)
        .output()
        .unwrap()
}

#[test]
fn a_script_ends_where_hocker_does_not_compile() {
    let directory = tempfile::tempdir().unwrap();
    let programs = [
        ("rustc", "echo x"),
        (
            "cargo",
            r#"[ "$1" = metadata ] && echo '{"target_directory":"/of/an/older/one"}'"#,
        ),
    ];
    let script = "hocker=$(build_static_hocker); echo $hocker";
    let output = run(directory.path(), &programs, script);
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

#[test]
fn the_lib_of_nixpkgs_is_fetched_once_or_done_without() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    let metadata = format!(r#"echo '{{"target_directory":"{}"}}'"#, target.display());
    let script = "echo \"<$(fetch_nixpkgs_lib)>\"";
    let left = || fs::read_dir(&target).unwrap().count();

    let without_network = [
        ("cargo", metadata.as_str()),
        ("git", r#"case "$*" in *fetch*) exit 128 ;; esac"#),
    ];
    let output = run(directory.path(), &without_network, script);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "<>\n");
    assert_eq!(left(), 0, "left behind");

    let with_network = [("cargo", metadata.as_str()), ("git", "exit 0")];
    let fetched = run(directory.path(), &with_network, script);
    let path = format!("<{}/nixpkgs.lib-", target.display());
    assert!(String::from_utf8_lossy(&fetched.stdout).starts_with(&path));
    assert_eq!(left(), 1);

    let output = run(directory.path(), &without_network, script);
    assert_eq!(output.stdout, fetched.stdout, "fetched again");
}
