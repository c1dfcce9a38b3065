//! The YAML of Compose files: mappings, sequences and scalars with their original text. Aliases and merge keys are
//! resolved. An alias is a reference and never a copy, so a small file cannot become a large tree.
//!
//! Sources: YAML 1.2; the merge key of YAML 1.1, `http://yaml.org/type/merge.html`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use crate::printable::Printable;

/// The size limit of a file in bytes (4 MiB).
pub const MAX_FILE_SIZE: usize = 4 << 20;

/// The greatest depth of nodes, including aliases.
const MAX_DEPTH: usize = 100;

/// The greatest number of nodes of a file. The largest real files have some ten thousand. Each node needs more memory
/// than its text.
const MAX_NODES: usize = 250_000;

/// The greatest number of entries that merge keys may add.
const MAX_MERGED: usize = 100_000;

/// The merge key.
const MERGE: &str = "<<";

/// A node of a document.
#[derive(Debug)]
pub(super) struct Node {
    content: NodeContent,
    /// The effect on the same node of an earlier document.
    pub(super) change: Change,
    depth: usize,
}

/// The effect of a node on the earlier node at the same place.
///
/// Source: the Compose specification, `13-merge.md`, "Reset value" and "Replace value".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Change {
    /// The node is merged into the earlier one.
    #[default]
    Merge,
    /// The node replaces the earlier one (`!override`).
    Override,
    /// The earlier node is removed (`!reset`).
    Reset,
}

impl Change {
    fn of(tag: Option<&Tag>) -> Self {
        match tag.map(Tag::suffix) {
            Some("reset") => Self::Reset,
            Some("override") => Self::Override,
            _ => Self::Merge,
        }
    }
}

#[derive(Debug)]
enum NodeContent {
    Scalar {
        text: String,
        is_null: bool,
    },
    Sequence(Vec<Arc<Node>>),
    /// The entries in the order of the file.
    Mapping(Vec<(String, Arc<Node>)>),
}

impl Node {
    /// Returns the value of a key in a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let (_, value) = self.entries()?.find(|(own, _)| *own == key)?;
        Some(value)
    }

    /// Returns the entries of a mapping.
    pub(super) fn entries(&self) -> Option<impl Iterator<Item = (&str, &Arc<Self>)>> {
        match &self.content {
            NodeContent::Mapping(entries) => {
                Some(entries.iter().map(|(key, value)| (key.as_str(), value)))
            }
            _ => None,
        }
    }

    /// Returns the items of a sequence.
    pub(super) fn items(&self) -> Option<&[Arc<Self>]> {
        match &self.content {
            NodeContent::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the text of a scalar that is not null.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            NodeContent::Scalar { text, is_null } if !is_null => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.content, NodeContent::Scalar { is_null: true, .. })
    }
}

/// Parses the documents of a file.
pub(super) fn parse(text: &str) -> Result<Vec<Arc<Node>>, YamlError> {
    if text.len() > MAX_FILE_SIZE {
        return Err(YamlError::TooLarge);
    }
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| YamlError::of(&error))?;
        loader.take(event, span.start.line())?;
    }
    Ok(loader.documents)
}

#[derive(Default)]
struct Loader {
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
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), YamlError> {
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

/// The text is not valid YAML for a Compose file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// The text is longer than [`MAX_FILE_SIZE`].
    #[error("the file is larger than {} MiB", MAX_FILE_SIZE >> 20)]
    TooLarge,
    /// The text is not YAML.
    #[error("line {line}: {message}")]
    Syntax {
        /// The number of the line, from 1.
        line: usize,
        /// The message of the parser.
        message: Printable,
    },
    /// An alias has no anchor, or is inside of its own node.
    #[error("line {0}: the anchor of this alias is not defined")]
    Alias(usize),
    /// A merge key has a value that is not a mapping.
    #[error("line {0}: only mappings can be merged by `{MERGE}`")]
    Merge(usize),
    /// A key occurs twice.
    #[error("line {line}: the key `{key}` occurs twice in the mapping that ends here")]
    Twice {
        /// The line on which the mapping ends.
        line: usize,
        /// The key.
        key: Printable,
    },
    /// Nodes are nested too deeply.
    #[error("line {0}: nodes are nested too deeply")]
    Depth(usize),
    /// The file has too many nodes.
    #[error("line {0}: the file has more than {MAX_NODES} values")]
    TooMany(usize),
    /// Merge keys add too many entries.
    #[error("line {0}: `{MERGE}` merges too many entries")]
    TooMuch(usize),
}

impl YamlError {
    fn of(error: &ScanError) -> Self {
        Self::Syntax {
            line: error.marker().line(),
            message: Printable::new(&error.info()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn own_entries_take_precedence_and_then_those_merged_first() {
        let text = "a: &a {x: 1, y: 1}\nb: &b {<<: *a, y: 2, z: 2}\nc: {z: 3, <<: [*b, *a]}\n";
        let documents = parse(text).unwrap();
        let mapping = documents[0].get("c").unwrap();
        for (key, value) in [("x", "1"), ("y", "2"), ("z", "3")] {
            assert_eq!(mapping.get(key).unwrap().text(), Some(value), "{key}");
        }
    }

    #[test]
    fn scalars_keep_their_text() {
        let documents = parse("a: 1.10\nb: 0o17\nc: ~\nd: '~'\ne:\nf: !reset x\n").unwrap();
        for (key, text) in [
            ("a", Some("1.10")),
            ("b", Some("0o17")),
            ("c", None),
            ("d", Some("~")),
            ("e", None),
            ("f", None),
        ] {
            assert_eq!(documents[0].get(key).unwrap().text(), text, "{key}");
        }
    }

    #[test]
    fn flow_collections_may_end_in_the_column_of_their_key() {
        for text in [
            "s:\n  a:\n    b: [\n  x, y\n    ]\n    c: 1\n",
            "s:\n  a: {b: [x,\n  y], c: 1}\n",
            "s:\n  a:\n    b: {\n      x: 1\n    }\n    c: 1\n",
        ] {
            let documents = parse(text).unwrap();
            let a = documents[0].get("s").unwrap().get("a").unwrap();
            assert!(a.get("c").is_some(), "{text}");
        }
    }

    #[test]
    fn documents_are_read_one_by_one() {
        for (text, count) in [("", 0), ("a: 1", 1), ("a: 1\n---\nb: 2\n", 2)] {
            assert_eq!(parse(text).unwrap().len(), count, "{text}");
        }
    }

    #[test]
    fn bombs_are_refused() {
        use std::fmt::Write as _;
        let mut laughs = "a0: &a0 [x, x]\n".to_owned();
        let mut merges = "a0: &a0 {x: 1}\n".to_owned();
        let mut wide = "a0: &a0 {".to_owned();
        for number in 1..90 {
            let before = number - 1;
            writeln!(laughs, "a{number}: &a{number} [*a{before}, *a{before}]").unwrap();
            writeln!(
                merges,
                "a{number}: &a{number} {{<<: [*a{before}, *a{before}]}}"
            )
            .unwrap();
        }
        for number in 0..2000 {
            write!(wide, "k{number}: 1, ").unwrap();
        }
        wide.push_str("}\n");
        for number in 1..2000 {
            writeln!(wide, "a{number}: {{<<: *a0}}").unwrap();
        }
        assert!(parse(&laughs).is_ok());
        for number in 90..200 {
            writeln!(laughs, "a{number}: [*a{}]", 89).unwrap();
            writeln!(laughs, "b{number}: &a{number} [*a{}]", number - 1).unwrap();
        }
        assert!(parse(&merges).is_ok());
        assert!(matches!(parse(&wide), Err(YamlError::TooMuch(_))));
        let many = format!("a: [{}]", "x,".repeat(300_000));
        assert!(matches!(parse(&many), Err(YamlError::TooMany(_))));
        for deep in [
            "[".repeat(100_000),
            "{a: ".repeat(100_000),
            "- ".repeat(100_000),
            laughs,
        ] {
            assert!(parse(&deep).is_err());
        }
        assert!(matches!(
            parse("a: &a [*a]"),
            Err(YamlError::Alias(_) | YamlError::Syntax { .. })
        ));
    }

    #[test]
    fn keys_that_occur_twice_are_refused() {
        assert!(matches!(
            parse("a: 1\na: 2\n"),
            Err(YamlError::Twice { .. })
        ));
        assert!(matches!(parse("a: {<<: 1}"), Err(YamlError::Merge(_))));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_without_a_panic(text in "([a-z&*<:{}\\[\\]!|>'\"#%@,?\n -]|\\PC){0,80}") {
            let _ = parse(&text);
        }
    }
}
