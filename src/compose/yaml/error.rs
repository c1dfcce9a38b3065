//! The reasons why a text is not valid YAML for a Compose file.

use granit_parser::ScanError;

use super::{MAX_FILE_SIZE, MAX_NODES, MERGE};
use crate::printable::Printable;

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
    /// Creates the error from that of the parser.
    pub(super) fn of(error: &ScanError) -> Self {
        Self::Syntax {
            line: error.marker().line(),
            message: Printable::new(&error.info()),
        }
    }
}
