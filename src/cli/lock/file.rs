//! The lock file on disk: read whole, replaced whole. Two writers at once do not undo each other's work. It is a regular
//! file: whatever else has its name is not opened, because it could block or never end.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::{Error, report};
use super::error::LockError;
use hocker::file_lock::{self, FileLock, Mode, Wait};
use hocker::input;
use hocker::lock::{Lock, LockedImage, MAX_LOCK_SIZE, Name, parse};
use hocker::output::{self, Existing, OutputFile};
use hocker::printable::Printable;

/// Another writer needs a moment; whoever can read the directory can lock it for longer.
const WAIT: Wait = Wait::at_most(Duration::from_secs(30));

/// What is to be done to a lock: by name, the new image, or none where it is to go.
pub(super) type Edits = BTreeMap<Name, Option<LockedImage>>;

/// A lock file as it was read.
pub(super) struct LockFile {
    path: PathBuf,
    /// What it held then.
    pub(super) lock: Lock,
}

impl LockFile {
    /// Reads a file that must be there.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        match read(path)? {
            Some(lock) => Ok(Self {
                path: path.to_owned(),
                lock,
            }),
            None => Err(LockError::NoLock(path.to_owned()).into()),
        }
    }

    /// Reads a file, or begins one that is not there.
    pub(super) fn read_or_begin(path: &Path) -> Result<Self, Error> {
        Ok(Self {
            path: path.to_owned(),
            lock: read(path)?.unwrap_or_default(),
        })
    }

    /// Writes the edits, and gives what the file holds then. Whatever others have written since it was read stays,
    /// unless they edited the same images: then nothing is written. The file is the old or the new one at any
    /// moment, and is not touched if there is nothing to change.
    pub(super) fn write(&self, edits: &Edits) -> Result<Lock, Error> {
        // A link stays one, and what it leads to is replaced.
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
        lock.check_sizes().map_err(LockError::from)?;
        if before.as_ref() != Some(&lock) {
            write(&path, &lock.text())?;
        }
        Ok(lock)
    }
}

/// Keeps other writers waiting. The directory is what is locked, because the file itself is replaced and a file
/// beside it would be one more to explain; where a filesystem has no locks it has to do without.
fn alone(path: &Path, wait: Wait) -> Result<Option<FileLock>, Error> {
    let path = output::parent(path);
    let Ok(directory) = File::open(path) else {
        return Ok(None);
    };
    let tell = |held: &file_lock::Held| report::note(&Printable::new(&held.to_string()));
    match file_lock::lock(directory, path, Mode::Exclusive, wait, tell) {
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
        // So that not even a machine that loses its power leaves an empty file with this name.
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
