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
mod svg;
mod text;

pub use self::changes::{Change, Changes, NewLayer, PlatformChange};
pub use self::graph::{Block, Graph, Row, Shared};
pub use self::image::{ImageError, LockedImage, LockedPlatform};
pub use self::name::{Name, NameError};
pub use self::parse::{MAX_LOCK_SIZE, ParseError, parse};
pub use self::svg::svg;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::oci::digest::Digest;

/// The format's version that this program writes, and the only one that there is.
pub const VERSION: u64 = 1;

/// The content of a lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The images by the names that Nix and people call them.
    pub images: BTreeMap<Name, LockedImage>,
}

impl Lock {
    /// Refuses images that disagree about the size of a blob. Its digest says what it is, so one of them lies; and the
    /// sizes bound what builds fetch.
    pub fn check_sizes(&self) -> Result<(), SizeError> {
        let mut sizes = BTreeMap::new();
        for (name, image) in &self.images {
            for blob in image.platforms().values().flat_map(LockedPlatform::blobs) {
                match sizes.entry(blob.digest) {
                    Entry::Vacant(entry) => {
                        entry.insert((name, blob.size));
                    }
                    Entry::Occupied(entry) => {
                        let (first, size) = *entry.get();
                        if size != blob.size {
                            return Err(SizeError {
                                digest: Box::new(blob.digest),
                                images: [first.clone(), name.clone()],
                                sizes: [size, blob.size],
                            });
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// A blob that has two sizes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the blob {digest} has {} bytes in {}, but {} in {}",
    .sizes[0], .images[0], .sizes[1], .images[1]
)]
pub struct SizeError {
    /// The blob.
    pub digest: Box<Digest>,
    /// The images that have it.
    pub images: [Name; 2],
    /// The sizes in bytes, in the order of the images.
    pub sizes: [u64; 2],
}
