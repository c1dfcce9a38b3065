//! The temporary directory of an unpacked archive. A lock on the directory shows that its process runs: the next process
//! that unpacks an archive removes what a killed one left.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::process::geteuid;
use tempfile::TempDir;

use crate::file_lock::{self, FileLock, Mode, Wait};

/// The start of the name of every directory.
const PREFIX: &str = "hocker-unpacked-";
/// The directories of this process.
static ALL: Mutex<Directories> = Mutex::new(Directories {
    paths: Vec::new(),
    is_over: false,
});
/// How often an operation is tried with which another thread or process interferes.
const ATTEMPTS: usize = 10;

/// The directory of an unpacked archive. It is removed when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Unpacked {
    directory: Arc<Listed>,
    archive: PathBuf,
}

/// The directories that exist now.
struct Directories {
    paths: Vec<PathBuf>,
    /// Whether the process ends, so that no further directory is created.
    is_over: bool,
}

#[derive(Debug)]
struct Listed {
    directory: TempDir,
    /// `None` if the file system has no locks.
    _lock: Option<FileLock>,
}

impl Unpacked {
    /// Creates the directory for an archive with this name, and removes the directories that killed processes left.
    pub(super) fn create(archive: &Path) -> io::Result<Self> {
        let parent = std::env::temp_dir();
        remove_left(&parent);
        let directory = with_all(|all| all.create(&parent))?;
        Ok(Self {
            directory: Arc::new(directory),
            archive: archive.to_owned(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.directory.path()
    }

    /// Returns the path of a file for messages: below the archive instead of the temporary directory.
    #[must_use]
    pub fn shown(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(self.path()) {
            Ok(member) => self.archive.join(member),
            Err(_) => path.to_owned(),
        }
    }
}

impl Directories {
    /// Creates a directory and lists it. Nothing can come between the two that would miss the directory.
    fn create(&mut self, parent: &Path) -> io::Result<Listed> {
        if self.is_over {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let directory = Listed::create(parent)?;
        self.paths.push(directory.directory.path().to_owned());
        Ok(directory)
    }

    /// Removes all directories.
    fn remove(&mut self) {
        self.is_over = true;
        for path in self.paths.drain(..) {
            // The thread may create a file meanwhile. Without its directory, it fails.
            for _ in 0..ATTEMPTS {
                if fs::remove_dir_all(&path).is_ok() || !path.exists() {
                    break;
                }
            }
        }
    }
}

impl Listed {
    fn create(parent: &Path) -> io::Result<Self> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
            let lock = lock(directory.path());
            // Another process may have removed the directory before it was locked.
            if directory.path().exists() {
                return Ok(Self {
                    directory,
                    _lock: lock,
                });
            }
            last = Some(directory);
        }
        let removed = last.map(|directory| directory.path().to_owned());
        Err(io::Error::other(format!("{removed:?} disappears")))
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        with_all(|all| all.paths.retain(|path| path != self.directory.path()));
    }
}

/// Locks a directory of this user. Returns `None` if another process has locked it, or if that is impossible.
fn lock(path: &Path) -> Option<FileLock> {
    let directory = open(path).ok()?;
    let wait = Wait::at_most(Duration::ZERO);
    file_lock::lock(directory, path, Mode::Exclusive, wait, |_| ()).ok()
}

fn open(path: &Path) -> io::Result<File> {
    // Another user may have created a link or a FIFO.
    let flags = OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::NONBLOCK;
    let directory = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if directory.metadata()?.uid() == geteuid().as_raw() {
        Ok(directory)
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

/// Removes the directories of processes that were killed. Failures are ignored: the next process tries again.
fn remove_left(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| {
        entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(PREFIX.as_bytes())
    }) {
        let path = entry.path();
        if let Some(_lock) = lock(&path) {
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// Removes the directories of all archives, at the end of a process: a thread that still unpacks an archive does not end
/// with the work that a signal interrupts. Afterwards no archive can be unpacked.
pub fn remove_unpacked() {
    with_all(Directories::remove);
}

fn with_all<T>(change: impl FnOnce(&mut Directories) -> T) -> T {
    change(&mut ALL.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_goes_with_its_last_user() {
        let unpacked = Unpacked::create(Path::new("a.tar")).unwrap();
        let path = unpacked.path().to_owned();
        assert_eq!(
            unpacked.shown(&path.join("blobs/x")),
            Path::new("a.tar/blobs/x")
        );
        let other = unpacked.clone();
        drop(unpacked);
        assert!(path.exists());
        drop(other);
        assert!(!path.exists());
    }

    #[test]
    fn no_directory_is_created_after_all_were_removed() {
        let parent = tempfile::tempdir().unwrap();
        let mut directories = Directories {
            paths: Vec::new(),
            is_over: false,
        };
        let directory = directories.create(parent.path()).unwrap();
        let path = directory.directory.path();
        fs::write(path.join("layer"), "x").unwrap();
        directories.remove();
        assert!(!path.exists());
        let error = directories.create(parent.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_directories_of_processes_that_ended_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let running = Listed::create(parent.path()).unwrap();
        fs::write(running.directory.path().join("layer"), "x").unwrap();
        let left = parent.path().join("hocker-unpacked-Abc123");
        fs::create_dir_all(left.join("blobs/sha256")).unwrap();
        fs::write(left.join("blobs/sha256/x"), "x").unwrap();
        let others = ["hocker-source", "other"].map(|name| parent.path().join(name));
        for other in &others {
            fs::create_dir(other).unwrap();
        }
        let link = parent.path().join("hocker-unpacked-link");
        std::os::unix::fs::symlink(&others[0], &link).unwrap();
        let file = parent.path().join("hocker-unpacked-file");
        fs::write(&file, "x").unwrap();
        remove_left(parent.path());
        assert!(!left.exists());
        assert!(running.directory.path().join("layer").exists());
        for kept in others.iter().chain([&link, &file]) {
            assert!(kept.exists(), "{}", kept.display());
        }
    }
}
