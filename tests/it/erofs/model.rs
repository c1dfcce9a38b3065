//! Layers that become one image, beside a simple model of it: paths in a map, changed as overlayfs would.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::support::properties::erofs_image::{self, Image};
use crate::support::properties::rootfs;

/// What a layer may list.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// A file with this content.
    File(u32),
    /// A directory with these permissions.
    Directory(u32),
    /// A symbolic link.
    SymbolicLink,
    /// A further name of the file at another path.
    Link(String),
    /// What hides a name of lower layers.
    Whiteout,
    /// What hides all that lower layers have in a directory.
    Opaque,
}

/// The paths and changes of one layer.
pub(super) type Changes = Vec<(String, Change)>;

/// Paths of few names, so that changes meet.
fn path() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "c"]);
    prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"))
}

/// A few layers.
pub(super) fn layers() -> impl Strategy<Value = Vec<Changes>> {
    let change = prop_oneof![
        4 => any::<u32>().prop_map(Change::File),
        3 => (0..0o1000u32).prop_map(Change::Directory),
        1 => Just(Change::SymbolicLink),
        2 => path().prop_map(Change::Link),
        2 => Just(Change::Whiteout),
        1 => Just(Change::Opaque),
    ];
    let layer = prop::collection::vec((path(), change), 0..10);
    prop::collection::vec(layer, 1..5)
}

/// A file as the model knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    /// A directory, with permissions if it is listed.
    Directory {
        mode: Option<u32>,
        is_opaque: bool,
    },
    /// A file or a symbolic link, by the number of the change that made it.
    Other(usize),
    Whiteout,
}

type Tree = BTreeMap<String, Node>;

/// The model: the merged tree, and the changes that made its files.
#[derive(Debug, Default)]
struct Model {
    merged: Tree,
    made: Vec<Change>,
    /// The layers as archives, without the changes that would make them invalid.
    archives: Vec<Vec<u8>>,
}

fn below<'t>(tree: &'t Tree, path: &str) -> Vec<&'t String> {
    let prefix = format!("{path}/");
    tree.keys()
        .filter(|other| other.starts_with(&prefix))
        .collect()
}

fn remove(tree: &mut Tree, path: &str) {
    for other in below(tree, path).into_iter().cloned().collect::<Vec<_>>() {
        tree.remove(&other);
    }
    tree.remove(path);
}

fn parents(path: &str) -> Vec<String> {
    let ends = path.match_indices('/');
    ends.map(|(end, _)| path[..end].to_owned()).collect()
}

impl Model {
    fn of(layers: &[Changes]) -> Self {
        let mut model = Self::default();
        for changes in layers {
            model.add(changes);
        }
        model
    }

    fn add(&mut self, changes: &Changes) {
        let mut layer = Tree::new();
        let mut builder = tar::Builder::new(Vec::new());
        for (path, change) in changes {
            let parents = parents(path);
            let is_file = |parent: &String| matches!(layer.get(parent), Some(Node::Other(_)));
            if parents.iter().any(is_file) {
                continue;
            }
            if matches!(change, Change::Opaque) && is_file(path) {
                continue;
            }
            let target = match change {
                Change::Link(target) => match self.target(&layer, target) {
                    Some(target) => Some(target),
                    None => continue,
                },
                _ => None,
            };
            for parent in parents {
                directory(&mut layer, &parent, None);
            }
            self.apply(&mut layer, path, change, target);
            append(&mut builder, path, change);
        }
        self.archives.push(builder.into_inner().unwrap());
        self.merge(layer);
    }

    /// The number of the file that a hard link means.
    fn target(&self, layer: &Tree, target: &str) -> Option<usize> {
        match layer.get(target) {
            Some(Node::Other(number)) => Some(*number),
            Some(_) => None,
            // What a parent in this layer hides may still be a target, and so it is in the lower layers.
            None => match self.merged.get(target) {
                Some(Node::Other(number)) => Some(*number),
                _ => None,
            },
        }
    }

    fn apply(&mut self, layer: &mut Tree, path: &str, change: &Change, target: Option<usize>) {
        match change {
            Change::Directory(mode) => directory(layer, path, Some(*mode)),
            Change::Link(_) => {
                // A link to itself changes nothing.
                let node = Node::Other(target.unwrap());
                if layer.get(path) != Some(&node) {
                    remove(layer, path);
                    layer.insert(path.to_owned(), node);
                }
            }
            Change::File(_) | Change::SymbolicLink => {
                remove(layer, path);
                layer.insert(path.to_owned(), Node::Other(self.made.len()));
                self.made.push(change.clone());
            }
            Change::Whiteout => match layer.get_mut(path) {
                Some(Node::Directory { is_opaque, .. }) => *is_opaque = true,
                Some(_) => {}
                None => drop(layer.insert(path.to_owned(), Node::Whiteout)),
            },
            Change::Opaque => {
                directory(layer, path, None);
                if let Some(Node::Directory { is_opaque, .. }) = layer.get_mut(path) {
                    *is_opaque = true;
                }
            }
        }
    }

    fn merge(&mut self, layer: Tree) {
        for (path, node) in layer {
            let existing = self.merged.get_mut(&path);
            match (node, existing) {
                (Node::Whiteout, _) => remove(&mut self.merged, &path),
                (
                    Node::Directory {
                        mode,
                        is_opaque: false,
                    },
                    Some(Node::Directory { mode: existing, .. }),
                ) => *existing = mode.or(*existing),
                (node, _) => {
                    remove(&mut self.merged, &path);
                    self.merged.insert(path, node);
                }
            }
        }
    }

    /// Compares an image with the model.
    fn assert_is(&self, image: &Image) {
        let paths: Vec<&String> = self.merged.keys().collect();
        assert_eq!(image.paths().iter().collect::<Vec<_>>(), paths);
        let mut inodes = BTreeMap::new();
        for (path, node) in &self.merged {
            let file = image.file(path);
            assert!(file.attributes.is_empty(), "{path}");
            match node {
                Node::Directory { mode, .. } => {
                    let mode = u16::try_from(mode.unwrap_or(0o755)).unwrap();
                    assert_eq!(file.mode, 0o040_000 | mode, "{path}");
                }
                Node::Other(number) => {
                    let (kind, content) = match &self.made[*number] {
                        Change::File(seed) => (0o100_000, content(*seed)),
                        _ => (0o120_000, b"nowhere".to_vec()),
                    };
                    assert_eq!(file.mode & 0o170_000, kind, "{path}");
                    assert!(file.content == content, "{path}");
                    let inode = *inodes.entry(number).or_insert(file.inode);
                    assert_eq!(file.inode, inode, "{path}");
                }
                Node::Whiteout => panic!("{path} is a whiteout"),
            }
        }
    }
}

/// Makes a directory where there is none, as an unpacker does.
fn directory(layer: &mut Tree, path: &str, mode: Option<u32>) {
    match layer.get_mut(path) {
        Some(Node::Directory { mode: existing, .. }) => *existing = mode.or(*existing),
        other => {
            let is_opaque = matches!(other, Some(Node::Whiteout));
            layer.insert(path.to_owned(), Node::Directory { mode, is_opaque });
        }
    }
}

/// Contents of different sizes: empty ones, some that fit behind an inode, some of several blocks.
fn content(seed: u32) -> Vec<u8> {
    let size = [0, 1, 100, 4032, 4096, 5000, 20_000][seed as usize % 7];
    vec![u8::try_from(seed % 251).unwrap(); size]
}

fn append(builder: &mut tar::Builder<Vec<u8>>, path: &str, change: &Change) {
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    let (parent, name) = path.rsplit_once('/').unwrap_or((".", path));
    let mut bytes = Vec::new();
    let path = match change {
        Change::File(seed) => {
            bytes = content(*seed);
            path.to_owned()
        }
        Change::Directory(mode) => {
            header.set_entry_type(tar::EntryType::Directory);
            header.set_mode(*mode);
            path.to_owned()
        }
        Change::SymbolicLink => {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_link_name("nowhere").unwrap();
            path.to_owned()
        }
        Change::Link(target) => {
            header.set_entry_type(tar::EntryType::Link);
            header.set_link_name(target).unwrap();
            path.to_owned()
        }
        Change::Whiteout => format!("{parent}/.wh.{name}"),
        Change::Opaque => format!("{path}/.wh..wh..opq"),
    };
    header.set_size(bytes.len() as u64);
    builder.append_data(&mut header, path, &bytes[..]).unwrap();
}

/// The image of some layers is what the model says, and the same bytes again.
pub(super) fn is_as_the_model(layers: &[Changes]) {
    let model = Model::of(layers);
    let image = rootfs::write(&model.archives, &[]).unwrap();
    model.assert_is(&erofs_image::read(&image));
    assert!(rootfs::write(&model.archives, &[]).unwrap() == image);
}
