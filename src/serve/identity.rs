//! Identity: which file it is, and since when it is as it is.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// What differs once another file has a path, or the file was written to. The time of a change (`st_ctime`) is the
/// kernel's own and cannot be set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}
