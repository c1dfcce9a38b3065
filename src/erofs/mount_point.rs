//! Empty directories and files on which programs mount others. A read-only image must have them.
//!
//! Sources: systemd.exec(5), `MountAPIVFS=`, `PrivateTmp=` and `BindPaths=`; systemd-nspawn(1); OCI runtime
//! specification, `config-linux.md`, section "Default Filesystems".

use std::fmt;

use super::error::EntryError;
use super::format::Time;
use super::name::Path;
use super::tree::{Directory, Kind, Metadata, Node, Tree};
use super::{attributes::Attributes, contents::Number};

/// An empty directory or file that an image gets if it has nothing at this path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountPoint {
    path: String,
    kind: PointKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PointKind {
    Directory,
    /// A directory in which every user may create files.
    Temporary,
    File,
}

/// What systemd and container engines mount on.
const USUAL: [(&str, PointKind); 10] = [
    ("/dev", PointKind::Directory),
    ("/proc", PointKind::Directory),
    ("/run", PointKind::Directory),
    ("/sys", PointKind::Directory),
    ("/tmp", PointKind::Temporary),
    ("/var/tmp", PointKind::Temporary),
    ("/etc/hostname", PointKind::File),
    ("/etc/hosts", PointKind::File),
    ("/etc/machine-id", PointKind::File),
    ("/etc/resolv.conf", PointKind::File),
];

impl MountPoint {
    /// A directory.
    #[must_use]
    pub fn directory(path: impl Into<String>) -> Self {
        let (path, kind) = (path.into(), PointKind::Directory);
        Self { path, kind }
    }

    /// A regular file.
    #[must_use]
    pub fn file(path: impl Into<String>) -> Self {
        let (path, kind) = (path.into(), PointKind::File);
        Self { path, kind }
    }

    /// Returns what systemd and container engines mount on: `/dev`, `/proc`, `/run`, `/sys`, `/tmp`, `/var/tmp`,
    /// `/etc/hostname`, `/etc/hosts`, `/etc/machine-id` and `/etc/resolv.conf`.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        USUAL
            .map(|(path, kind)| Self {
                path: path.to_owned(),
                kind,
            })
            .into()
    }

    /// Adds the mount point to a tree, which has nothing else at its path. `number` is that of no content.
    pub(super) fn add(&self, tree: &mut Tree, number: Number) -> Result<(), EntryError> {
        let path = Path::parse(self.path.as_bytes())?;
        let Some((parents, name)) = path.split() else {
            return Ok(());
        };
        let parent = tree.make_parents(parents)?;
        if tree.child(parent, name).is_some() {
            return Ok(());
        }
        let (kind, mode) = match self.kind {
            PointKind::Directory => (Kind::Directory(Directory::listed()), 0o755),
            PointKind::Temporary => (Kind::Directory(Directory::listed()), 0o1777),
            PointKind::File => (Kind::Regular(number), 0o644),
        };
        let metadata = Metadata {
            mode,
            user: 0,
            group: 0,
            time: Time::default(),
        };
        let node = Node::new(kind, metadata, Attributes::default());
        tree.insert(parent, name, node).map(drop)
    }
}

impl fmt::Display for MountPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}
