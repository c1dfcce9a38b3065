//! Nodes of a document, and the tags that say how a node changes the one before it.

use std::sync::Arc;

use granit_parser::Tag;

/// A node of a document.
#[derive(Debug)]
pub(in crate::compose) struct Node {
    pub(super) content: NodeContent,
    /// The effect on the same node of an earlier document.
    pub(in crate::compose) change: Change,
    /// The greatest number of nodes on a way down from here.
    pub(super) depth: usize,
}

/// The effect of a node on the earlier node at the same place.
///
/// Source: the Compose specification, `13-merge.md`, "Reset value" and "Replace value".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::compose) enum Change {
    /// The node is merged into the earlier one.
    #[default]
    Merge,
    /// The node replaces the earlier one (`!override`).
    Override,
    /// The earlier node is removed (`!reset`).
    Reset,
}

impl Change {
    /// Returns the effect that a tag has.
    pub(super) fn of(tag: Option<&Tag>) -> Self {
        match tag.map(Tag::suffix) {
            Some("reset") => Self::Reset,
            Some("override") => Self::Override,
            _ => Self::Merge,
        }
    }
}

/// The content of a node.
#[derive(Debug)]
pub(super) enum NodeContent {
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
    pub(in crate::compose) fn get(&self, key: &str) -> Option<&Self> {
        let (_, value) = self.entries()?.find(|(own, _)| *own == key)?;
        Some(value)
    }

    /// Returns the entries of a mapping.
    pub(in crate::compose) fn entries(&self) -> Option<impl Iterator<Item = (&str, &Arc<Self>)>> {
        match &self.content {
            NodeContent::Mapping(entries) => {
                Some(entries.iter().map(|(key, value)| (key.as_str(), value)))
            }
            _ => None,
        }
    }

    /// Returns the items of a sequence.
    pub(in crate::compose) fn items(&self) -> Option<&[Arc<Self>]> {
        match &self.content {
            NodeContent::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the text of a scalar that is not null.
    pub(in crate::compose) fn text(&self) -> Option<&str> {
        match &self.content {
            NodeContent::Scalar { text, is_null } if !is_null => Some(text),
            _ => None,
        }
    }

    pub(in crate::compose) fn is_null(&self) -> bool {
        matches!(self.content, NodeContent::Scalar { is_null: true, .. })
    }
}
