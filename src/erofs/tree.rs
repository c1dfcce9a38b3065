//! The tree of a layer's files in memory, and what each entry of the archive does to it: what an unpacker would do to a
//! directory.
//!
//! Sources: containerd, `pkg/archive/tar.go` (replaced files, parents that are not listed, symbolic links among
//! parents); OCI image specification, `layer.md`, section "Whiteouts".

use std::collections::BTreeMap;

use super::attributes::Attributes;
use super::contents::Number;
use super::error::EntryError;
use super::format::Time;

/// The number of a node. The root has 0.
pub(super) type Id = usize;

pub(super) const ROOT: Id = 0;

/// Images have fewer files; so a hostile layer takes no more than some hundred megabytes of memory.
const MAX_FILES: usize = 1 << 20;

/// Names, targets of symbolic links and extended attributes have at most this many bytes in all.
const MAX_METADATA: usize = 256 << 20;

/// On the way to one entry, symbolic links add no more names than this.
const MAX_STEPS: usize = 4096;

/// The permissions of parents that are not listed.
const PARENT_MODE: u16 = 0o755;

/// The permissions, the owner and the time of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) mode: u16,
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) time: Time,
}

/// A file of any type.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) metadata: Metadata,
    pub(super) attributes: Attributes,
    /// The number of names. A node without one is not part of the image.
    pub(super) links: u32,
}

/// The type of a file, with what only that type has.
#[derive(Debug)]
pub(super) enum Kind {
    Directory(Directory),
    Regular(Number),
    SymbolicLink {
        target: Box<[u8]>,
        content: Number,
    },
    Device {
        is_block: bool,
        number: u32,
    },
    Fifo,
    Whiteout,
    /// A further name of a file of lower layers, by its number in their tree.
    Lower(Id),
}

/// The names in a directory.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) parent: Id,
    pub(super) children: BTreeMap<Box<[u8]>, Id>,
    /// Whether a layer lists it. Otherwise it is only the parent of others, and its metadata mean nothing.
    pub(super) is_listed: bool,
}

impl Directory {
    /// A directory that a layer lists, still without names.
    pub(super) fn listed() -> Self {
        Self {
            is_listed: true,
            ..Self::default()
        }
    }
}

impl Node {
    pub(super) fn new(kind: Kind, metadata: Metadata, attributes: Attributes) -> Self {
        Self {
            kind,
            metadata,
            attributes,
            links: 1,
        }
    }

    /// A directory that the layer does not list.
    fn unlisted_directory() -> Self {
        let metadata = Metadata {
            mode: PARENT_MODE,
            user: 0,
            group: 0,
            time: Time::default(),
        };
        let kind = Kind::Directory(Directory::default());
        Self::new(kind, metadata, Attributes::default())
    }
}

/// The tree of a layer.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The number of bytes in names, targets and extended attributes.
    bytes: usize,
}

impl Tree {
    /// A root without names.
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::unlisted_directory()],
            bytes: 0,
        }
    }

    /// The nodes that are part of the image, in the order of the archive. The root is the first.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (Id, &Node)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(_, node)| node.links > 0)
    }

    /// The number of all nodes, also of those that are not part of the image.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// Returns the directory that these names lead to, and makes what is missing.
    pub(super) fn make_parents(&mut self, names: &[&[u8]]) -> Result<Id, EntryError> {
        let mut walk = Walk::new(names);
        while let Some(name) = walk.next_name() {
            let child = self.child(walk.at, &name);
            match child.and_then(|id| self.node(id)).map(|node| &node.kind) {
                Some(Kind::SymbolicLink { target, .. }) => walk.follow(target)?,
                Some(Kind::Directory(_)) => walk.at = child.unwrap_or(ROOT),
                Some(Kind::Whiteout) | None => {
                    let directory = Node::unlisted_directory();
                    walk.at = self.insert(walk.at, &name, directory)?;
                }
                Some(_) => return Err(EntryError::NotADirectory),
            }
            walk.climb(|id| self.parent(id));
        }
        Ok(walk.at)
    }

    /// Returns the node that these names lead to. The last one may be a symbolic link, which is not followed.
    pub(super) fn find(&self, parents: &[&[u8]], name: &[u8]) -> Result<Option<Id>, EntryError> {
        let mut walk = Walk::new(parents);
        while let Some(name) = walk.next_name() {
            let Some(child) = self.child(walk.at, &name) else {
                return Ok(None);
            };
            match self.node(child).map(|node| &node.kind) {
                Some(Kind::SymbolicLink { target, .. }) => walk.follow(target)?,
                Some(Kind::Directory(_)) => walk.at = child,
                _ => return Ok(None),
            }
            walk.climb(|id| self.parent(id));
        }
        Ok(self.child(walk.at, name))
    }

    /// Gives a node a name. Of two directories, the later one's metadata count and the names of both; all else is
    /// replaced. A directory in the place of a whiteout hides what lower layers have there.
    pub(super) fn insert(
        &mut self,
        parent: Id,
        name: &[u8],
        mut node: Node,
    ) -> Result<Id, EntryError> {
        let existing = self.child(parent, name);
        if let Kind::Directory(directory) = &mut node.kind {
            directory.parent = parent;
            match existing.and_then(|id| Some((id, &self.node(id)?.kind))) {
                Some((id, Kind::Directory(_))) => {
                    self.update(id, node.metadata, node.attributes)?;
                    return Ok(id);
                }
                Some((_, Kind::Whiteout)) => node.attributes.set_opaque()?,
                _ => {}
            }
        }
        let target = match &node.kind {
            Kind::SymbolicLink { target, .. } => target.len(),
            _ => 0,
        };
        self.count(target + node.attributes.size())?;
        if self.nodes.len() == MAX_FILES {
            return Err(EntryError::Files { limit: MAX_FILES });
        }
        let id = self.nodes.len();
        self.nodes.push(node);
        self.name(parent, name, id)?;
        Ok(id)
    }

    /// Replaces the metadata of a directory, and sets attributes of it.
    pub(super) fn update(
        &mut self,
        id: Id,
        metadata: Metadata,
        attributes: Attributes,
    ) -> Result<(), EntryError> {
        self.count(attributes.size())?;
        if let Some(node) = self.nodes.get_mut(id) {
            if let Kind::Directory(directory) = &mut node.kind {
                directory.is_listed = true;
            }
            node.metadata = metadata;
            node.attributes.merge(attributes)?;
        }
        Ok(())
    }

    /// Takes away all attributes of a node.
    pub(super) fn forget_attributes(&mut self, id: Id) {
        if let Some(node) = self.nodes.get_mut(id) {
            node.attributes = Attributes::default();
        }
    }

    /// Gives a file another name.
    pub(super) fn link(&mut self, parent: Id, name: &[u8], target: Id) -> Result<(), EntryError> {
        if self.child(parent, name) == Some(target) {
            return Ok(());
        }
        if let Some(node) = self.nodes.get_mut(target) {
            node.links += 1;
        }
        self.name(parent, name, target)
    }

    /// Hides a name of lower layers. What this layer itself has there stays, since whiteouts are for lower layers only.
    pub(super) fn white_out(
        &mut self,
        parent: Id,
        name: &[u8],
        metadata: Metadata,
    ) -> Result<(), EntryError> {
        if let Some(id) = self.child(parent, name) {
            let kind = self.node(id).map(|node| &node.kind);
            return match kind {
                Some(Kind::Directory(_)) => self.set_opaque(id),
                _ => Ok(()),
            };
        }
        let whiteout = Node::new(Kind::Whiteout, metadata, Attributes::default());
        self.insert(parent, name, whiteout).map(drop)
    }

    /// Hides all that lower layers have in a directory.
    pub(super) fn set_opaque(&mut self, id: Id) -> Result<(), EntryError> {
        match self.nodes.get_mut(id) {
            Some(node) => node.attributes.set_opaque(),
            None => Ok(()),
        }
    }

    pub(super) fn child(&self, parent: Id, name: &[u8]) -> Option<Id> {
        match &self.node(parent)?.kind {
            Kind::Directory(directory) => directory.children.get(name).copied(),
            _ => None,
        }
    }

    fn parent(&self, id: Id) -> Id {
        match self.node(id).map(|node| &node.kind) {
            Some(Kind::Directory(directory)) => directory.parent,
            _ => ROOT,
        }
    }

    /// Lets a name stand for a node, and takes it from the one that had it.
    fn name(&mut self, parent: Id, name: &[u8], id: Id) -> Result<(), EntryError> {
        self.count(name.len())?;
        let replaced = match self.nodes.get_mut(parent).map(|node| &mut node.kind) {
            Some(Kind::Directory(directory)) => directory.children.insert(name.into(), id),
            _ => None,
        };
        self.release(replaced);
        Ok(())
    }

    /// Removes a name, and all that is below it.
    pub(super) fn remove(&mut self, parent: Id, name: &[u8]) {
        let removed = match self.nodes.get_mut(parent).map(|node| &mut node.kind) {
            Some(Kind::Directory(directory)) => directory.children.remove(name),
            _ => None,
        };
        self.release(removed);
    }

    /// Removes all that is in a directory.
    pub(super) fn clear(&mut self, id: Id) {
        if let Some(Kind::Directory(directory)) = self.nodes.get_mut(id).map(|node| &mut node.kind)
        {
            let removed = std::mem::take(&mut directory.children);
            self.release(removed.into_values());
        }
    }

    /// Takes one name from each of these nodes, and from all that is below those without a name.
    fn release(&mut self, nodes: impl IntoIterator<Item = Id>) {
        // Not by recursion: a layer can be deeper than the stack.
        let mut removed: Vec<_> = nodes.into_iter().collect();
        while let Some(id) = removed.pop() {
            let Some(node) = self.nodes.get_mut(id) else {
                continue;
            };
            node.links = node.links.saturating_sub(1);
            if let Kind::Directory(directory) = &mut node.kind {
                removed.extend(std::mem::take(&mut directory.children).into_values());
            }
        }
    }

    /// Takes a node out of the tree, which is not used as a whole any more.
    pub(super) fn take(&mut self, id: Id) -> Option<Node> {
        let empty = Node::unlisted_directory();
        self.nodes
            .get_mut(id)
            .map(|node| std::mem::replace(node, empty))
    }

    fn count(&mut self, bytes: usize) -> Result<(), EntryError> {
        self.bytes += bytes;
        if self.bytes > MAX_METADATA {
            return Err(EntryError::Metadata {
                limit: MAX_METADATA,
            });
        }
        Ok(())
    }
}

/// A walk along names, from the root. Symbolic links lead no higher than the root.
struct Walk {
    at: Id,
    /// The names that are left, the next one last.
    names: Vec<Box<[u8]>>,
    steps: usize,
}

impl Walk {
    fn new(names: &[&[u8]]) -> Self {
        Self {
            at: ROOT,
            names: names.iter().rev().map(|name| Box::from(*name)).collect(),
            steps: 0,
        }
    }

    fn next_name(&mut self) -> Option<Box<[u8]>> {
        self.names.pop()
    }

    /// Puts the names of a symbolic link's target before those that are left.
    fn follow(&mut self, target: &[u8]) -> Result<(), EntryError> {
        if target.starts_with(b"/") {
            self.at = ROOT;
        }
        let before = self.names.len();
        let names = target.split(|byte| *byte == b'/').rev();
        let names = names.filter(|name| !matches!(*name, b"" | b"."));
        self.names.extend(names.map(Box::from));
        self.steps += self.names.len() - before + 1;
        if self.steps > MAX_STEPS {
            return Err(EntryError::SymbolicLinks);
        }
        Ok(())
    }

    /// Goes to the parent for each `..` that is next.
    fn climb(&mut self, parent: impl Fn(Id) -> Id) {
        while self.names.pop_if(|name| **name == *b"..").is_some() {
            self.at = parent(self.at);
        }
    }
}

#[cfg(test)]
mod tests;
