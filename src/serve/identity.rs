//! The identity of a file: its inode and the time of its last change.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// An identity, which differs if another file has the path or if the file was written. Programs cannot set the time of
/// the change (`st_ctime`), only the kernel does.
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
