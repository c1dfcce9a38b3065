//! How an image of a lock is followed: by which pattern, after which wait, and what waits now.

use super::{Age, Pattern};
use crate::name::{Reference, Tag};
use crate::oci::digest::Digest;
use crate::oci::timestamp::Timestamp;

/// The maximum number of tags of one image that wait.
pub const MAX_PENDING: usize = 16;

/// How an image is followed. The default is: by its tag, without a wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Following {
    /// The pattern of the tags. Without one, only the tag in the reference is followed.
    pub pattern: Option<Pattern>,
    /// How long a new tag or digest has to be known. `None` is the age of the whole lock.
    pub min_age: Option<Age>,
    /// What the registry has, but is not known for long enough. At most [`MAX_PENDING`], and each tag once.
    pub pending: Vec<Pending>,
}

/// A tag with its digest that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The tag.
    pub tag: Tag,
    /// The digest of the tag's manifest or index.
    pub digest: Digest,
    /// The time when the registry first had this digest under this tag for this lock.
    pub first_seen: Timestamp,
}

impl Pending {
    /// Returns the time until which this waits if nothing else shows when it was known. A first sight after `now`, in
    /// seconds since 1970 (UTC), counts as now.
    #[must_use]
    pub fn until(&self, age: Age, now: i64) -> Timestamp {
        let since = self.first_seen.seconds().min(now);
        Timestamp::of_seconds(since.saturating_add(age.seconds()))
    }
}

impl Following {
    /// Returns whether everything is the default.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Fails if the reference cannot be followed like this.
    pub(super) fn check(&self, reference: &Reference) -> Result<(), FollowingError> {
        if reference.digest.is_some() && (self.pattern.is_some() || !self.pending.is_empty()) {
            return Err(FollowingError::Pinned);
        }
        if self.pending.len() > MAX_PENDING {
            return Err(FollowingError::TooMany);
        }
        let mut rest = self.pending.as_slice();
        while let [one, others @ ..] = rest {
            if others.iter().any(|other| other.tag == one.tag) {
                return Err(FollowingError::Twice(one.tag.clone()));
            }
            rest = others;
        }
        Ok(())
    }
}

/// An image cannot be followed as stated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowingError {
    /// The image never changes.
    #[error("an image with a digest follows no pattern, and nothing of it waits")]
    Pinned,
    /// Too many tags wait.
    #[error("more than {MAX_PENDING} tags wait")]
    TooMany,
    /// A tag waits twice.
    #[error("the tag {0} waits twice")]
    Twice(Tag),
}
