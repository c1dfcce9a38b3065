//! The directory on which an image is mounted.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::mount::UnmountFlags;

use super::error::Error;
use super::table::Mount;

/// An empty directory on which nothing is mounted.
#[derive(Debug)]
pub struct Target {
    pub(super) path: PathBuf,
    pub(super) directory: OwnedFd,
}

impl Target {
    /// Checks a directory.
    pub fn new(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::directory(path, source);
        let canonical = fs::canonicalize(path).map_err(failed)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, &canonical, flags, Mode::empty());
        let directory = directory.map_err(|source| Error::directory(path, source))?;
        if let Some(mount) = Mount::on(&canonical).map_err(Error::Table)? {
            return Err(Error::Mounted {
                path: path.to_owned(),
                by_hocker: mount.is_of_hocker(),
            });
        }
        if fs::read_dir(&canonical).map_err(failed)?.next().is_some() {
            return Err(Error::NotEmpty(path.to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            directory,
        })
    }
}

/// Unmounts a directory on which hocker mounted an image.
pub fn unmount(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Unmount {
        path: path.to_owned(),
        source,
    };
    let canonical = fs::canonicalize(path).map_err(failed)?;
    match Mount::on(&canonical).map_err(Error::Table)? {
        Some(mount) if mount.is_of_hocker() => {}
        Some(_) => return Err(Error::Foreign(path.to_owned())),
        None => return Err(Error::NotMounted(path.to_owned())),
    }
    rustix::mount::unmount(&canonical, UnmountFlags::NOFOLLOW)
        .map_err(|source| failed(source.into()))
}
