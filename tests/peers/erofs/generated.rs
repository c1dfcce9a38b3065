//! Layers with files of every kind, always the same for a seed.

use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use fastrand::Rng;
use tar::{Builder, EntryType, Header};

/// A generated layer.
pub(crate) struct Generated {
    pub(crate) tar: Vec<u8>,
    /// Parents that the archive does not list.
    pub(crate) unlisted: Vec<PathBuf>,
}

/// Sizes around those at which an image changes its layout.
const SIZES: [usize; 12] = [
    0, 1, 100, 4000, 4032, 4033, 4064, 4095, 4096, 4097, 12_345, 100_000,
];

const OWNERS: [u32; 6] = [0, 1, 1000, 65_535, 65_536, u32::MAX - 1];

/// What may be set on a file of any type, and what only on regular files and directories.
const ATTRIBUTES: [&str; 3] = ["trusted.t", "security.s", "trusted.longer.name"];
const USER_ATTRIBUTES: [&str; 2] = ["user.u", "user.empty"];

/// A file capability, which the kernel checks: version 2, `CAP_NET_RAW`.
const CAPABILITY: [u8; 20] = [
    1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

struct Generator {
    rng: Rng,
    builder: Builder<Vec<u8>>,
    directories: Vec<Vec<u8>>,
    /// Files and symbolic links, which may get a further name.
    linkable: Vec<Vec<u8>>,
    /// Whether container engines unpack the layer as tar does.
    as_engines: bool,
}

pub(crate) fn layer(seed: u64) -> Generated {
    generate(seed, false)
}

/// The same without files that are listed twice, which podman refuses, and without hard links, whose own metadata it
/// gives to the file.
pub(crate) fn layer_for_engines(seed: u64) -> Generated {
    generate(seed, true)
}

fn generate(seed: u64, as_engines: bool) -> Generated {
    let mut generator = Generator {
        rng: Rng::with_seed(seed),
        builder: Builder::new(Vec::new()),
        directories: vec![Vec::new()],
        linkable: Vec::new(),
        as_engines,
    };
    let mut unlisted = Vec::new();
    generator.entry(b"./", EntryType::Directory, b"", b"");
    for _ in 0..80 {
        let path = generator.path();
        match generator.rng.u32(0..12) {
            0..=2 => {
                // Some directories are only parents of others.
                if generator.rng.u32(0..4) == 0 {
                    let child = [&path[..], b"/c"].concat();
                    generator.file(&child);
                    unlisted.push(PathBuf::from(std::ffi::OsStr::from_bytes(&path)));
                } else {
                    generator.entry(&path, EntryType::Directory, b"", b"");
                }
                generator.directories.push(path);
            }
            3..=6 => generator.file(&path),
            7 => {
                let length = generator.rng.usize(1..=4000);
                let target = generator.name(length);
                generator.entry(&path, EntryType::Symlink, &target, b"");
                generator.linkable.push(path);
            }
            8 => generator.entry(&path, EntryType::Char, b"", b""),
            9 => generator.entry(&path, EntryType::Block, b"", b""),
            10 => generator.entry(&path, EntryType::Fifo, b"", b""),
            _ if !as_engines => {
                if let Some(target) = generator.rng.choice(&generator.linkable).cloned() {
                    generator.entry(&path, EntryType::Link, &target, b"");
                }
            }
            _ => {}
        }
    }
    Generated {
        tar: generator.builder.into_inner().unwrap(),
        unlisted,
    }
}

impl Generator {
    /// A new path in one of the directories.
    fn path(&mut self) -> Vec<u8> {
        let parent = self.rng.choice(&self.directories).unwrap().clone();
        let length = match self.rng.u32(0..8) {
            0 => 200,
            1 => 60,
            _ => 3,
        };
        let name = self.name(length);
        let separator: &[u8] = if parent.is_empty() { b"" } else { b"/" };
        // A number of its own, so that no two are the same.
        let number = format!("{}", self.rng.u32(..));
        [&parent, separator, &name, number.as_bytes()].concat()
    }

    /// Letters, and characters that sort before the dot or are no ASCII.
    fn name(&mut self, length: usize) -> Vec<u8> {
        let mut name = String::new();
        while name.len() + 2 <= length {
            name.push(
                *self
                    .rng
                    .choice(&['a', 'Z', '!', '-', '.', '~', 'é', ' '])
                    .unwrap(),
            );
        }
        name.push('n');
        name.into_bytes()
    }

    fn file(&mut self, path: &[u8]) {
        // Sometimes twice: the last one counts.
        for _ in 0..=self.rng.u32(0..5) / 4 * u32::from(!self.as_engines) {
            let size = *self.rng.choice(&SIZES).unwrap();
            let mut content = vec![0; size];
            self.rng.fill(&mut content);
            self.entry(path, EntryType::Regular, b"", &content);
        }
        self.linkable.push(path.to_vec());
    }

    fn entry(&mut self, path: &[u8], kind: EntryType, target: &[u8], content: &[u8]) {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(self.rng.u32(..) & 0o7777);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        if matches!(kind, EntryType::Char | EntryType::Block) {
            header.set_device_major(self.rng.u32(1..4096)).unwrap();
            header.set_device_minor(self.rng.u32(..1 << 20)).unwrap();
        }
        let seconds = self.rng.i64(-2_000_000_000..4_000_000_000);
        let owner = |rng: &mut Rng| rng.choice(&OWNERS).unwrap().to_string().into_bytes();
        let mut records = vec![
            ("path".to_owned(), path.to_vec()),
            ("uid".to_owned(), owner(&mut self.rng)),
            ("gid".to_owned(), owner(&mut self.rng)),
        ];
        // Half of them have the same time.
        if self.rng.bool() {
            let time = format!("{seconds}.{:09}", self.rng.u32(0..1_000_000_000));
            records.push(("mtime".to_owned(), time.into_bytes()));
        }
        if !target.is_empty() {
            records.push(("linkpath".to_owned(), target.to_vec()));
        }
        if kind != EntryType::Link {
            records.extend(self.attributes(kind));
        }
        let records = records
            .iter()
            .map(|(key, value)| (key.as_str(), &value[..]));
        self.builder.append_pax_extensions(records).unwrap();
        header.as_old_mut().name[..1].copy_from_slice(b"x");
        header.set_cksum();
        self.builder.append(&header, content).unwrap();
    }

    fn attributes(&mut self, kind: EntryType) -> Vec<(String, Vec<u8>)> {
        let mut names: Vec<&str> = ATTRIBUTES.to_vec();
        if matches!(kind, EntryType::Regular | EntryType::Directory) {
            names.extend(USER_ATTRIBUTES);
        }
        names.retain(|_| self.rng.u32(0..5) == 0);
        let mut attributes = Vec::new();
        for name in names {
            let size = if name == "user.empty" {
                0
            } else {
                self.rng.usize(1..400)
            };
            let mut value = vec![0; size];
            self.rng.fill(&mut value);
            attributes.push((format!("SCHILY.xattr.{name}"), value));
        }
        if kind == EntryType::Regular && self.rng.u32(0..5) == 0 {
            let name = "SCHILY.xattr.security.capability".to_owned();
            attributes.push((name, CAPABILITY.to_vec()));
        }
        attributes
    }
}
