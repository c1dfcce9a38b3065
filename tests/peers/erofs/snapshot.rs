//! All that a directory tree shows: types, modes, owners, times, links, devices, extended attributes and contents.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// Files by their paths below the root.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    files: BTreeMap<PathBuf, Shown>,
}

#[derive(Debug, PartialEq, Eq)]
struct Shown {
    mode: u32,
    owner: (u32, u32),
    time: (i64, i64),
    size: u64,
    links: u64,
    /// The first path with the same inode.
    same_as: PathBuf,
    device: u64,
    /// The hash of a content, or the target of a symbolic link.
    content: Vec<u8>,
    attributes: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Snapshot {
    pub(crate) fn of(root: &Path) -> Self {
        let mut snapshot = Self::default();
        let mut inodes = BTreeMap::new();
        let mut paths = vec![PathBuf::new()];
        while let Some(path) = paths.pop() {
            let full = root.join(&path);
            let metadata = fs::symlink_metadata(&full).unwrap();
            if metadata.is_dir() {
                for entry in fs::read_dir(&full).unwrap() {
                    paths.push(path.join(entry.unwrap().file_name()));
                }
            }
            let first = inodes
                .entry(inode(&metadata))
                .or_insert_with(|| path.clone());
            // The order in which directories list their names differs.
            *first = first.clone().min(path.clone());
            snapshot.files.insert(path, Shown::of(&full, &metadata));
        }
        for (path, shown) in &mut snapshot.files {
            let metadata = fs::symlink_metadata(root.join(path)).unwrap();
            shown.same_as.clone_from(&inodes[&inode(&metadata)]);
        }
        snapshot
    }

    /// Takes from the comparison what only the archive could say.
    pub(crate) fn forget_metadata(&mut self, path: &Path) {
        let shown = self.files.get_mut(path).unwrap();
        shown.mode &= 0o170_000;
        shown.owner = (0, 0);
        shown.time = (0, 0);
    }

    /// Gives files from before 1970 the time that engines give them.
    pub(crate) fn forget_times_before_1970(&mut self) {
        for shown in self.files.values_mut().filter(|shown| shown.time.0 < 0) {
            shown.time = (0, 0);
        }
    }

    /// Takes the numbers of links from the comparison: overlayfs counts names that are hidden, and none of directories.
    /// What hides lower layers is part of a layer and not of the tree.
    pub(crate) fn forget_overlay(&mut self) {
        for shown in self.files.values_mut() {
            shown.links = 0;
            shown.attributes.remove(&b"user.overlay.opaque"[..]);
            // Engines written in Go take an empty value for no attribute.
            shown.attributes.retain(|_, value| !value.is_empty());
        }
    }

    /// Takes from the comparison what an overlay has in its own way: the number of links of a directory, and a mark of
    /// opaque directories for mounts of users without privileges, which other mounts show.
    pub(crate) fn forget_overlays(&mut self) {
        for shown in self.files.values_mut() {
            if shown.mode & 0o170_000 == 0o040_000 {
                shown.links = 0;
            }
            shown.attributes.remove(&b"user.overlay.opaque"[..]);
        }
    }

    /// Takes the numbers of links from the comparison, but not which paths are the same file.
    pub(crate) fn forget_links(&mut self) {
        for shown in self.files.values_mut() {
            shown.links = 0;
        }
    }

    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.files.keys().cloned().collect()
    }

    #[track_caller]
    pub(crate) fn assert_equals(&self, expected: &Self) {
        assert_eq!(self.paths(), expected.paths());
        for (path, shown) in &self.files {
            assert_eq!(shown, &expected.files[path], "{}", path.display());
        }
    }
}

impl Shown {
    fn of(path: &Path, metadata: &Metadata) -> Self {
        let kind = metadata.file_type();
        let is_device = kind.is_char_device() || kind.is_block_device();
        let content = if kind.is_symlink() {
            fs::read_link(path)
                .unwrap()
                .into_os_string()
                .into_encoded_bytes()
        } else if kind.is_file() {
            Sha256::digest(fs::read(path).unwrap()).to_vec()
        } else {
            Vec::new()
        };
        Self {
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
            time: (metadata.mtime(), metadata.mtime_nsec()),
            // The size of a directory is the file system's choice.
            size: if kind.is_dir() { 0 } else { metadata.size() },
            links: metadata.nlink(),
            same_as: PathBuf::new(),
            device: if is_device { metadata.rdev() } else { 0 },
            content,
            attributes: attributes(path),
        }
    }
}

/// The device belongs to it: the files of an overlay are on those of its layers.
fn inode(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn attributes(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut names = vec![0; 1 << 16];
    let length = rustix::fs::llistxattr(path, &mut names[..]).unwrap();
    let names = names[..length].split(|byte| *byte == 0);
    names
        .filter(|name| !name.is_empty())
        .map(|name| {
            let mut value = vec![0; 1 << 16];
            let length = rustix::fs::lgetxattr(path, name, &mut value[..]).unwrap();
            value.truncate(length);
            (name.to_vec(), value)
        })
        .collect()
}
