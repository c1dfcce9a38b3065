//! Locks between processes, by `flock` on a file or directory. The kernel releases them when the process ends.
//!
//! Every user that can open a file can lock it. Therefore only its owner can open a file that exists only for locks.
//! Every wait for a lock has a limit, and the user sees a message.
//!
//! Source: flock(2), which requires no permission except to open the file.

use std::fmt;
use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

/// The pause between two attempts. `flock` itself would wait without a limit.
const PAUSE: Duration = Duration::from_millis(50);
/// The mode of a file that exists only for locks.
const OWNER_ALONE: u32 = 0o600;

/// A lock. Dropping it releases the lock.
#[derive(Debug)]
pub struct FileLock(#[expect(dead_code, reason = "closing it is what matters")] File);

/// Which other locks a lock excludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Other shared locks are possible at the same time.
    Shared,
    /// No other lock is possible at the same time.
    Exclusive,
}

/// How long to wait for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The time after which the user sees a message.
    pub notice: Duration,
    /// The time after which waiting fails.
    pub limit: Duration,
}

impl Wait {
    /// Waits at most `limit`, and shows the message after 3 seconds.
    #[must_use]
    pub const fn at_most(limit: Duration) -> Self {
        Self {
            notice: Duration::from_secs(3),
            limit,
        }
    }
}

/// A lock that another process holds. `Display` is the message for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The locked file or directory.
    pub path: PathBuf,
    /// The ID of the process that holds the lock, if the system shows it.
    pub process: Option<u32>,
    /// The limit of the whole wait.
    pub limit: Duration,
}

impl Held {
    fn holder(&self) -> String {
        match self.process {
            Some(process) => format!("process {process}"),
            None => "another process".to_owned(),
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "waiting for {}, which locks {}, for at most {} s",
            self.holder(),
            self.path.display(),
            self.limit.as_secs(),
        )
    }
}

/// Locks an open file or directory. `path` is its name in messages. Calls `waiting` once if the wait exceeds
/// [`Wait::notice`].
///
/// # Errors
///
/// [`Error::Held`] after [`Wait::limit`], [`Error::Lock`] if the system cannot lock the file.
pub fn lock(
    file: File,
    path: &Path,
    mode: Mode,
    wait: Wait,
    waiting: impl FnOnce(&Held),
) -> Result<FileLock, Error> {
    let operation = match mode {
        Mode::Shared => FlockOperation::NonBlockingLockShared,
        Mode::Exclusive => FlockOperation::NonBlockingLockExclusive,
    };
    let held = || Held {
        path: path.to_owned(),
        process: holder(&file),
        limit: wait.limit,
    };
    let begun = Instant::now();
    let mut waiting = Some(waiting);
    loop {
        match flock(&file, operation) {
            Ok(()) => return Ok(FileLock(file)),
            Err(Errno::INTR) => continue,
            Err(Errno::WOULDBLOCK) => {}
            Err(errno) => {
                return Err(Error::Lock {
                    path: path.to_owned(),
                    source: errno.into(),
                });
            }
        }
        let waited = begun.elapsed();
        if waited >= wait.notice
            && let Some(waiting) = waiting.take()
        {
            waiting(&held());
        } else if waited >= wait.limit {
            return Err(Error::Held(held()));
        } else {
            thread::sleep(PAUSE);
        }
    }
}

/// Opens a file that exists only for locks, and creates it if it is absent. Only its owner can open it afterwards.
pub fn open_private(path: &Path) -> io::Result<File> {
    // A symbolic link could name a file of another user, and opening a FIFO waits for a reader.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        // NFS gives shared locks to readers and exclusive ones to writers (flock(2)).
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(OWNER_ALONE)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        let reason = "not a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    if metadata.mode() & 0o777 & !OWNER_ALONE != 0 {
        // An earlier version created the file with permissions for all. Only the owner can change them.
        let _ = file.set_permissions(Permissions::from_mode(OWNER_ALONE));
    }
    Ok(file)
}

/// Returns the process that locks a file, from the kernel's table. Some file systems have other device or inode
/// numbers there.
#[cfg(target_os = "linux")]
fn holder(file: &File) -> Option<u32> {
    use rustix::fs::{major, minor};
    let metadata = file.metadata().ok()?;
    let device = metadata.dev();
    let id = format!(
        "{:02x}:{:02x}:{}",
        major(device),
        minor(device),
        metadata.ino()
    );
    // `1: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF`; `->` before FLOCK marks a process that waits.
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        match fields.as_slice() {
            [_, "FLOCK", _, _, process, inode, ..] if *inode == id => process.parse().ok(),
            _ => None,
        }
    })
}

/// Other kernels have no such table.
#[cfg(not(target_os = "linux"))]
fn holder(_: &File) -> Option<u32> {
    None
}

/// A failure to take a lock.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refuses, or the file system does not support locks.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// Another process holds the lock for longer than the limit.
    #[error("cannot lock {}: after {} s, {} still holds the lock", .0.path.display(), .0.limit.as_secs(), .0.holder())]
    Held(Held),
}

impl Error {
    /// Returns whether another process holds the lock.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    /// Shows the message at once, and then does not wait.
    const NONE: Wait = Wait {
        notice: Duration::ZERO,
        limit: Duration::ZERO,
    };

    fn take(path: &Path, mode: Mode, waiting: impl FnOnce(&Held)) -> Result<FileLock, Error> {
        lock(open_private(path).unwrap(), path, mode, NONE, waiting)
    }

    #[test]
    fn a_lock_is_shared_with_those_who_share_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        for (first, second, is_free) in [
            (Mode::Shared, Mode::Shared, true),
            (Mode::Shared, Mode::Exclusive, false),
            (Mode::Exclusive, Mode::Shared, false),
            (Mode::Exclusive, Mode::Exclusive, false),
        ] {
            let _first = take(&path, first, |_| ()).unwrap();
            assert_eq!(
                take(&path, second, |_| ()).is_ok(),
                is_free,
                "{first:?} {second:?}"
            );
        }
    }

    #[test]
    fn waiting_is_announced_and_ends_in_an_error_that_names_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let _other = take(&path, Mode::Exclusive, |_| ()).unwrap();
        let announced = Cell::new(0);
        let error = take(&path, Mode::Shared, |held| {
            announced.set(announced.get() + 1);
            let text = held.to_string();
            assert!(
                text.starts_with("waiting for ") && text.contains("lock"),
                "{text}"
            );
        })
        .unwrap_err();
        assert!(error.is_held());
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("cannot lock {}: ", path.display())),
            "{text}"
        );
        assert_eq!(announced.get(), 1);
    }

    #[test]
    fn a_lock_that_becomes_free_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let other = RefCell::new(Some(take(&path, Mode::Exclusive, |_| ()).unwrap()));
        take(&path, Mode::Exclusive, |_| drop(other.take())).unwrap();
    }

    #[test]
    fn a_file_for_locks_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let mode = |file: File| file.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode(open_private(&path).unwrap()), OWNER_ALONE);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(mode(open_private(&path).unwrap()), OWNER_ALONE);
    }

    #[test]
    fn what_is_no_file_is_not_opened_for_locks() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::os::unix::fs::symlink("elsewhere", at("link")).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), fifo, OWNER_ALONE.into(), 0).unwrap();
        for name in ["link", "fifo", "."] {
            assert!(open_private(&at(name)).is_err(), "{name}");
        }
        assert!(!at("elsewhere").exists());
    }
}
