//! The temporary directory of an unpacked archive.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;

/// The directories that exist now.
static ALL: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// How often a directory is removed to which another thread still writes.
const ATTEMPTS: usize = 10;

/// The directory of an unpacked archive. It is removed when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Unpacked {
    directory: Arc<Listed>,
}

#[derive(Debug)]
struct Listed(TempDir);

impl Unpacked {
    pub(super) fn create() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("hocker-").tempdir()?;
        with_all(|all| all.push(directory.path().to_owned()));
        Ok(Self {
            directory: Arc::new(Listed(directory)),
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.0.path()
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        with_all(|all| all.retain(|path| path != self.0.path()));
    }
}

/// Removes the directories of all archives, at the end of a process: a thread that still unpacks an archive does not end
/// with the work that a signal interrupts.
pub fn remove_unpacked() {
    with_all(|all| {
        for path in all.drain(..) {
            // The thread may create a file meanwhile. Without its directory, it fails.
            for _ in 0..ATTEMPTS {
                if fs::remove_dir_all(&path).is_ok() || !path.exists() {
                    break;
                }
            }
        }
    });
}

fn with_all(change: impl FnOnce(&mut Vec<PathBuf>)) {
    change(&mut ALL.lock().unwrap_or_else(PoisonError::into_inner));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_goes_with_its_last_user() {
        let unpacked = Unpacked::create().unwrap();
        let path = unpacked.path().to_owned();
        let other = unpacked.clone();
        drop(unpacked);
        assert!(path.exists());
        drop(other);
        assert!(!path.exists());
    }
}
