//! hocker prune with a scripted daemon.

use crate::support::hocker::hocker;

#[test]
fn pruning_without_records_asks_nobody() {
    let state = tempfile::tempdir().unwrap();
    let missing = state.path().join("missing");
    hocker(["prune", "--host", "unix:///nowhere", "--state"])
        .arguments([&missing])
        .run()
        .done();
    assert!(!missing.exists());
}

#[test]
fn what_is_to_be_kept_must_be_known_before_anything_is_removed() {
    let state = tempfile::tempdir().unwrap();
    hocker([
        "prune",
        "--host",
        "unix:///nowhere",
        "--keep",
        "/nowhere",
        "--state",
    ])
    .arguments([state.path()])
    .run()
    .failed(3)
    .says("so hocker removes no image");
}
