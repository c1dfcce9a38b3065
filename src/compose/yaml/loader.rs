//! The loader, which makes documents of the parser's events. It resolves aliases and merge keys, and counts what it makes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use granit_parser::{Event, ScalarStyle};

use super::error::YamlError;
use super::node::{Change, Node, NodeContent};
use super::{MAX_NODES, MERGE};
use crate::printable::Printable;

/// The greatest depth of nodes, including aliases.
const MAX_DEPTH: usize = 100;

/// The greatest number of entries that merge keys may add.
const MAX_MERGED: usize = 100_000;

/// What was read of a file.
#[derive(Default)]
pub(super) struct Loader {
    /// The collections that have no end yet.
    open: Vec<Open>,
    anchors: HashMap<usize, Arc<Node>>,
    nodes: usize,
    merged: usize,
    documents: Vec<Arc<Node>>,
}

struct Open {
    anchor: usize,
    change: Change,
    items: Items,
}

enum Items {
    Sequence(Vec<Arc<Node>>),
    Mapping {
        entries: Vec<(String, Arc<Node>)>,
        /// The values of merge keys.
        merges: Vec<Arc<Node>>,
        /// The key of the next value.
        key: Key,
    },
}

#[derive(Default)]
enum Key {
    #[default]
    None,
    Scalar(String),
    /// A key that is not a scalar, which is ignored.
    Other,
}

impl Loader {
    /// Returns the documents that are complete.
    pub(super) fn finish(self) -> Vec<Arc<Node>> {
        self.documents
    }

    /// Adds the next event of the parser, which is on this line.
    pub(super) fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let change = Change::of(tag.as_deref());
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let is_null = change == Change::Reset
                    || plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let text = text.into_owned();
                self.put(NodeContent::Scalar { text, is_null }, change, anchor, line)
            }
            Event::Alias(anchor) => {
                // Inside of its own node an anchor is not defined yet.
                let node = self.anchors.get(&anchor).cloned();
                self.add(node.ok_or(YamlError::Alias(line))?);
                Ok(())
            }
            Event::SequenceStart(_, anchor, tag) => {
                let change = Change::of(tag.as_deref());
                self.begin(anchor, change, Items::Sequence(Vec::new()), line)
            }
            Event::MappingStart(_, anchor, tag) => {
                let items = Items::Mapping {
                    entries: Vec::new(),
                    merges: Vec::new(),
                    key: Key::None,
                };
                self.begin(anchor, Change::of(tag.as_deref()), items, line)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(line),
            _ => Ok(()),
        }
    }

    fn begin(
        &mut self,
        anchor: usize,
        change: Change,
        items: Items,
        line: usize,
    ) -> Result<(), YamlError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(YamlError::Depth(line));
        }
        self.open.push(Open {
            anchor,
            change,
            items,
        });
        Ok(())
    }

    fn end(&mut self, line: usize) -> Result<(), YamlError> {
        let Some(Open {
            anchor,
            change,
            items,
        }) = self.open.pop()
        else {
            return Ok(());
        };
        let content = match items {
            Items::Sequence(items) => NodeContent::Sequence(items),
            Items::Mapping {
                entries, merges, ..
            } => NodeContent::Mapping(self.merge(entries, &merges, line)?),
        };
        self.put(content, change, anchor, line)
    }

    /// Adds the entries of merged mappings to those of the mapping, which take precedence.
    fn merge(
        &mut self,
        own: Vec<(String, Arc<Node>)>,
        merges: &[Arc<Node>],
        line: usize,
    ) -> Result<Vec<(String, Arc<Node>)>, YamlError> {
        let mut positions = BTreeMap::new();
        let mut entries: Vec<(String, Arc<Node>)> = Vec::new();
        for (key, node) in own {
            if positions.insert(key.clone(), entries.len()).is_some() {
                let key = Printable::new(&key);
                return Err(YamlError::Twice { line, key });
            }
            entries.push((key, node));
        }
        let nodes = merges.iter().flat_map(|node| match &node.content {
            NodeContent::Sequence(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(node),
        });
        for node in nodes {
            let NodeContent::Mapping(others) = &node.content else {
                return Err(YamlError::Merge(line));
            };
            self.merged += others.len();
            if self.merged > MAX_MERGED {
                return Err(YamlError::TooMuch(line));
            }
            for (key, node) in others {
                if !positions.contains_key(key) {
                    positions.insert(key.clone(), entries.len());
                    entries.push((key.clone(), Arc::clone(node)));
                }
            }
        }
        Ok(entries)
    }

    fn put(
        &mut self,
        content: NodeContent,
        change: Change,
        anchor: usize,
        line: usize,
    ) -> Result<(), YamlError> {
        let below = match &content {
            NodeContent::Scalar { .. } => None,
            NodeContent::Sequence(items) => items.iter().map(|node| node.depth).max(),
            NodeContent::Mapping(entries) => entries.iter().map(|(_, node)| node.depth).max(),
        };
        let node = Arc::new(Node {
            content,
            change,
            depth: below.unwrap_or(0) + 1,
        });
        if node.depth > MAX_DEPTH {
            return Err(YamlError::Depth(line));
        }
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(YamlError::TooMany(line));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        self.add(node);
        Ok(())
    }

    /// Adds a node at the current place: as a document, an item, a key or a value.
    fn add(&mut self, node: Arc<Node>) {
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.documents.push(node),
            Some(Items::Sequence(items)) => items.push(node),
            Some(Items::Mapping {
                entries,
                merges,
                key,
            }) => match std::mem::take(key) {
                Key::None => {
                    *key = match &node.content {
                        NodeContent::Scalar { text, .. } => Key::Scalar(text.clone()),
                        _ => Key::Other,
                    };
                }
                Key::Scalar(name) if name == MERGE => merges.push(node),
                Key::Scalar(name) => entries.push((name, node)),
                Key::Other => {}
            },
        }
    }
}
