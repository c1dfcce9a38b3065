//! Removes images that hocker loaded into a daemon and that are no longer wanted. It never removes an image that is in
//! use or that hocker did not load, and no name that belongs to another image now.

use std::collections::HashSet;
use std::path::PathBuf;

use super::client::{Daemon, DaemonImage, Removal};
use super::digest_name::DigestName;
use super::state::{self, Record, State};
use super::tag::TagName;
use crate::archive::identities::identities;
use crate::archive::stored_image;
use crate::class::Class;
use crate::oci::digest::Digest;

/// The result for one record. `N` is the type of the daemon's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned<N> {
    /// The image ID.
    pub id: Digest,
    /// The names that were removed, or would be.
    pub untagged: Vec<N>,
    /// The outcome for the image.
    pub outcome: Outcome,
}

impl<N> Pruned<N> {
    /// Returns whether the record is of no more use.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self.outcome, Outcome::InUse | Outcome::Incomplete)
    }
}

/// The outcome for an image that is no longer wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The image is removed.
    Removed,
    /// The image did not exist any more.
    Absent,
    /// A container uses the image, or another image is based on it. It stays, and the next run tries again.
    InUse,
    /// The image has a name that is not from hocker, or was pulled, or existed before. It stays, and its record is
    /// deleted.
    OwnedByOthers,
    /// Loading was interrupted, so it is unknown whether hocker loaded the image. It stays.
    Incomplete,
}

/// The images that must stay.
#[derive(Clone, Debug, Default)]
pub struct Kept(HashSet<Digest>);

impl Kept {
    /// Finds all images at these paths.
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

    /// Returns whether the image with this ID must stay.
    pub(super) fn contains(&self, id: &Digest) -> bool {
        self.0.contains(id)
    }
}

/// Removes all images that `state` records and that are not in `kept`. With `dry_run`, nothing changes.
///
/// After a failure the other images are still removed. The function returns the first error at the end.
pub async fn prune(
    daemon: &Daemon,
    state: &State,
    kept: &Kept,
    dry_run: bool,
    mut report: impl FnMut(&Pruned<TagName>),
) -> Result<(), Error> {
    let records = state.records()?;
    let in_use = daemon.images_in_use().await?;
    let mut outcome = Ok(());
    for record in records {
        if kept.contains(&record.image_id) {
            continue;
        }
        match prune_one(daemon, &record, &in_use, dry_run).await {
            Ok(pruned) => {
                if pruned.is_final() && !dry_run {
                    state.change(&record.image_id, |_| None)?;
                }
                report(&pruned);
            }
            Err(error) => outcome = outcome.and(Err(error.into())),
        }
    }
    if !dry_run {
        daemon.remove_left_names().await;
    }
    outcome
}

async fn prune_one(
    daemon: &Daemon,
    record: &Record,
    in_use: &HashSet<Digest>,
    dry_run: bool,
) -> Result<Pruned<TagName>, super::Error> {
    let id = record.image_id;
    let image = daemon.image(&id).await?;
    let image = image.map(|image| Present::of(record, image));
    let mut pruned = decide(record, image, in_use.contains(&id));
    if dry_run {
        return Ok(pruned);
    }
    for name in &pruned.untagged {
        if daemon.untag(name).await? == Removal::InUse {
            pruned.outcome = Outcome::InUse;
            return Ok(pruned);
        }
    }
    if pruned.outcome == Outcome::Removed
        && let Some(left) = daemon.image(&id).await?
    {
        // The daemon removes the image with its last name. An image without names is removed here.
        pruned.outcome = if left.tags.is_empty() && !left.has_invalid_names {
            match daemon.remove_image(&id).await? {
                Removal::Done | Removal::Absent => Outcome::Removed,
                Removal::InUse => Outcome::InUse,
            }
        } else {
            Outcome::OwnedByOthers
        };
    }
    Ok(pruned)
}

/// An image in a daemon.
pub(super) struct Present<N> {
    /// The names that can be removed, each with its text in a record.
    pub(super) names: Vec<(N, String)>,
    /// Whether the image has other names, too.
    pub(super) has_other_names: bool,
    /// Whether a user pulled the image, perhaps by one of the names from hocker.
    pub(super) is_pulled: bool,
}

impl Present<TagName> {
    fn of(record: &Record, image: DaemonImage) -> Self {
        let has_foreign_digest = has_foreign_digest(record, &image);
        let names = image.tags.into_iter().map(|name| {
            let text = name.to_string();
            (name, text)
        });
        Self {
            names: names.collect(),
            has_other_names: image.has_invalid_names || has_foreign_digest,
            is_pulled: image.in_registry,
        }
    }
}

/// Decides what to do about a record, based on the image in the daemon.
pub(super) fn decide<N>(record: &Record, image: Option<Present<N>>, is_in_use: bool) -> Pruned<N> {
    let stays = |outcome| Pruned {
        id: record.image_id,
        untagged: Vec::new(),
        outcome,
    };
    let Some(image) = image else {
        return stays(Outcome::Absent);
    };
    if !record.complete {
        return stays(Outcome::Incomplete);
    }
    if is_in_use {
        return stays(Outcome::InUse);
    }
    if image.is_pulled {
        return stays(Outcome::OwnedByOthers);
    }
    let mut ours = Vec::new();
    let mut others = image.has_other_names;
    for (name, text) in image.names {
        if record.tags.contains(&text) {
            ours.push((text, name));
        } else {
            others = true;
        }
    }
    ours.sort_by(|(one, _), (other, _)| one.cmp(other));
    let ours = ours.into_iter().map(|(_, name)| name).collect();
    match (record.loaded, others) {
        (true, false) => Pruned {
            untagged: ours,
            ..stays(Outcome::Removed)
        },
        (_, true) => Pruned {
            untagged: ours,
            ..stays(Outcome::OwnedByOthers)
        },
        // The image existed before, and the daemon would remove it with its last name.
        (false, false) => stays(Outcome::OwnedByOthers),
    }
}

/// Returns whether the image has a name with a digest in a repository in which hocker gave it no name: a user pulled it.
/// Each name with a tag also counts as one with the digest.
fn has_foreign_digest(record: &Record, image: &DaemonImage) -> bool {
    let recorded: HashSet<String> = record
        .tags
        .iter()
        .filter_map(|name| match name.parse::<TagName>() {
            Ok(name) => Some(name.full_name()),
            Err(_) => Some(name.parse::<DigestName>().ok()?.full_name().to_owned()),
        })
        .collect();
    let mut names = image.digest_names.iter();
    names.any(|name| !recorded.contains(name.full_name()))
}

/// Images cannot be removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The images to keep cannot be determined, so hocker removes no image.
    #[error("cannot determine which image {} contains, so hocker removes no image", path.display())]
    Keep {
        /// The path of the image to keep.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<stored_image::Error>,
    },
    /// The records cannot be read or written.
    #[error(transparent)]
    State(#[from] state::Error),
    /// The daemon failed.
    #[error(transparent)]
    Daemon(#[from] super::Error),
}

impl Error {
    /// Returns the class of the failure.
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

    fn image(tags: &[&str]) -> DaemonImage {
        DaemonImage {
            id: Digest::of(b"image"),
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
            digest_names: HashSet::new(),
            has_invalid_names: false,
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

    fn decided(
        record: &Record,
        image: Option<&DaemonImage>,
        in_use: bool,
    ) -> (Vec<String>, Outcome) {
        let image = image.map(|image| Present::of(record, image.clone()));
        let pruned = decide(record, image, in_use);
        let names = pruned.untagged.iter().map(ToString::to_string).collect();
        (names, pruned.outcome)
    }

    #[test]
    fn an_image_is_removed_if_all_its_names_are_recorded() {
        let record = record(&["a:1", "b:1"]);
        for (tags, untagged, outcome) in [
            (
                &["a:1", "docker.io/library/b:1"][..],
                &["a:1", "b:1"][..],
                Outcome::Removed,
            ),
            // One name belongs to another image now.
            (&["a:1"], &["a:1"], Outcome::Removed),
            (&[], &[], Outcome::Removed),
            // Another name is not from hocker.
            (&["a:1", "c:1"], &["a:1"], Outcome::OwnedByOthers),
            (&["c:1"], &[], Outcome::OwnedByOthers),
        ] {
            let (names, decided) = decided(&record, Some(&image(tags)), false);
            assert_eq!(
                (names.as_slice(), decided),
                (
                    &untagged
                        .iter()
                        .map(|name| (*name).to_owned())
                        .collect::<Vec<_>>()[..],
                    outcome
                ),
                "{tags:?}"
            );
        }
    }

    #[test]
    fn an_image_that_is_in_use_absent_or_incomplete_is_unchanged() {
        let ours = record(&["a:1"]);
        let there = image(&["a:1"]);
        assert_eq!(decided(&ours, None, false), (vec![], Outcome::Absent));
        assert_eq!(decided(&ours, Some(&there), true), (vec![], Outcome::InUse));
        let mut unsure = ours.clone();
        unsure.complete = false;
        assert_eq!(
            decided(&unsure, Some(&there), false),
            (vec![], Outcome::Incomplete)
        );
        assert_eq!(decided(&unsure, None, false), (vec![], Outcome::Absent));
    }

    #[test]
    fn a_name_with_a_digest_that_is_not_from_hocker_keeps_the_image() {
        let digest = Digest::of(b"");
        let recorded = format!("docker.io/library/b@{digest}");
        for (repository, outcome) in [
            ("a", Outcome::Removed),
            ("b", Outcome::Removed),
            ("c", Outcome::OwnedByOthers),
            ("ghcr.io/a/a", Outcome::OwnedByOthers),
        ] {
            let name = format!("{repository}@{digest}").parse().unwrap();
            let named = DaemonImage {
                digest_names: HashSet::from([name]),
                ..image(&["a:1"])
            };
            let (_, decided) = decided(&record(&["a:1", &recorded]), Some(&named), false);
            assert_eq!(decided, outcome, "{repository}");
        }
    }

    #[test]
    fn an_image_that_was_also_pulled_stays_unchanged() {
        let pulled = DaemonImage {
            in_registry: true,
            ..image(&["a:1"])
        };
        let decided = decided(&record(&["a:1"]), Some(&pulled), false);
        assert_eq!(decided, (vec![], Outcome::OwnedByOthers));
    }

    #[test]
    fn an_invalid_name_keeps_the_image() {
        let named = DaemonImage {
            has_invalid_names: true,
            ..image(&["a:1"])
        };
        let decided = decided(&record(&["a:1"]), Some(&named), false);
        assert_eq!(decided, (vec!["a:1".to_owned()], Outcome::OwnedByOthers));
    }

    #[test]
    fn an_image_that_existed_before_loses_names_but_never_the_last() {
        let mut named = record(&["a:1"]);
        named.loaded = false;
        let both = image(&["a:1", "theirs:1"]);
        let expected = (vec!["a:1".to_owned()], Outcome::OwnedByOthers);
        assert_eq!(decided(&named, Some(&both), false), expected);
        let only = image(&["a:1"]);
        assert_eq!(
            decided(&named, Some(&only), false),
            (vec![], Outcome::OwnedByOthers)
        );
    }
}
