//! An update that is killed: at each of the system calls that make and name the file, and anywhere between. The file
//! is the old or the new one.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use super::fleet::{Fleet, lock, text};
use crate::machine::program;
use crate::support::hocker::executable;

/// At which system calls the program is killed, from the first one of a thread on: those that read, those that write
/// and name the file, and the very last.
const CALLS: [(&str, usize); 8] = [
    ("openat", 16),
    ("recvfrom", 6),
    ("flock", 1),
    ("write", 6),
    ("fsync", 1),
    ("linkat", 1),
    ("rename,renameat,renameat2", 1),
    ("exit_group", 1),
];

#[test]
fn the_file_is_the_old_or_the_new_one_wherever_an_update_is_killed() {
    let mut fleet = Fleet::of(4);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("docker-images.lock.json");
    fleet.lock(directory.path(), 4);
    let old = text(directory.path());
    fleet.push(1, "second");
    fleet.push(2, "second");
    lock(directory.path(), &["update"]).run().done();
    let new = text(directory.path());
    assert_ne!(old, new);
    let (mut kills, mut olds) = (0, 0);
    for (call, most) in CALLS {
        for when in 1..=most {
            fs::write(&path, &old).unwrap();
            let output = program::output(
                Command::new("strace")
                    .args(["-f", "-qq", "-o", "/dev/null", "-e"])
                    .arg(format!("inject={call}:signal=SIGKILL:when={when}"))
                    .arg(executable())
                    .args(["lock", "update"])
                    .env_clear()
                    .env("HOME", directory.path())
                    .current_dir(directory.path()),
            );
            let now = text(directory.path());
            let was_killed = output.status.signal() == Some(9) || output.status.code() == Some(137);
            assert!(
                was_killed || output.status.success(),
                "{call} {when}: {}",
                program::told(&output)
            );
            assert!(
                now == old || now == new,
                "{call} {when}: neither the old nor the new file\n{now}"
            );
            kills += usize::from(was_killed);
            olds += usize::from(was_killed && now == old);
            assert!(was_killed || now == new, "{call} {when}");
        }
    }
    eprintln!("killed {kills} times, {olds} of them left the old file");
    assert!(kills >= 20, "{kills}");
    assert!(0 < olds && olds < kills, "{olds} of {kills}");
}
