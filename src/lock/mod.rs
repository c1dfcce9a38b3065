//! The lock file: images that are pinned by the text of their manifests, so that no download is necessary to identify
//! them. The module owns the format of the file ([`parse()`] and [`Lock::text`], described by `schema.json`). It also
//! computes, without the network, what [`changed`](Changes) between two locks, and which layers their images
//! [share](Graph).
//!
//! A lock is untrusted input: it is part of repositories, and people merge and edit it by hand. Every value is parsed,
//! and values that occur twice must agree.

mod age;
mod changes;
pub mod follow;
mod following;
mod graph;
mod image;
mod index;
mod name;
mod parse;
mod platform;
mod proven;
mod signer;
mod svg;
mod text;
mod waiting;

pub use self::age::{Age, AgeError};
pub use self::changes::{Change, Changes, NewLayer, PlatformChange};
pub use self::follow::{Pattern, PatternError};
pub use self::following::{Following, FollowingError, MAX_PENDING, Pending};
pub use self::graph::{Block, Graph, Row, Shared};
pub use self::image::{ImageError, LockedImage};
pub use self::index::{IndexError, LockedIndex};
pub use self::name::{Name, NameError};
pub use self::parse::{MAX_LOCK_SIZE, ParseError, parse};
pub use self::platform::LockedPlatform;
pub use self::proven::NotProven;
pub use self::signer::LockedSigner;
pub use self::svg::svg;
pub use self::waiting::{Candidate, Decision, Evidence, Notice, Waiting, decide};

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::oci::digest::Digest;

/// The newest version of the format. It adds `follow`, `minAge`, `pending`, `signedBy` and `proofs`.
pub const VERSION: u64 = 3;

/// The version that adds `indexText`.
const INDEX_TEXT_VERSION: u64 = 2;

/// The oldest version of the format. A lock is written in the oldest version that has its content, so that older
/// programs can read it.
const OLDEST_VERSION: u64 = 1;

/// The content of a lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The images by name.
    pub images: BTreeMap<Name, LockedImage>,
    /// How long a new tag or digest has to be known, for images that do not state it themselves.
    pub min_age: Option<Age>,
}

impl Lock {
    /// Returns how long a new tag or digest of this image has to be known.
    #[must_use]
    pub fn min_age(&self, image: &LockedImage) -> Age {
        let own = image.following().min_age;
        own.or(self.min_age).unwrap_or(Age::NONE)
    }

    /// Fails if images disagree about the size of a blob. One size of the same digest must be wrong, and the sizes
    /// limit what builds fetch.
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

/// A blob has two sizes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the blob {digest} has {} bytes in {}, but {} in {}",
    .sizes[0], .images[0], .sizes[1], .images[1]
)]
pub struct SizeError {
    /// The blob.
    pub digest: Box<Digest>,
    /// The images with the blob.
    pub images: [Name; 2],
    /// The sizes in bytes, in the order of the images.
    pub sizes: [u64; 2],
}
