//! Several at work on one state, another user of the machine among them.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;

use rustix::fs::{FlockOperation, flock};

use super::{docker, inspect, inspected, layout, load, small};
use crate::support::hocker::hocker;

#[test]
fn a_lock_that_another_process_holds_is_waited_for_and_announced() {
    let image = small();
    let layout = layout(&image);
    let state = tempfile::tempdir().unwrap();
    let other = File::create(state.path().join("use.lock")).unwrap();
    flock(&other, FlockOperation::LockExclusive).unwrap();
    let daemon = docker();
    let there = inspected(&image, &["team/app:1"]);
    daemon.on(inspect(&image.config_digest()), there);
    let mut running = load(&daemon, &layout)
        .arguments(["--state", state.path().to_str().unwrap()])
        .start();
    running.wait_until_it_says(&format!(
        "waiting for process {}, which locks {}/use.lock",
        std::process::id(),
        state.path().display()
    ));
    drop(other);
    running.finish().done();
}

#[test]
fn the_files_for_locks_are_their_owners_alone() {
    let image = small();
    let layout = layout(&image);
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let daemon = docker();
    let there = inspected(&image, &["team/app:1"]);
    daemon.on(inspect(&image.config_digest()), there);
    load(&daemon, &layout)
        .arguments(["--state", state.to_str().unwrap()])
        .run()
        .done();
    for name in ["use.lock", "change.lock"] {
        let mode = fs::metadata(state.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    // A link in their place leads nowhere.
    let lock = state.join("use.lock");
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink("elsewhere", &lock).unwrap();
    hocker(["prune", "--state", state.to_str().unwrap()])
        .run()
        .failed(1)
        .says("use.lock in the state directory");
    assert!(!state.join("elsewhere").exists());
}
