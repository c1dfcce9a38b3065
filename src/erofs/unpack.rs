//! From the entries of an archive to the tree and the contents of an image.

use std::io::BufRead;

use super::attributes::Attributes;
use super::contents::{Contents, Number};
use super::error::{EntryError, Error};
use super::format::{BLOCK, Inode, device_number};
use super::name::Path;
use super::tar::{Archive, Entry};
use super::tree::{Directory, Kind, Metadata, Node, ROOT, Tree};

/// The prefix of the name of a whiteout.
const WHITEOUT: &[u8] = b".wh.";
/// The prefix of names of aufs, which mean nothing to others.
const AUFS: &[u8] = b".wh..wh.";
/// The name that hides what lower layers have in its directory.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Linux gives these permissions to all symbolic links, whatever the archive states.
const SYMBOLIC_LINK_MODE: u16 = 0o777;

/// The longest target of a symbolic link, in bytes.
const MAX_TARGET: usize = 4095;

/// Reads a whole archive, and returns what follows it with the tree.
pub(super) fn unpack<R: BufRead>(
    input: R,
    contents: &mut Contents<'_>,
) -> Result<(R, Tree), Error> {
    let mut archive = Archive::new(input);
    let mut tree = Tree::new();
    let mut number = 0;
    while let Some(entry) = archive.next()? {
        number += 1;
        let path = Path::parse(&entry.name).map_err(|error| Error::entry(&entry.name, error))?;
        // Directories of aufs are at the root.
        if path.first().is_some_and(is_of_aufs) {
            continue;
        }
        let Some((parents, name)) = path.split() else {
            root(&mut tree, &entry).map_err(|error| Error::entry(&entry.name, error))?;
            continue;
        };
        let made = match name.strip_prefix(WHITEOUT) {
            _ if is_of_aufs(name) => Ok(None),
            Some(hidden) => whiteout(&mut tree, parents, name, hidden, &entry).map(|()| None),
            None => node(&mut tree, parents, name, number, &entry),
        };
        let made = made.map_err(|error| Error::entry(&entry.name, error))?;
        let Some((parent, node)) = made else {
            continue;
        };
        let room = BLOCK - Inode::EXTENDED - node.attributes.size();
        match &node.kind {
            Kind::Regular(_) => {
                contents.file(number, entry.size, room, &entry.segments, |length, take| {
                    archive.content(length, take)
                })?;
            }
            Kind::SymbolicLink { target, .. } => contents.bytes(number, target, room)?,
            _ => {}
        }
        tree.insert(parent, name, node)
            .map_err(|error| Error::entry(&entry.name, error))?;
    }
    Ok((archive.finish()?, tree))
}

fn is_of_aufs(name: &[u8]) -> bool {
    name.starts_with(AUFS) && name != OPAQUE
}

/// An entry for the root itself.
fn root(tree: &mut Tree, entry: &Entry) -> Result<(), EntryError> {
    if entry.kind != b'5' {
        return Err(EntryError::Root);
    }
    tree.update(ROOT, metadata(entry)?, attributes(entry)?)
}

fn whiteout(
    tree: &mut Tree,
    parents: &[&[u8]],
    name: &[u8],
    hidden: &[u8],
    entry: &Entry,
) -> Result<(), EntryError> {
    if matches!(hidden, b"" | b"." | b"..") {
        return Err(EntryError::Whiteout);
    }
    let parent = tree.make_parents(parents)?;
    if name == OPAQUE {
        return tree.set_opaque(parent);
    }
    let metadata = Metadata {
        mode: 0,
        ..metadata(entry)?
    };
    tree.white_out(parent, hidden, metadata)
}

/// The node of an entry, still without content, and its parent; `None` if the entry is a further name of a file.
fn node(
    tree: &mut Tree,
    parents: &[&[u8]],
    name: &[u8],
    number: Number,
    entry: &Entry,
) -> Result<Option<(usize, Node)>, EntryError> {
    let kind = match entry.kind {
        b'0' | b'7' => Kind::Regular(number),
        b'1' => {
            link(tree, parents, name, entry)?;
            return Ok(None);
        }
        b'2' => Kind::SymbolicLink {
            target: target(entry)?,
            content: number,
        },
        b'3' | b'4' => {
            let (major, minor) = (entry.major, entry.minor);
            Kind::Device {
                is_block: entry.kind == b'4',
                number: device_number(major, minor).ok_or(EntryError::Device { major, minor })?,
            }
        }
        b'5' => Kind::Directory(Directory::default()),
        b'6' => Kind::Fifo,
        other => return Err(EntryError::Type(other)),
    };
    let attributes = match kind {
        Kind::Regular(_) | Kind::Directory(_) => attributes(entry)?,
        _ => attributes(entry)?.without_user(),
    };
    let mut metadata = metadata(entry)?;
    if let Kind::SymbolicLink { .. } = kind {
        metadata.mode = SYMBOLIC_LINK_MODE;
    }
    let node = Node::new(kind, metadata, attributes);
    Ok(Some((tree.make_parents(parents)?, node)))
}

fn link(tree: &mut Tree, parents: &[&[u8]], name: &[u8], entry: &Entry) -> Result<(), EntryError> {
    let shown = || String::from_utf8_lossy(&entry.link).into_owned();
    let path = Path::parse(&entry.link)?;
    let Some((target_parents, target_name)) = path.split() else {
        return Err(EntryError::LinkToDirectory(shown()));
    };
    let target = tree.find(target_parents, target_name)?;
    let kind = target.and_then(|id| Some((id, &tree.node(id)?.kind)));
    match kind {
        Some((_, Kind::Directory(_))) => Err(EntryError::LinkToDirectory(shown())),
        None | Some((_, Kind::Whiteout)) => Err(EntryError::LinkTarget(shown())),
        Some((target, _)) => {
            let parent = tree.make_parents(parents)?;
            tree.link(parent, name, target)
        }
    }
}

fn target(entry: &Entry) -> Result<Box<[u8]>, EntryError> {
    if entry.link.is_empty() || entry.link.len() > MAX_TARGET {
        return Err(EntryError::SymbolicLinkTarget);
    }
    if entry.link.contains(&0) {
        return Err(EntryError::ZeroByte);
    }
    Ok(entry.link.as_slice().into())
}

fn metadata(entry: &Entry) -> Result<Metadata, EntryError> {
    // Linux has no owner with the highest number: it means "unchanged".
    let owner = |id: u64| {
        let owner = u32::try_from(id).ok().filter(|id| *id != u32::MAX);
        owner.ok_or(EntryError::Owner(id))
    };
    Ok(Metadata {
        mode: entry.mode,
        user: owner(entry.user)?,
        group: owner(entry.group)?,
        time: entry.time,
    })
}

fn attributes(entry: &Entry) -> Result<Attributes, EntryError> {
    let mut attributes = Attributes::default();
    for (name, value) in &entry.attributes {
        attributes.set(name, value)?;
    }
    Ok(attributes)
}
