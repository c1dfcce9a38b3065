//! The lock file: images that are pinned by their manifests' own text, so that nothing has to be downloaded to know
//! what they are. It owns the file's format ([`parse()`] and [`Lock::text`], described by `schema.json`), and what can
//! be said of locks without a network: what [`changed`](Changes) between two, and which layers their images
//! [share](Graph).
//!
//! A lock is hostile input: it comes with repositories, and people merge and edit it by hand. Everything in it is
//! parsed at the door, and what it says twice must agree.

mod changes;
mod graph;
mod image;
mod name;
mod parse;
pub mod size;
mod svg;
mod text;

pub use self::changes::{Change, Changes, NewLayer, PlatformChange};
pub use self::graph::{Block, Graph, Row, Shared};
pub use self::image::{ImageError, LockedImage, LockedPlatform};
pub use self::name::{Name, NameError};
pub use self::parse::{MAX_LOCK_SIZE, ParseError, parse};
pub use self::svg::svg;

use std::collections::BTreeMap;

/// The format's version that this program writes, and the only one that there is.
pub const VERSION: u64 = 1;

/// The content of a lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The images by the names that Nix and people call them.
    pub images: BTreeMap<Name, LockedImage>,
}
