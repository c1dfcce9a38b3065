//! A reader of EROFS images that believes nothing: whatever is not as the kernel wants it is a panic. It shares no code
//! with the writer.
//!
//! Source: Linux, `fs/erofs/erofs_fs.h`, `fs/erofs/data.c` and `fs/erofs/dir.c`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "an image that this reader cannot read is what its callers look for"
)]

use std::collections::{BTreeMap, BTreeSet};

const BLOCK: usize = 4096;

const S_IFMT: u16 = 0o170_000;
const S_IFDIR: u16 = 0o040_000;

/// A file of any type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// The address of the inode: names of one file have the same.
    pub inode: u64,
    /// The type and the permissions.
    pub mode: u16,
    /// The number of names; of a directory, two and the number of its directories.
    pub links: u32,
    /// The owner.
    pub user: u32,
    /// The group.
    pub group: u32,
    /// Seconds and nanoseconds of the last change.
    pub time: (i64, u32),
    /// The number of a device.
    pub device: u32,
    /// The content of a regular file, or the target of a symbolic link.
    pub content: Vec<u8>,
    /// Extended attributes.
    pub attributes: BTreeMap<String, Vec<u8>>,
    /// Whether the inode has the extended form.
    pub is_extended: bool,
}

/// An image, read.
#[derive(Clone, Debug)]
pub struct Image {
    /// The files by their paths, the root's is empty.
    pub files: BTreeMap<Vec<u8>, File>,
    /// The UUID.
    pub uuid: [u8; 16],
}

impl Image {
    /// The file at a path.
    #[must_use]
    pub fn file(&self, path: &str) -> &File {
        let file = self.files.get(path.as_bytes());
        file.unwrap_or_else(|| panic!("no {path} among {:?}", self.paths()))
    }

    /// All paths but the root's.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let paths = self.files.keys().filter(|path| !path.is_empty());
        paths
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect()
    }
}

/// Reads an image.
#[must_use]
pub fn read(bytes: &[u8]) -> Image {
    let reader = Reader::new(bytes);
    let root = u64::from(u16_at(bytes, 1024 + 14));
    let mut files = BTreeMap::new();
    let mut names = BTreeMap::<u64, u32>::new();
    let mut pending = vec![(Vec::new(), root, root)];
    while let Some((path, inode, parent)) = pending.pop() {
        let mut file = reader.inode(inode);
        *names.entry(inode).or_default() += 1;
        if file.mode & S_IFMT == S_IFDIR {
            assert_eq!(names[&inode], 1, "a directory has one name");
            let mut links = 2;
            for (name, child, kind) in entries(&file.content) {
                match name.as_slice() {
                    b"." => assert_eq!(child, inode),
                    b".." => assert_eq!(child, parent),
                    _ => {
                        assert_eq!(kind, kind_of(reader.inode(child).mode));
                        links += u32::from(kind == 2);
                        let separator: &[u8] = if path.is_empty() { b"" } else { b"/" };
                        pending.push(([&path, separator, &name].concat(), child, inode));
                    }
                }
            }
            assert_eq!(file.links, links);
            file.content.clear();
        }
        files.insert(path, file);
    }
    for file in files.values().filter(|file| file.mode & S_IFMT != S_IFDIR) {
        assert_eq!(file.links, names[&file.inode]);
    }
    assert_eq!(reader.inodes, names.len() as u64);
    let uuid = bytes[1024 + 48..1024 + 64].try_into().unwrap();
    Image { files, uuid }
}

struct Reader<'b> {
    bytes: &'b [u8],
    metadata: usize,
    time: (i64, u32),
    inodes: u64,
}

impl<'b> Reader<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        let superblock = &bytes[1024..BLOCK];
        assert_eq!(u32_at(superblock, 0), 0xe0f5_e1e2);
        let mut unsigned = superblock.to_vec();
        unsigned[4..8].fill(0);
        let mut checksum = u32::MAX;
        for byte in unsigned {
            checksum ^= u32::from(byte);
            for _ in 0..8 {
                let carry = checksum & 1;
                checksum = (checksum >> 1) ^ (carry * 0x82f6_3b78);
            }
        }
        assert_eq!(u32_at(superblock, 4), checksum);
        assert_eq!(superblock[12], 12, "blocks of 4 KiB");
        assert_eq!(u32_at(superblock, 80), 0, "no incompatible feature");
        assert_eq!(u32_at(superblock, 36) as usize * BLOCK, bytes.len());
        Self {
            bytes,
            metadata: u32_at(superblock, 40) as usize * BLOCK,
            time: (u64_at(superblock, 24).cast_signed(), u32_at(superblock, 32)),
            inodes: u64_at(superblock, 16),
        }
    }

    fn inode(&self, number: u64) -> File {
        assert_ne!(number, 0);
        let start = self.metadata + usize::try_from(number).unwrap() * 32;
        let at = |offset| start + offset;
        let format = u16_at(self.bytes, start);
        let is_extended = format & 1 == 1;
        let mode = u16_at(self.bytes, at(4));
        let (size, file) = if is_extended {
            let file = File {
                user: u32_at(self.bytes, at(24)),
                group: u32_at(self.bytes, at(28)),
                time: (
                    u64_at(self.bytes, at(32)).cast_signed(),
                    u32_at(self.bytes, at(40)),
                ),
                links: u32_at(self.bytes, at(44)),
                ..File::default()
            };
            (u64_at(self.bytes, at(8)), file)
        } else {
            let file = File {
                user: u16_at(self.bytes, at(24)).into(),
                group: u16_at(self.bytes, at(26)).into(),
                time: self.time,
                links: u16_at(self.bytes, at(6)).into(),
                ..File::default()
            };
            (u32_at(self.bytes, at(8)).into(), file)
        };
        let body = at(if is_extended { 64 } else { 32 });
        assert_eq!(start / BLOCK, (body - 1) / BLOCK, "inodes cross no border");
        let units = u16_at(self.bytes, at(2));
        let (attributes, end) = self.attributes(body, units.into());
        let address = u32_at(self.bytes, at(16));
        let size = usize::try_from(size).unwrap();
        let has_content = matches!(mode & S_IFMT, 0o040_000 | 0o100_000 | 0o120_000);
        File {
            inode: number,
            mode,
            is_extended,
            attributes,
            device: if has_content { 0 } else { address },
            content: self.content(format >> 1, address as usize, size, end),
            ..file
        }
    }

    fn content(&self, layout: u16, block: usize, size: usize, behind: usize) -> Vec<u8> {
        let start = block * BLOCK;
        match layout {
            0 if size == 0 => Vec::new(),
            0 => self.bytes[start..start + size].to_vec(),
            2 => {
                let rest = size % BLOCK;
                assert!(rest > 0, "nothing is behind the inode");
                assert_eq!(behind / BLOCK, (behind + rest - 1) / BLOCK);
                let blocks = &self.bytes[start..start + size - rest];
                [blocks, &self.bytes[behind..behind + rest]].concat()
            }
            other => panic!("the layout is {other}"),
        }
    }

    /// The extended attributes, and where they end.
    fn attributes(&self, start: usize, units: usize) -> (BTreeMap<String, Vec<u8>>, usize) {
        let mut attributes = BTreeMap::new();
        if units == 0 {
            return (attributes, start);
        }
        let end = start + 12 + (units - 1) * 4;
        assert_eq!(self.bytes[start..start + 12], [0; 12]);
        let mut at = start + 12;
        while at < end {
            let (length, prefix) = (usize::from(self.bytes[at]), self.bytes[at + 1]);
            let size = usize::from(u16_at(self.bytes, at + 2));
            let name = &self.bytes[at + 4..at + 4 + length];
            let prefix = match prefix {
                1 => "user.",
                2 => "system.posix_acl_access",
                3 => "system.posix_acl_default",
                4 => "trusted.",
                6 => "security.",
                other => panic!("the prefix is {other}"),
            };
            let value = &self.bytes[at + 4 + length..at + 4 + length + size];
            let name = format!("{prefix}{}", String::from_utf8_lossy(name));
            attributes.insert(name, value.to_vec());
            at = (at + 4 + length + size).next_multiple_of(4);
        }
        assert_eq!(at, end);
        (attributes, end)
    }
}

/// The names, inodes and types in a directory.
fn entries(content: &[u8]) -> Vec<(Vec<u8>, u64, u8)> {
    let mut entries = Vec::<(Vec<u8>, u64, u8)>::new();
    for block in content.chunks(BLOCK) {
        let first = usize::from(u16_at(block, 8));
        assert!(first > 0 && first.is_multiple_of(12));
        let count = first / 12;
        for number in 0..count {
            let entry = &block[number * 12..(number + 1) * 12];
            let start = usize::from(u16_at(entry, 8));
            let name = if number + 1 < count {
                &block[start..usize::from(u16_at(block, number * 12 + 20))]
            } else {
                let rest = &block[start..];
                let end = rest.iter().position(|byte| *byte == 0);
                &rest[..end.unwrap_or(rest.len())]
            };
            assert!(!name.is_empty() && name.len() <= 255);
            assert!(!name.contains(&b'/') && !name.contains(&0));
            if let Some((last, ..)) = entries.last() {
                assert!(last.as_slice() < name, "names are sorted");
            }
            entries.push((name.to_vec(), u64_at(entry, 0), entry[10]));
        }
    }
    let names: BTreeSet<_> = entries.iter().map(|(name, ..)| name.as_slice()).collect();
    assert!(names.contains(&b"."[..]) && names.contains(&b".."[..]));
    entries
}

fn kind_of(mode: u16) -> u8 {
    match mode & S_IFMT {
        0o100_000 => 1,
        0o040_000 => 2,
        0o020_000 => 3,
        0o060_000 => 4,
        0o010_000 => 5,
        0o120_000 => 7,
        other => panic!("the type is {other:o}"),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}
