//! What `scripts/` and `benches/` share.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

#[test]
fn a_script_ends_where_hocker_does_not_compile() {
    let directory = tempfile::tempdir().unwrap();
    for (program, does) in [
        ("rustc", "echo x"),
        (
            "cargo",
            r#"[ "$1" = metadata ] && echo '{"target_directory":"/of/an/older/one"}'"#,
        ),
    ] {
        let path = directory.path().join(program);
        fs::write(&path, format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!(
        "{}:{}",
        directory.path().display(),
        std::env::var("PATH").unwrap()
    );
    let script =
        "set -euo pipefail; source scripts/common.sh; hocker=$(build_static_hocker); echo $hocker";
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}
