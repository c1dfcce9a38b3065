//! The directory beside a lock file with the proofs of its images' signers, and with trusted roots. Each file is named
//! by the digest of its content, which the lock file has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::super::{Error, report};
use super::error::LockError;
use hocker::input;
use hocker::lock::{Lock, LockedImage, LockedSigner};
use hocker::oci::digest::Digest;
use hocker::output::{self, Existing, OutputFile};
use hocker::printable::Printable;
use hocker::signature::MAX_PROOF_SIZE;

/// The end of the directory's name, in place of the `.json` of the lock file.
const DIRECTORY: &str = "d";

/// The end of the names of files.
const FILE: &str = ".json";

/// Contents of files by their digests.
pub(super) type ProofFiles = BTreeMap<Digest, Vec<u8>>;

/// The directory. It exists only if it has files.
pub(super) struct ProofDirectory {
    path: PathBuf,
    /// Another lock file with the same directory would have this name: `docker-images.lock` beside
    /// `docker-images.lock.json`.
    sibling: PathBuf,
}

impl ProofDirectory {
    /// Returns the directory beside a lock file: `docker-images.lock.d` for `docker-images.lock.json`. If the lock file
    /// is a symbolic link, the directory is beside its target.
    pub(super) fn beside(lock_file: &Path) -> Self {
        let path = fs::canonicalize(lock_file).unwrap_or_else(|_| lock_file.to_owned());
        let is_json = path.extension().is_some_and(|end| end == "json");
        if is_json {
            return Self {
                path: path.with_extension(DIRECTORY),
                sibling: path.with_extension(""),
            };
        }
        let with_end = |end: &str| {
            let mut name = path.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        };
        Self {
            path: with_end(&format!(".{DIRECTORY}")),
            sibling: with_end(".json"),
        }
    }

    /// Reads a file, and verifies that it is what the lock file names.
    pub(super) fn read(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let path = self.file(digest);
        let unreadable = |source| LockError::ProofFile {
            path: path.clone(),
            source,
        };
        let file = input::open(&path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(MAX_PROOF_SIZE as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        let mut hasher = digest.hasher();
        hasher.update(&bytes);
        let found = hasher.finish();
        if found != *digest {
            return Err(LockError::ProofChanged {
                path,
                found: Box::new(found),
            }
            .into());
        }
        Ok(bytes)
    }

    /// Writes files that do not exist.
    pub(super) fn write(&self, files: &ProofFiles) -> Result<(), Error> {
        if files.is_empty() {
            return Ok(());
        }
        match fs::create_dir(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(output::Error::create(&self.path, error).into());
            }
            _ => {}
        }
        for (digest, bytes) in files {
            if self.read(digest).is_ok() {
                continue;
            }
            let path = self.file(digest);
            let mut file = OutputFile::create(&path, Existing::Replace)?;
            file.write_all(bytes)
                .and_then(|()| file.as_file().sync_all())
                .map_err(|source| output::Error::write(&path, source))?;
            file.commit()?;
        }
        Ok(())
    }

    /// Removes files that no image of the lock needs any more. Files with other names stay, and all if another lock file
    /// has the same directory.
    pub(super) fn prune(&self, lock: &Lock) {
        if self.sibling.exists() {
            return;
        }
        let signers = lock.images.values().filter_map(LockedImage::signer);
        let needed: BTreeSet<_> = signers.flat_map(LockedSigner::files).copied().collect();
        let Ok(entries) = fs::read_dir(&self.path) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let digest = name.to_str().and_then(digest_of);
            if digest.is_none_or(|digest| needed.contains(&digest)) {
                continue;
            }
            if let Err(error) = fs::remove_file(entry.path()) {
                report::note(&Printable::new(&format!(
                    "{} is not needed any more, but cannot be removed: {error}",
                    entry.path().display()
                )));
            }
        }
        // This fails if other files are in it.
        let _ = fs::remove_dir(&self.path);
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        let (algorithm, hex) = (digest.algorithm(), digest.hex());
        self.path.join(format!("{algorithm}-{hex}{FILE}"))
    }
}

/// Returns the digest in the name of a file.
fn digest_of(name: &str) -> Option<Digest> {
    let (algorithm, hex) = name.strip_suffix(FILE)?.split_once('-')?;
    format!("{algorithm}:{hex}").parse().ok()
}
