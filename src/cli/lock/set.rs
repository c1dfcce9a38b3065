//! `hocker lock set`: change how locked images are followed. It asks no registry.

use std::path::Path;

use super::super::Error;
use super::super::args::lock::SetArgs;
use super::error::LockError;
use super::file::{Edits, LockFile};
use hocker::lock::Following;

pub(super) fn run(args: &SetArgs, path: &Path) -> Result<(), Error> {
    let file = LockFile::read(path)?;
    let changes_pattern = args.follow.is_some() || args.no_follow;
    if args.names.is_empty() {
        if changes_pattern {
            return Err(LockError::FollowWithoutName.into());
        }
        let min_age = args.min_age.filter(|_| !args.no_min_age);
        return file.write_min_age(min_age).map(drop);
    }
    let mut edits = Edits::new();
    for (name, image) in file.chosen(&args.names)? {
        if image.is_pinned() && args.follow.is_some() {
            return Err(LockError::FollowsDigest(name.to_string()).into());
        }
        let mut following: Following = image.following().clone();
        if changes_pattern {
            // Nothing of another pattern waits.
            following.pending.clear();
            following.pattern.clone_from(&args.follow);
        }
        if args.min_age.is_some() || args.no_min_age {
            following.min_age = args.min_age;
        }
        let image = image.clone().with_following(following);
        let image = image.map_err(|error| Error::from(hocker::pin::Error::from(error)))?;
        edits.insert(name.clone(), Some(image));
    }
    file.write(&edits).map(drop)
}
