//! The order of the tags that match, and which of them are names that move.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::name::Tag;
use crate::name::version::{Number, Version};

/// A tag that matches, with its version and the numbers for the stars in the suffix.
pub(super) struct Candidate<'a> {
    pub(super) tag: &'a Tag,
    pub(super) version: Version,
    pub(super) stars: Vec<Number>,
}

/// Returns the candidates whose suffixes have the fewest parts.
pub(super) fn shortest(found: Vec<Candidate<'_>>) -> Vec<Candidate<'_>> {
    let length = |candidate: &Candidate<'_>| candidate.version.suffix().shape().len();
    let least = found.iter().map(length).min();
    let of_least = found
        .into_iter()
        .filter(|candidate| Some(length(candidate)) == least);
    of_least.collect()
}

/// Leaves out the names that move: those with the first numbers of another version, as `1.27` beside `1.27.4`.
pub(super) fn precise<'a>(
    found: Vec<Candidate<'a>>,
    others: &[Candidate<'_>],
) -> Vec<Candidate<'a>> {
    let all = others.iter().chain(&found);
    let releases: BTreeSet<_> = all
        .map(|candidate| candidate.version.release().to_vec())
        .collect();
    let moves = |candidate: &Candidate<'_>| {
        let release = candidate.version.release();
        let above = (Bound::Excluded(release), Bound::Unbounded);
        let next = releases.range::<[Number], _>(above).next();
        next.is_some_and(|next| next.starts_with(release))
    };
    found
        .into_iter()
        .filter(|candidate| !moves(candidate))
        .collect()
}

/// Returns the tags in the order of their versions, one for each version. Without a present tag, versions of one number
/// and dates are first: beside others, they are names that move, or builds of a day.
pub(super) fn sorted<'a>(
    mut found: Vec<Candidate<'a>>,
    preferred: &str,
    is_first_choice: bool,
) -> Vec<&'a Tag> {
    let key = |candidate: &Candidate<'_>| {
        let release = candidate.version.release();
        let is_date = release.first().is_some_and(Number::is_date);
        is_first_choice && release.len() > 1 && !is_date
    };
    let compare = |one: &Candidate<'_>, other: &Candidate<'_>| {
        key(one)
            .cmp(&key(other))
            .then_with(|| one.version.release().cmp(other.version.release()))
            .then_with(|| one.version.compare_pre(&other.version))
            .then_with(|| one.stars.cmp(&other.stars))
    };
    found.sort_by(|one, other| {
        let preference = |candidate: &Candidate<'_>| candidate.version.prefix() != preferred;
        compare(one, other)
            .then_with(|| preference(one).cmp(&preference(other)))
            .then_with(|| one.version.cmp(&other.version))
    });
    found.dedup_by(|next, one| compare(next, one).is_eq());
    found.into_iter().map(|candidate| candidate.tag).collect()
}
