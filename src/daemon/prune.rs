//! Removing what this program put into a daemon and nobody wants any more: never an image in use, never one that
//! it did not load, and no name that has moved to another image.

use std::collections::HashSet;
use std::path::PathBuf;

use super::client::{Daemon, Image, Removal};
use super::state::{self, Record, State};
use super::tag::TagName;
use crate::archive::identities::identities;
use crate::archive::stored_image;
use crate::class::Class;
use crate::oci::digest::Digest;

/// What was done about one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// The image's id.
    pub id: Digest,
    /// The names that were taken away, or would be.
    pub untagged: Vec<TagName>,
    /// What became of the image.
    pub fate: Fate,
}

/// What becomes of an image that is no longer wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is removed.
    Removed,
    /// It was gone already.
    Gone,
    /// A container uses it, or another image is made from it. It stays, and is looked at again the next time.
    InUse,
    /// Somebody else gave it a name, pulled it, or had it before. It stays, and is theirs.
    Others,
    /// It is not known whether it was loaded by this program, which was ended in the middle. It stays.
    Unsure,
}

/// Images that stay.
#[derive(Clone, Debug, Default)]
pub struct Kept(HashSet<Digest>);

impl Kept {
    /// All images at these places.
    pub fn at(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut kept = HashSet::new();
        for path in paths {
            let found = identities(path).map_err(|source| Error::Keep {
                path: path.clone(),
                source: Box::new(source),
            })?;
            kept.extend(found);
        }
        Ok(Self(kept))
    }
}

/// Removes all images that `state` records and that are not in `kept`. With `dry_run` nothing is changed.
///
/// What cannot be removed does not keep the others from it; the first error is told at the end.
pub async fn prune(
    daemon: &Daemon,
    state: &State,
    kept: &Kept,
    dry_run: bool,
    mut tell: impl FnMut(&Pruned),
) -> Result<(), Error> {
    let records = state.records()?;
    let in_use = daemon.images_in_use().await?;
    let mut outcome = Ok(());
    for record in records {
        if kept.0.contains(&record.image_id) {
            continue;
        }
        match prune_one(daemon, &record, &in_use, dry_run).await {
            Ok(pruned) => {
                let forget = !matches!(pruned.fate, Fate::InUse | Fate::Unsure);
                if forget && !dry_run {
                    state.change(&record.image_id, |_| None)?;
                }
                tell(&pruned);
            }
            Err(error) => outcome = outcome.and(Err(error.into())),
        }
    }
    outcome
}

async fn prune_one(
    daemon: &Daemon,
    record: &Record,
    in_use: &HashSet<Digest>,
    dry_run: bool,
) -> Result<Pruned, super::Error> {
    let id = record.image_id;
    let image = daemon.image(&id).await?;
    let mut step = step(record, image.as_ref(), in_use);
    if dry_run {
        return Ok(step);
    }
    for name in &step.untagged {
        if daemon.untag(name).await? == Removal::InUse {
            step.fate = Fate::InUse;
            return Ok(step);
        }
    }
    if step.fate == Fate::Removed
        && let Some(left) = daemon.image(&id).await?
    {
        // With the last name it goes by itself, unless it had none.
        step.fate = if left.tags.is_empty() && !left.has_strange_names {
            match daemon.remove_image(&id).await? {
                Removal::Done | Removal::Absent => Fate::Removed,
                Removal::InUse => Fate::InUse,
            }
        } else {
            Fate::Others
        };
    }
    Ok(step)
}

/// What is to be done about a record, from what the daemon has.
fn step(record: &Record, image: Option<&Image>, in_use: &HashSet<Digest>) -> Pruned {
    let stays = |fate| Pruned {
        id: record.image_id,
        untagged: Vec::new(),
        fate,
    };
    let Some(image) = image else {
        return stays(Fate::Gone);
    };
    if !record.complete {
        return stays(Fate::Unsure);
    }
    if in_use.contains(&record.image_id) {
        return stays(Fate::InUse);
    }
    if image.in_registry {
        // Somebody pulled it, perhaps by one of the names that it had from here.
        return stays(Fate::Others);
    }
    let mut ours = Vec::new();
    let mut others = image.has_strange_names;
    for name in &image.tags {
        if record.tags.contains(&name.to_string()) {
            ours.push(name.clone());
        } else {
            others = true;
        }
    }
    ours.sort_by_key(ToString::to_string);
    match (record.loaded, others) {
        (true, false) => Pruned {
            untagged: ours,
            ..stays(Fate::Removed)
        },
        (_, true) => Pruned {
            untagged: ours,
            ..stays(Fate::Others)
        },
        // With its last name the image would go, and it was there before.
        (false, false) => stays(Fate::Others),
    }
}

/// Images that could not be removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not known what is to be kept, so everything is.
    #[error("cannot tell which image {} is, so nothing is removed", path.display())]
    Keep {
        /// What was to be kept.
        path: PathBuf,
        /// Why it is not known.
        #[source]
        source: Box<stored_image::Error>,
    },
    /// The records.
    #[error(transparent)]
    State(#[from] state::Error),
    /// The daemon.
    #[error(transparent)]
    Daemon(#[from] super::Error),
}

impl Error {
    /// The kind of failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Keep { source, .. } => source.class(),
            Self::Daemon(error) => error.class(),
            Self::State(_) => Class::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn image(tags: &[&str]) -> Image {
        Image {
            id: Digest::of(b"image"),
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
            has_strange_names: false,
            layers: Vec::new(),
            in_registry: false,
        }
    }

    fn record(tags: &[&str]) -> Record {
        let mut record = Record::new(Digest::of(b"image"), Path::new("/x"));
        record.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        record.loaded = true;
        record.complete = true;
        record
    }

    fn decided(record: &Record, image: Option<&Image>, in_use: bool) -> (Vec<String>, Fate) {
        let in_use = HashSet::from_iter(in_use.then_some(record.image_id));
        let step = step(record, image, &in_use);
        let names = step.untagged.iter().map(ToString::to_string).collect();
        (names, step.fate)
    }

    #[test]
    fn an_image_goes_with_its_own_names_alone() {
        let record = record(&["a:1", "b:1"]);
        for (tags, untagged, fate) in [
            (
                &["a:1", "docker.io/library/b:1"][..],
                &["a:1", "b:1"][..],
                Fate::Removed,
            ),
            // One moved to another image.
            (&["a:1"], &["a:1"], Fate::Removed),
            (&[], &[], Fate::Removed),
            // Somebody else named it.
            (&["a:1", "c:1"], &["a:1"], Fate::Others),
            (&["c:1"], &[], Fate::Others),
        ] {
            let (names, decided) = decided(&record, Some(&image(tags)), false);
            assert_eq!(
                (names.as_slice(), decided),
                (
                    &untagged
                        .iter()
                        .map(|name| (*name).to_owned())
                        .collect::<Vec<_>>()[..],
                    fate
                ),
                "{tags:?}"
            );
        }
    }

    #[test]
    fn what_is_in_use_or_gone_or_uncertain_is_left_alone() {
        let ours = record(&["a:1"]);
        let there = image(&["a:1"]);
        assert_eq!(decided(&ours, None, false), (vec![], Fate::Gone));
        assert_eq!(decided(&ours, Some(&there), true), (vec![], Fate::InUse));
        let mut unsure = ours.clone();
        unsure.complete = false;
        assert_eq!(
            decided(&unsure, Some(&there), false),
            (vec![], Fate::Unsure)
        );
        assert_eq!(decided(&unsure, None, false), (vec![], Fate::Gone));
    }

    #[test]
    fn an_image_that_was_pulled_too_stays_as_it_is() {
        let pulled = Image {
            in_registry: true,
            ..image(&["a:1"])
        };
        let decided = decided(&record(&["a:1"]), Some(&pulled), false);
        assert_eq!(decided, (vec![], Fate::Others));
    }

    #[test]
    fn a_name_that_is_not_understood_keeps_the_image() {
        let named = Image {
            has_strange_names: true,
            ..image(&["a:1"])
        };
        let decided = decided(&record(&["a:1"]), Some(&named), false);
        assert_eq!(decided, (vec!["a:1".to_owned()], Fate::Others));
    }

    #[test]
    fn an_image_that_was_there_before_loses_names_and_never_the_last() {
        let mut named = record(&["a:1"]);
        named.loaded = false;
        let both = image(&["a:1", "theirs:1"]);
        let expected = (vec!["a:1".to_owned()], Fate::Others);
        assert_eq!(decided(&named, Some(&both), false), expected);
        let only = image(&["a:1"]);
        assert_eq!(decided(&named, Some(&only), false), (vec![], Fate::Others));
    }
}
