//! What this program put into a daemon, remembered in a directory: a file an image, so that it can be removed
//! when nobody wants it any more, and nothing else with it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::file_lock::{self, FileLock, Held, Mode, Wait};
use crate::input;
use crate::oci::digest::Digest;
use crate::oci::document;
use crate::output::{self, Existing, OutputFile};

/// The version of the records that this program writes and reads.
const VERSION: u32 = 1;
/// Held by everyone who loads, together; and by who prunes, alone.
const USE_LOCK: &str = "use.lock";
/// Held by who changes a record.
const CHANGE_LOCK: &str = "change.lock";
/// Whoever loads holds the lock until the daemon has unpacked the image, which takes minutes where it is large.
const WHILE_IN_USE: Wait = Wait::at_most(Duration::from_secs(60 * 60));
/// A record is a small file.
const WHILE_CHANGED: Wait = Wait::at_most(Duration::from_secs(60));

/// Hears of a lock that another process holds.
pub type Waiting = Arc<dyn Fn(&Held) + Send + Sync>;

/// A directory of records. It belongs to one daemon.
#[derive(Clone)]
pub struct State {
    directory: PathBuf,
    waiting: Waiting,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.directory).finish()
    }
}

/// What was put into the daemon with one image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    version: u32,
    /// The image's id.
    pub image_id: Digest,
    /// The names that it was given, as Docker prints them.
    pub tags: BTreeSet<String>,
    /// Whether the image itself was put there too, and not names alone.
    pub loaded: bool,
    /// Whether this was done to its end. A record is written before anything is sent.
    pub complete: bool,
    /// Where the image was on disk.
    pub image_path: PathBuf,
}

impl Record {
    /// A record of something that is about to be done.
    #[must_use]
    pub fn new(image_id: Digest, image_path: &Path) -> Self {
        Self {
            version: VERSION,
            image_id,
            tags: BTreeSet::new(),
            loaded: false,
            complete: false,
            image_path: image_path.to_owned(),
        }
    }
}

/// What every record has, of whatever version.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl State {
    /// Uses a directory, which need not be there yet. `waiting` hears of locks that do not come at once.
    #[must_use]
    pub fn new(directory: PathBuf, waiting: Waiting) -> Self {
        Self { directory, waiting }
    }

    /// Makes the directory, and keeps away who prunes. Waits while somebody does, for an hour at most.
    pub fn lock_to_load(&self) -> Result<FileLock, Error> {
        fs::create_dir_all(&self.directory)
            .map_err(|source| self.failed(&self.directory, source))?;
        self.lock(USE_LOCK, Mode::Shared, WHILE_IN_USE)
    }

    /// Keeps away everybody else; `None` where there is no directory, and so no record. Waits while others load, for an
    /// hour at most.
    pub fn lock_to_prune(&self) -> Result<Option<FileLock>, Error> {
        if !self.directory.exists() {
            return Ok(None);
        }
        self.lock(USE_LOCK, Mode::Exclusive, WHILE_IN_USE).map(Some)
    }

    fn lock(&self, name: &str, mode: Mode, wait: Wait) -> Result<FileLock, Error> {
        let path = self.directory.join(name);
        let file = file_lock::open_private(&path).map_err(|source| self.failed(&path, source))?;
        let waiting = |held: &Held| (self.waiting)(held);
        Ok(file_lock::lock(file, &path, mode, wait, waiting)?)
    }

    /// The record of an image.
    pub fn record(&self, image_id: &Digest) -> Result<Option<Record>, Error> {
        self.read(&self.path(image_id))
    }

    /// All records, in the order of their names.
    pub fn records(&self) -> Result<Vec<Record>, Error> {
        let failed = |source| self.failed(&self.directory, source);
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // What is being written has another name until it is complete.
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                paths.push(path);
            }
        }
        paths.sort();
        let mut records = Vec::new();
        for path in paths {
            records.extend(self.read(&path)?);
        }
        Ok(records)
    }

    /// Changes the record of an image, or makes one, and gives what was there before. Nobody else changes it
    /// meanwhile.
    pub fn change(
        &self,
        image_id: &Digest,
        change: impl FnOnce(Option<Record>) -> Option<Record>,
    ) -> Result<Option<Record>, Error> {
        let _lock = self.lock(CHANGE_LOCK, Mode::Exclusive, WHILE_CHANGED)?;
        let before = self.record(image_id)?;
        match change(before.clone()) {
            Some(record) if Some(&record) != before.as_ref() => self.write(&record)?,
            None if before.is_some() => {
                let path = self.path(image_id);
                fs::remove_file(&path).map_err(|source| self.failed(&path, source))?;
            }
            _ => {}
        }
        Ok(before)
    }

    fn write(&self, record: &Record) -> Result<(), Error> {
        let path = self.path(&record.image_id);
        let mut text = serde_json::to_vec_pretty(record).map_err(|source| Error::Record {
            path: path.clone(),
            source,
        })?;
        text.push(b'\n');
        let mut file = OutputFile::create(&path, Existing::Replace)?;
        file.write_all(&text)
            // A name without content is worse than neither, after the power went.
            .and_then(|()| file.as_file().sync_all())
            .map_err(|source| output::Error::write(&path, source))?;
        Ok(file.commit()?)
    }

    fn read(&self, path: &Path) -> Result<Option<Record>, Error> {
        let bytes = match input::open(path).and_then(document::read) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.failed(path, source)),
        };
        let error = |source| Error::Record {
            path: path.to_owned(),
            source,
        };
        let Version { version } = serde_json::from_slice(&bytes).map_err(error)?;
        if version != VERSION {
            return Err(Error::Version {
                path: path.to_owned(),
                version,
            });
        }
        serde_json::from_slice(&bytes).map(Some).map_err(error)
    }

    fn path(&self, image_id: &Digest) -> PathBuf {
        self.directory.join(format!("{}.json", image_id.hex()))
    }

    fn failed(&self, path: &Path, source: io::Error) -> Error {
        Error::Directory {
            directory: self.directory.clone(),
            path: path.to_owned(),
            source,
        }
    }
}

/// Records that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refuses.
    #[error("cannot use {} in the state directory {}", path.display(), directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What in it.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process holds a lock for too long, or there are no locks.
    #[error(transparent)]
    Lock(#[from] file_lock::Error),
    /// A record that is none.
    #[error("{} is no record of a loaded image", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A record from the future.
    #[error("{} is a record of version {version}, and only {VERSION} is known", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A record cannot be written.
    #[error(transparent)]
    Write(#[from] output::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_back_changed_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::new(directory.path().join("state"), Arc::new(|_| ()));
        let id = Digest::of(b"a");
        assert!(state.lock_to_prune().unwrap().is_none());
        let lock = state.lock_to_load().unwrap();
        let mut record = Record::new(id, Path::new("/nix/store/x"));
        record.tags.insert("a:1".to_owned());
        let before = state.change(&id, |_| Some(record.clone())).unwrap();
        assert_eq!(before, None);
        assert_eq!(state.records().unwrap(), [record.clone()]);
        let before = state
            .change(&id, |before| {
                Some(Record {
                    complete: true,
                    ..before?
                })
            })
            .unwrap();
        assert_eq!(before, Some(record));
        assert!(state.record(&id).unwrap().unwrap().complete);
        drop(lock);
        assert!(state.lock_to_prune().unwrap().is_some());
        state.change(&id, |_| None).unwrap();
        assert_eq!(state.records().unwrap(), []);
    }

    #[test]
    fn a_record_that_is_broken_or_newer_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::new(directory.path().to_owned(), Arc::new(|_| ()));
        let file = directory.path().join("x.json");
        for (text, words) in [
            ("", "is no record"),
            ("{\"version\":1}", "is no record"),
            ("{\"version\":2}", "of version 2, and only 1 is known"),
        ] {
            fs::write(&file, text).unwrap();
            let error = state.records().unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("x.json"), "{error}");
        }
    }
}
