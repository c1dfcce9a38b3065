//! The job of a derivation that makes a file system image of a layer.

use std::path::PathBuf;

/// A layer to convert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErofsJob {
    /// The output path.
    pub out: PathBuf,
    /// The layer.
    pub layer: PathBuf,
}
