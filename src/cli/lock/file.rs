//! The lock file on disk. hocker reads it as a whole and replaces it as a whole. Two writers at a time do not undo each
//! other's changes. The lock file must be a regular file: reading anything else could block or never end.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::{Error, report};
use super::error::LockError;
use super::proof_files::{ProofDirectory, ProofFiles};
use hocker::file_lock::{self, FileLock, Mode, Wait};
use hocker::input;
use hocker::lock::{Age, Lock, LockedImage, MAX_LOCK_SIZE, Name, parse};
use hocker::output::{self, Existing, OutputFile};
use hocker::printable::Printable;

/// The time limit for the lock on the directory. Another writer of hocker needs a moment, but any user who can read the
/// directory can hold the lock for longer.
const WAIT: Wait = Wait::at_most(Duration::from_secs(30));

/// Changes to a lock: for each name the new image, or nothing to remove it.
pub(super) type Edits = BTreeMap<Name, Option<LockedImage>>;

/// A lock file, and its content when it was read.
pub(in crate::cli) struct LockFile {
    path: PathBuf,
    /// The content.
    pub(in crate::cli) lock: Lock,
}

impl LockFile {
    /// Reads a lock file that must exist.
    pub(in crate::cli) fn read(path: &Path) -> Result<Self, Error> {
        match read(path)? {
            Some(lock) => Ok(Self {
                path: path.to_owned(),
                lock,
            }),
            None => Err(LockError::NoLock(path.to_owned()).into()),
        }
    }

    /// Reads a lock file, or starts with an empty one if it does not exist.
    pub(super) fn read_or_begin(path: &Path) -> Result<Self, Error> {
        Ok(Self {
            path: path.to_owned(),
            lock: read(path)?.unwrap_or_default(),
        })
    }

    /// Returns the images with these names; without names, all images.
    pub(super) fn chosen<'a>(
        &'a self,
        names: &'a [Name],
    ) -> Result<Vec<(&'a Name, &'a LockedImage)>, Error> {
        if names.is_empty() {
            return Ok(self.lock.images.iter().collect());
        }
        let mut chosen = BTreeMap::new();
        for name in names {
            let image = self.lock.images.get(name);
            let image = image.ok_or_else(|| LockError::NotLocked {
                name: name.clone(),
                path: self.path.clone(),
            })?;
            chosen.insert(name, image);
        }
        Ok(chosen.into_iter().collect())
    }

    /// Writes the edits, and returns the new content. The file may have changed since it was read: changes to other
    /// images are kept, and a change to the same image is an error, after which nothing is written. The file is replaced
    /// atomically, and stays untouched if nothing changes. Files beside it that the content does not need are
    /// removed, also after a failure.
    pub(super) fn write(&self, edits: &Edits) -> Result<Lock, Error> {
        self.write_all(edits, &ProofFiles::new(), |_| {})
    }

    /// Writes the edits, and the files that they need beside the lock file. Returns the new content.
    pub(super) fn write_with(&self, edits: &Edits, files: &ProofFiles) -> Result<Lock, Error> {
        self.write_all(edits, files, |_| {})
    }

    /// Writes how long new tags and digests have to be known. Returns the new content.
    pub(super) fn write_min_age(&self, min_age: Option<Age>) -> Result<Lock, Error> {
        self.write_all(&Edits::new(), &ProofFiles::new(), |lock| {
            lock.min_age = min_age;
        })
    }

    fn write_all(
        &self,
        edits: &Edits,
        files: &ProofFiles,
        change: impl FnOnce(&mut Lock),
    ) -> Result<Lock, Error> {
        // A symbolic link is kept, and its target is replaced.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let _alone = alone(&path, WAIT)?;
        let before = read(&path)?;
        let mut lock = before.clone().unwrap_or_default();
        for (name, image) in edits {
            let others = lock.images.get(name);
            if others != self.lock.images.get(name) && others != image.as_ref() {
                return Err(LockError::Changed {
                    path: self.path.clone(),
                    name: name.clone(),
                }
                .into());
            }
            match image {
                Some(image) => lock.images.insert(name.clone(), image.clone()),
                None => lock.images.remove(name),
            };
        }
        change(&mut lock);
        lock.check_sizes().map_err(LockError::from)?;
        // A reader finds the files of the old and of the new content.
        let directory = ProofDirectory::beside(&path);
        let written = directory.write(files).and_then(|()| {
            if before.as_ref() == Some(&lock) {
                return Ok(());
            }
            write(&path, &lock.text())
        });
        if let Err(error) = written {
            directory.prune(&before.unwrap_or_default());
            return Err(error);
        }
        directory.prune(&lock);
        Ok(lock)
    }
}

/// Locks out other writers. The lock is on the directory, because the file itself is replaced, and a separate lock file
/// would be left in the user's project. On a file system without locks, hocker works without a lock.
fn alone(path: &Path, wait: Wait) -> Result<Option<FileLock>, Error> {
    let path = output::parent(path);
    let Ok(directory) = File::open(path) else {
        return Ok(None);
    };
    let report = |held: &file_lock::Held| report::note(&Printable::new(&held.to_string()));
    match file_lock::lock(directory, path, Mode::Exclusive, wait, report) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.is_held() => Err(LockError::Held(error).into()),
        Err(_) => Ok(None),
    }
}

fn read(path: &Path) -> Result<Option<Lock>, Error> {
    let failed = |source| Error::Input {
        what: path.display().to_string(),
        source,
    };
    let file = match input::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut text = Vec::new();
    file.take(MAX_LOCK_SIZE as u64 + 1)
        .read_to_end(&mut text)
        .map_err(failed)?;
    parse(&text).map(Some).map_err(|source| {
        LockError::Parse {
            path: path.to_owned(),
            source,
        }
        .into()
    })
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let mut file = OutputFile::create(path, Existing::Replace)?;
    file.write_all(text.as_bytes())
        // Without this, a power loss can leave an empty file with this name.
        .and_then(|()| {
            if file.is_seekable() {
                file.as_file().sync_all()
            } else {
                Ok(())
            }
        })
        .map_err(|source| output::Error::write(path, source))?;
    Ok(file.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_another_process_locks_is_waited_for_with_an_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("docker-images.lock.json");
        let wait = Wait {
            notice: Duration::ZERO,
            limit: Duration::ZERO,
        };
        let other = alone(&path, wait).unwrap();
        assert!(other.is_some());
        let error = alone(&path, wait).unwrap_err();
        let text = error.to_string();
        let names = format!("cannot lock {}", directory.path().display());
        assert!(text.starts_with(&names), "{text}");
        assert!(error.hint().unwrap().contains("nothing was written"));
        drop(other);
        assert!(alone(&path, wait).unwrap().is_some());
    }
}
