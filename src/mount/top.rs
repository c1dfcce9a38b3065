//! The top of an overlay, where changes are stored.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{CWD, Gid, Mode, OFlags, Uid, fchmod, fchown, fstat, mkdirat, openat};
use rustix::io::Errno;

use super::error::Error;
use super::kernel;

/// What becomes of changes in the mounted directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Top {
    /// They are refused.
    #[default]
    ReadOnly,
    /// They are stored in memory, and gone with the mount.
    Temporary,
    /// They are stored in this directory, below `upper`. The kernel uses `work` in it.
    Directory(PathBuf),
}

/// The directories of a writable top.
pub(super) struct Upper {
    /// The file system of a temporary top.
    pub(super) mount: Option<OwnedFd>,
    pub(super) changes: OwnedFd,
    pub(super) work: OwnedFd,
}

impl Upper {
    /// Makes the directories of a top. A new `upper` is like `root`, the root of the highest layer.
    pub(super) fn prepare(top: &Top, root: impl AsFd) -> Result<Option<Self>, Error> {
        match top {
            Top::ReadOnly => Ok(None),
            Top::Temporary => {
                let mount = kernel::tmpfs().map_err(Error::Top)?;
                let (upper, work) = directories(&mount, root).map_err(Error::Top)?;
                Ok(Some(Self {
                    mount: Some(mount),
                    changes: upper,
                    work,
                }))
            }
            Top::Directory(path) => {
                let failed = |source| Error::directory(path, source);
                let canonical = fs::canonicalize(path).map_err(failed)?;
                let parent = open(CWD, canonical.as_os_str().as_encoded_bytes());
                let parent = parent.map_err(failed)?;
                let (upper, work) = directories(&parent, root).map_err(failed)?;
                Ok(Some(Self {
                    mount: None,
                    changes: upper,
                    work,
                }))
            }
        }
    }
}

fn directories(parent: impl AsFd, root: impl AsFd) -> io::Result<(OwnedFd, OwnedFd)> {
    let is_new = make(parent.as_fd(), "upper")?;
    make(parent.as_fd(), "work")?;
    let upper = open(parent.as_fd(), b"upper")?;
    if is_new {
        let root = fstat(root)?;
        let (owner, group) = (Uid::from_raw(root.st_uid), Gid::from_raw(root.st_gid));
        fchown(&upper, Some(owner), Some(group))?;
        fchmod(&upper, Mode::from_raw_mode(root.st_mode))?;
    }
    Ok((upper, open(parent, b"work")?))
}

/// Makes a directory. Returns false if it exists.
fn make(parent: impl AsFd, name: &str) -> io::Result<bool> {
    match mkdirat(parent, name, Mode::from_raw_mode(0o755)) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn open(parent: impl AsFd, name: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(parent, name, flags, Mode::empty())?)
}
