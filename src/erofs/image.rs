//! The end of an image: directories, inodes and the superblock.

use std::collections::BTreeMap;

use super::contents::{Content, Contents, Number, Tails, Written};
use super::error::Error;
use super::format::{BLOCK, Directory, Entry, FileType, Inode, Layout, SLOT, Superblock, Time};
use super::place::Places;
use super::tree::{Id, Kind, Node, ROOT, Tree};
use crate::oci::digest::Digest;

/// The types of files in the mode of an inode.
const FIFO: u16 = 0o010_000;
const CHARACTER_DEVICE: u16 = 0o020_000;
const DIRECTORY: u16 = 0o040_000;
const BLOCK_DEVICE: u16 = 0o060_000;
const REGULAR: u16 = 0o100_000;
const SYMBOLIC_LINK: u16 = 0o120_000;

/// Where a node is.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The address of the inode in slots.
    slot: u64,
    /// The first whole block of a directory.
    block: u32,
}

/// Writes what is left, and returns the size of the image in bytes. The UUID is derived from `digest`.
pub(super) fn finish(
    tree: &Tree,
    mut contents: Contents<'_>,
    digest: &Digest,
) -> Result<u64, Error> {
    let written = contents.take_written();
    let common = common_time(tree);
    let mut places = vec![Place::default(); tree.len()];
    let mut area = Places::new();
    for (id, node) in tree.nodes() {
        let mut block = 0;
        let (inode, behind) = match &node.kind {
            Kind::Directory(_) => {
                let size = directory(tree, id, &places).size();
                let (inode, behind) = directory_inode(tree, node, size, common);
                block = contents.reserve(((size - behind).div_ceil(BLOCK)) as u64)?;
                (inode, behind)
            }
            _ => file_inode(node, &written),
        };
        let slot = area.take(inode.bytes(common) + node.attributes.size() + behind);
        if let Some(place) = places.get_mut(id) {
            *place = Place { slot, block };
        }
    }
    let metadata = contents.reserve(area.blocks())?;
    let end = contents.reserve(0)?;
    let (mut image, mut tails) = contents.finish()?;
    let mut inodes = 0;
    for (id, node) in tree.nodes() {
        inodes += 1;
        let place = places.get(id).copied().unwrap_or_default();
        let (mut inode, behind) = match &node.kind {
            Kind::Directory(_) => {
                let bytes = directory(tree, id, &places).to_bytes();
                let (inode, behind) = directory_inode(tree, node, bytes.len(), common);
                let (blocks, behind) = bytes.split_at(bytes.len() - behind);
                let offset = u64::from(place.block) * BLOCK as u64;
                image.write(offset, blocks).map_err(Error::Write)?;
                (inode, behind.to_vec())
            }
            _ => (
                file_inode(node, &written).0,
                behind_inode(node, &written, &mut tails)?,
            ),
        };
        if let Kind::Directory(_) = &node.kind {
            inode.address = place.block;
        }
        inode.number = inodes;
        let mut bytes = inode.to_bytes(common);
        bytes.extend(node.attributes.to_bytes());
        bytes.extend(behind);
        bytes.resize(bytes.len().next_multiple_of(SLOT), 0);
        let offset = u64::from(metadata) * BLOCK as u64 + place.slot * SLOT as u64;
        image.write(offset, &bytes).map_err(Error::Write)?;
    }
    let superblock = Superblock {
        // The root is placed first.
        root: places
            .get(ROOT)
            .and_then(|place| u16::try_from(place.slot).ok())
            .unwrap_or_default(),
        inodes: inodes.into(),
        time: common,
        blocks: end,
        metadata,
        uuid: uuid(digest),
    };
    let size = u64::from(end) * BLOCK as u64;
    image
        .write(0, &superblock.to_bytes())
        .and_then(|()| image.finish(size))
        .map_err(Error::Write)?;
    Ok(size)
}

/// The most frequent time, since inodes with the time of the superblock can be compact; the earliest of several.
fn common_time(tree: &Tree) -> Time {
    let mut counts = BTreeMap::<Time, usize>::new();
    for (_, node) in tree.nodes() {
        *counts.entry(node.metadata.time).or_default() += 1;
    }
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    most.map(|(time, _)| time).unwrap_or_default()
}

/// The entries of a directory, with the addresses that are known.
fn directory<'t>(tree: &'t Tree, id: Id, places: &[Place]) -> Directory<'t> {
    let slot = |id: Id| places.get(id).copied().unwrap_or_default().slot;
    let mut entries = Vec::new();
    if let Some(Kind::Directory(directory)) = tree.node(id).map(|node| &node.kind) {
        for (name, inode) in [(&b"."[..], id), (b"..", directory.parent)] {
            entries.push(Entry {
                name,
                inode: slot(inode),
                file_type: FileType::Directory,
            });
        }
        for (name, child) in &directory.children {
            if let Some(node) = tree.node(*child) {
                entries.push(Entry {
                    name,
                    inode: slot(*child),
                    file_type: file_type(&node.kind),
                });
            }
        }
    }
    Directory::new(entries)
}

/// The inode of a directory whose entries have `size` bytes, still without address, and the number of bytes behind it.
fn directory_inode(tree: &Tree, node: &Node, size: usize, common: Time) -> (Inode, usize) {
    let mut inode = Inode {
        size: size as u64,
        links: 2,
        ..inode(node, DIRECTORY)
    };
    if let Kind::Directory(directory) = &node.kind {
        let children = directory.children.values();
        let is_directory = |id: &Id| {
            let kind = tree.node(*id).map(|node| &node.kind);
            matches!(kind, Some(Kind::Directory(_)))
        };
        inode.links += u32::try_from(children.filter(|id| is_directory(id)).count()).unwrap_or(0);
    }
    let rest = size % BLOCK;
    if rest > 0 && inode.bytes(common) + node.attributes.size() + rest <= BLOCK {
        inode.layout = Layout::Inline;
        return (inode, rest);
    }
    (inode, 0)
}

/// The inode of anything but a directory, and the number of bytes behind it.
fn file_inode(node: &Node, written: &Written) -> (Inode, usize) {
    let with = |number: &Number, kind| {
        let content = place(*number, written);
        let layout = match content.tail {
            Some(_) => Layout::Inline,
            None => Layout::Plain,
        };
        let inode = Inode {
            layout,
            size: content.size,
            address: content.block,
            ..inode(node, kind)
        };
        (inode, content.tail_size())
    };
    match &node.kind {
        Kind::Regular(content) => with(content, REGULAR),
        Kind::SymbolicLink { content, .. } => with(content, SYMBOLIC_LINK),
        Kind::Device { is_block, number } => {
            let kind = if *is_block {
                BLOCK_DEVICE
            } else {
                CHARACTER_DEVICE
            };
            let device = Inode {
                address: *number,
                ..inode(node, kind)
            };
            (device, 0)
        }
        Kind::Fifo => (inode(node, FIFO), 0),
        // The device 0:0.
        Kind::Whiteout | Kind::Lower(_) | Kind::Directory(_) => (inode(node, CHARACTER_DEVICE), 0),
    }
}

/// An inode without content.
fn inode(node: &Node, kind: u16) -> Inode {
    Inode {
        layout: Layout::Plain,
        attributes: node.attributes.size(),
        mode: kind | node.metadata.mode,
        size: 0,
        address: 0,
        number: 0,
        user: node.metadata.user,
        group: node.metadata.group,
        time: node.metadata.time,
        links: node.links,
    }
}

/// Where a content is. A file whose content was not written is empty.
fn place(number: Number, written: &Written) -> Content {
    written.get(&number).copied().unwrap_or_default()
}

fn behind_inode(node: &Node, written: &Written, tails: &mut Tails) -> Result<Vec<u8>, Error> {
    match &node.kind {
        Kind::Regular(number)
        | Kind::SymbolicLink {
            content: number, ..
        } => {
            let content = place(*number, written);
            match content.tail {
                Some(offset) => tails.read(offset, content.tail_size()),
                None => Ok(Vec::new()),
            }
        }
        _ => Ok(Vec::new()),
    }
}

fn file_type(kind: &Kind) -> FileType {
    match kind {
        Kind::Directory(_) => FileType::Directory,
        Kind::Regular(_) => FileType::Regular,
        Kind::SymbolicLink { .. } => FileType::SymbolicLink,
        Kind::Device { is_block: true, .. } => FileType::BlockDevice,
        Kind::Device { .. } | Kind::Whiteout | Kind::Lower(_) => FileType::CharacterDevice,
        Kind::Fifo => FileType::Fifo,
    }
}

/// The first bytes of a digest, with the version and variant of a UUID of one's own making.
///
/// Source: RFC 9562, section 5.8.
pub(super) fn uuid(digest: &Digest) -> [u8; 16] {
    let mut uuid = [0; 16];
    for (byte, from) in uuid.iter_mut().zip(digest.as_bytes()) {
        *byte = *from;
    }
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut uuid;
    *version = *version & 0x0f | 0x80;
    *variant = *variant & 0x3f | 0x80;
    uuid
}
