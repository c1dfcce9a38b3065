//! The lock file on disk: read whole, replaced whole. Two writers at once do not undo each other's work.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::super::Error;
use super::error::LockError;
use crate::lock::{Lock, LockedImage, MAX_LOCK_SIZE, Name, parse};
use crate::output::{self, Existing, OutputFile};

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
        let _alone = alone(&path);
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
        if before.as_ref() != Some(&lock) {
            write(&path, &lock.text())?;
        }
        Ok(lock)
    }
}

/// Keeps other writers waiting. The directory is what is locked, because the file itself is replaced and a file
/// beside it would be one more to explain; where a filesystem has no locks it has to do without.
fn alone(path: &Path) -> Option<File> {
    let directory = File::open(output::parent(path)).ok()?;
    flock(&directory, FlockOperation::LockExclusive).ok()?;
    Some(directory)
}

fn read(path: &Path) -> Result<Option<Lock>, Error> {
    let failed = |source| Error::Input {
        what: path.display().to_string(),
        source,
    };
    let file = match File::open(path) {
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
