//! Layers as one tree, as overlayfs shows them: a later layer's files replace those of earlier ones, directories are
//! merged, whiteouts and opaque directories hide what is below.
//!
//! Sources: Linux, `Documentation/filesystems/overlayfs.rst`; OCI image specification, `layer.md`, section "Applying
//! Changesets".

use super::error::EntryError;
use super::tree::{Directory, Id, Kind, Node, ROOT, Tree};

/// One name of a node in the tree of a layer.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    node: Id,
    parent: Id,
    text: Box<[u8]>,
}

/// Adds a layer to the tree of all layers below it.
///
/// Nodes keep their order: new directories come before the other new nodes, and these have the order of the archive.
/// A directory that the layer does not list keeps its metadata.
pub(super) fn merge(lower: &mut Tree, mut layer: Tree) -> Result<(), EntryError> {
    let mut at = vec![ROOT; layer.len()];
    root(lower, &mut layer)?;
    let (directories, others) = names(&layer);
    // A directory follows its parent: it has one name, and was made after its parent.
    for Name { node, parent, text } in directories {
        let parent = at.get(parent).copied().unwrap_or(ROOT);
        if let (Some(directory), Some(place)) = (layer.take(node), at.get_mut(node)) {
            *place = merge_directory(lower, parent, &text, &directory)?;
        }
    }
    // The node whose names these are, and what it has become.
    let mut current = None;
    for Name { node, parent, text } in others {
        let parent = at.get(parent).copied().unwrap_or(ROOT);
        match current {
            Some((of, Some(id))) if of == node => lower.link(parent, &text, id)?,
            Some((of, None)) if of == node => lower.remove(parent, &text),
            _ => {
                let Some(file) = layer.take(node) else {
                    continue;
                };
                current = Some((node, merge_file(lower, parent, &text, file)?));
            }
        }
    }
    Ok(())
}

/// Adds the first name of a file. Returns its node, unless it is a whiteout.
fn merge_file(
    lower: &mut Tree,
    parent: Id,
    name: &[u8],
    file: Node,
) -> Result<Option<Id>, EntryError> {
    match file.kind {
        Kind::Whiteout
        | Kind::Device {
            is_block: false,
            number: 0,
        } => {
            lower.remove(parent, name);
            Ok(None)
        }
        Kind::Lower(id) => {
            lower.link(parent, name, id)?;
            Ok(Some(id))
        }
        kind => {
            let file = Node::new(kind, file.metadata, file.attributes);
            lower.insert(parent, name, file).map(Some)
        }
    }
}

fn root(lower: &mut Tree, layer: &mut Tree) -> Result<(), EntryError> {
    let Some(mut node) = layer.node(ROOT).map(described) else {
        return Ok(());
    };
    if node.attributes.take_opaque() {
        lower.clear(ROOT);
    }
    replace_metadata(lower, ROOT, node)
}

/// A directory without its names.
fn described(node: &Node) -> Node {
    let is_listed = matches!(&node.kind, Kind::Directory(directory) if directory.is_listed);
    let directory = Directory {
        is_listed,
        ..Directory::default()
    };
    Node::new(
        Kind::Directory(directory),
        node.metadata,
        node.attributes.clone(),
    )
}

fn merge_directory(
    lower: &mut Tree,
    parent: Id,
    name: &[u8],
    node: &Node,
) -> Result<Id, EntryError> {
    let mut node = described(node);
    let is_opaque = node.attributes.take_opaque();
    let existing = lower.child(parent, name);
    let kind = existing.and_then(|id| Some((id, &lower.node(id)?.kind)));
    match kind {
        Some((id, Kind::Directory(_))) if !is_opaque => {
            replace_metadata(lower, id, node)?;
            return Ok(id);
        }
        Some(_) => lower.remove(parent, name),
        None => {}
    }
    lower.insert(parent, name, node)
}

/// Gives a directory the metadata and the attributes of the later layer, if that lists it.
fn replace_metadata(lower: &mut Tree, id: Id, node: Node) -> Result<(), EntryError> {
    match node.kind {
        Kind::Directory(Directory {
            is_listed: true, ..
        }) => {
            lower.forget_attributes(id);
            lower.update(id, node.metadata, node.attributes)
        }
        _ => Ok(()),
    }
}

/// The names of directories, and those of all other nodes, in the order of the nodes.
fn names(layer: &Tree) -> (Vec<Name>, Vec<Name>) {
    let (mut directories, mut others) = (Vec::new(), Vec::new());
    for (parent, node) in layer.nodes() {
        let Kind::Directory(directory) = &node.kind else {
            continue;
        };
        for (name, node) in &directory.children {
            let is_directory = layer
                .node(*node)
                .is_some_and(|node| matches!(node.kind, Kind::Directory(_)));
            let list = if is_directory {
                &mut directories
            } else {
                &mut others
            };
            list.push(Name {
                node: *node,
                parent,
                text: name.clone(),
            });
        }
    }
    directories.sort_unstable();
    others.sort_unstable();
    (directories, others)
}
