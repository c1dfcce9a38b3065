//! From the entries of an archive to the tree and the contents of an image.

use std::collections::HashMap;
use std::io::BufRead;

use super::attributes::Attributes;
use super::contents::{Contents, Number};
use super::error::{EntryError, Error};
use super::format::{BLOCK, Inode, device_number};
use super::name::Path;
use super::tar::{Archive, Entry};
use super::tree::{Directory, Id, Kind, Metadata, Node, ROOT, Tree};

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
    let mut entries = Entries::new(input, 0);
    let mut tree = Tree::new();
    while let Some(entry) = entries.next()? {
        let Some((parent, name, node)) = add(&mut tree, None, &entry)? else {
            continue;
        };
        let room = room(&node);
        match node.kind {
            Kind::Regular(number)
            | Kind::SymbolicLink {
                content: number, ..
            } => {
                entries.content(&entry.entry, number, room, contents)?;
            }
            _ => {}
        }
        tree.insert(parent, &name, node)
            .map_err(|error| Error::entry(&entry.entry.name, error))?;
    }
    Ok((entries.finish()?, tree))
}

/// Reads an archive as [`unpack`] does, without the contents, as the layer above `lower`. Contents are numbered from
/// `first`. Returns the first number of the next layer, too.
pub(super) fn plan<R: BufRead>(
    input: R,
    first: Number,
    lower: &Tree,
) -> Result<(R, (Tree, Number)), Error> {
    let mut entries = Entries::new(input, first);
    let mut tree = Tree::new();
    while let Some(entry) = entries.next()? {
        if let Some((parent, name, node)) = add(&mut tree, Some(lower), &entry)? {
            tree.insert(parent, &name, node)
                .map_err(|error| Error::entry(&entry.entry.name, error))?;
        }
    }
    let next = entries.number;
    Ok((entries.finish()?, (tree, next)))
}

/// Reads an archive again, and writes the contents that have a room: the number of bytes that fit behind the inode.
pub(super) fn fill<R: BufRead>(
    input: R,
    first: Number,
    rooms: &HashMap<Number, usize>,
    contents: &mut Contents<'_>,
) -> Result<R, Error> {
    let mut entries = Entries::new(input, first);
    while let Some(Numbered { number, entry }) = entries.next()? {
        if let Some(room) = rooms.get(&number) {
            entries.content(&entry, number, *room, contents)?;
        }
    }
    entries.finish()
}

/// The number of bytes that fit behind an inode.
pub(super) fn room(node: &Node) -> usize {
    BLOCK - Inode::EXTENDED - node.attributes.size()
}

/// The entries of an archive with their numbers.
struct Entries<R> {
    archive: Archive<R>,
    /// The number of the next entry.
    number: Number,
}

struct Numbered {
    number: Number,
    entry: Entry,
}

impl<R: BufRead> Entries<R> {
    fn new(input: R, number: Number) -> Self {
        let archive = Archive::new(input);
        Self { archive, number }
    }

    fn next(&mut self) -> Result<Option<Numbered>, Error> {
        let Some(entry) = self.archive.next()? else {
            return Ok(None);
        };
        let number = self.number;
        self.number += 1;
        Ok(Some(Numbered { number, entry }))
    }

    /// Writes the content of the entry that was read last: a file or a symbolic link.
    fn content(
        &mut self,
        entry: &Entry,
        number: Number,
        room: usize,
        contents: &mut Contents<'_>,
    ) -> Result<(), Error> {
        if entry.kind == b'2' {
            return contents.bytes(number, &entry.link, room);
        }
        let (size, segments) = (entry.size, &entry.segments);
        contents.file(number, size, room, segments, |length, take| {
            self.archive.content(length, take)
        })
    }

    fn finish(self) -> Result<R, Error> {
        self.archive.finish()
    }
}

/// A new node, with its parent and its name.
type Added = (Id, Box<[u8]>, Node);

/// Does to a tree what an entry means for it, but for a new node, which is returned with its parent and name.
fn add(tree: &mut Tree, lower: Option<&Tree>, entry: &Numbered) -> Result<Option<Added>, Error> {
    let Numbered { number, entry } = entry;
    let failed = |error| Error::entry(&entry.name, error);
    let path = Path::parse(&entry.name).map_err(failed)?;
    // Directories of aufs are at the root.
    if path.first().is_some_and(is_of_aufs) {
        return Ok(None);
    }
    let Some((parents, name)) = path.split() else {
        root(tree, entry).map_err(failed)?;
        return Ok(None);
    };
    let made = match name.strip_prefix(WHITEOUT) {
        _ if is_of_aufs(name) => Ok(None),
        Some(hidden) => whiteout(tree, parents, name, hidden, entry).map(|()| None),
        None if entry.kind == b'1' => link(tree, lower, parents, name, entry),
        None => node(tree, parents, *number, entry).map(Some),
    };
    let made = made.map_err(failed)?;
    Ok(made.map(|(parent, node)| (parent, name.into(), node)))
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

/// The node of an entry, still without content, and its parent.
fn node(
    tree: &mut Tree,
    parents: &[&[u8]],
    number: Number,
    entry: &Entry,
) -> Result<(Id, Node), EntryError> {
    let kind = match entry.kind {
        b'0' | b'7' => Kind::Regular(number),
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
        b'5' => Kind::Directory(Directory::listed()),
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
    Ok((tree.make_parents(parents)?, node))
}

/// Adds a further name of a file. Returns a node if the file is one of a lower layer.
fn link(
    tree: &mut Tree,
    lower: Option<&Tree>,
    parents: &[&[u8]],
    name: &[u8],
    entry: &Entry,
) -> Result<Option<(Id, Node)>, EntryError> {
    let shown = || String::from_utf8_lossy(&entry.link).into_owned();
    let path = Path::parse(&entry.link)?;
    let Some((target_parents, target_name)) = path.split() else {
        return Err(EntryError::LinkToDirectory(shown()));
    };
    let find = |tree: &Tree| {
        let found = tree.find(target_parents, target_name)?;
        let Some((id, node)) = found.and_then(|id| Some((id, tree.node(id)?))) else {
            return Ok(None);
        };
        match node.kind {
            Kind::Directory(_) => Err(EntryError::LinkToDirectory(shown())),
            Kind::Whiteout => Err(EntryError::LinkTarget(shown())),
            _ => Ok(Some(id)),
        }
    };
    if let Some(target) = find(tree)? {
        let parent = tree.make_parents(parents)?;
        return tree.link(parent, name, target).map(|()| None);
    }
    let Some(lower) = lower else {
        return Err(EntryError::LinkTarget(shown()));
    };
    let target = find(lower)?.ok_or_else(|| EntryError::NoLinkTarget(shown()))?;
    let node = Node::new(Kind::Lower(target), metadata(entry)?, Attributes::default());
    Ok(Some((tree.make_parents(parents)?, node)))
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
