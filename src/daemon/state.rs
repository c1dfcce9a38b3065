//! The records of what hocker put into a daemon: a directory with one file for each image. With them, hocker can remove
//! exactly these images later.

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

/// The version of the format of the records.
const VERSION: u32 = 1;
/// The lock file that loads hold shared and a prune holds exclusively.
const USE_LOCK: &str = "use.lock";
/// The lock file that a change of a record holds.
const CHANGE_LOCK: &str = "change.lock";
/// The longest wait for [`USE_LOCK`]. A load holds the lock until the daemon has unpacked the image, which takes
/// minutes if the image is large.
const WHILE_IN_USE: Wait = Wait::at_most(Duration::from_secs(60 * 60));
/// The longest wait for [`CHANGE_LOCK`]. A record is a small file.
const WHILE_CHANGED: Wait = Wait::at_most(Duration::from_secs(60));

/// Called when the program waits for a lock that another process holds.
pub type OnWait = Arc<dyn Fn(&Held) + Send + Sync>;

/// A directory of records for one daemon.
#[derive(Clone)]
pub struct State {
    directory: PathBuf,
    waiting: OnWait,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.directory).finish()
    }
}

/// What was put into the daemon for one image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    version: u32,
    /// The image ID.
    pub image_id: Digest,
    /// The names that the image was given, as Docker prints them. They are in full if they have a digest, and for
    /// containerd.
    pub tags: BTreeSet<String>,
    /// Whether the image itself was loaded, not only names added.
    pub loaded: bool,
    /// Whether the load was completed. The record is written before anything is sent.
    pub complete: bool,
    /// The path of the image on disk.
    pub image_path: PathBuf,
}

impl Record {
    /// Creates a record for a load that is about to begin.
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

/// The field that records of every version have.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl State {
    /// Uses a directory, which need not exist yet. `waiting` is called if a lock is not free.
    #[must_use]
    pub fn new(directory: PathBuf, waiting: OnWait) -> Self {
        Self { directory, waiting }
    }

    /// Creates the directory if necessary, and locks it against a prune. Waits for at most an hour while a prune runs.
    pub fn lock_to_load(&self) -> Result<FileLock, Error> {
        fs::create_dir_all(&self.directory)
            .map_err(|source| self.failed(&self.directory, source))?;
        self.lock(USE_LOCK, Mode::Shared, WHILE_IN_USE)
    }

    /// Locks the directory against loads and other prunes. Waits for at most an hour while they run. Returns `None` if
    /// the directory, and so any record, does not exist.
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

    /// Returns the record of an image.
    pub fn record(&self, image_id: &Digest) -> Result<Option<Record>, Error> {
        self.read(&self.path(image_id))
    }

    /// Returns all records, in the order of their file names.
    pub fn records(&self) -> Result<Vec<Record>, Error> {
        let failed = |source| self.failed(&self.directory, source);
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // A file that is not complete yet has another extension.
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

    /// Creates, changes or deletes the record of an image, and returns the record before that. A lock prevents changes
    /// by other processes meanwhile.
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
            // After a power failure, an empty file would be worse than no file.
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

/// Records cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or the directory cannot be accessed.
    #[error("cannot use {} in the state directory {}", path.display(), directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another process holds a lock for too long, or locks are not supported.
    #[error(transparent)]
    Lock(#[from] file_lock::Error),
    /// The file is not a record.
    #[error("{} is not a record of a loaded image", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The version of the record is unknown.
    #[error("unknown version {version} of the record {}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version.
        version: u32,
    },
    /// The record cannot be written.
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
            ("", "is not a record"),
            ("{\"version\":1}", "is not a record"),
            ("{\"version\":2}", "unknown version 2 of the record"),
        ] {
            fs::write(&file, text).unwrap();
            let error = state.records().unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("x.json"), "{error}");
        }
    }
}
