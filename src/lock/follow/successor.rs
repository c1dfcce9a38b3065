//! Whether a tag follows the present one in the same scheme of versions.

use std::collections::BTreeSet;

use crate::name::version::{Number, Version};

/// The number of digits from which a number is a date or a counter of builds.
const LARGE: usize = 6;

/// Returns whether a version, with the numbers in its suffix, follows the present one in the same scheme.
pub(super) fn is_successor(
    (version, stars): (&Version, &[Number]),
    (present, old_stars): (&Version, &[Number]),
) -> bool {
    let (Some(first), Some(old)) = (version.release().first(), present.release().first()) else {
        return false;
    };
    // From `3` to the build of a date, `20240923`, or from 1.2 to 2024.1: these are other schemes.
    let is_jump = old.digits() <= 3 && (first.is_year() || first.digits() >= LARGE);
    // After `20241015` comes `20241118.1`, the second build of a day.
    let are_dates = first.is_date() && old.is_date();
    version.style() == present.style()
        && (version.release().len() == present.release().len() || are_dates)
        && !is_jump
        && version
            .release()
            .cmp(present.release())
            .then_with(|| version.compare_pre(present))
            .then_with(|| stars.cmp(old_stars))
            .is_gt()
}

/// Returns whether the number behind the present version names a variant: the `20` of `4.0.5-20` beside `4.0.5-18` and
/// `4.0.5-22` is the version of Node.js, because other releases have it, too. Numbers of builds begin below 10, follow one
/// another, or are different for each release.
pub(super) fn has_numbered_variant(
    present: &Version,
    others: impl Iterator<Item = Version>,
) -> bool {
    let number = |version: &Version| {
        let number = version.suffix().builds().first()?;
        number.to_string().parse::<u32>().ok()
    };
    let is_bare = present.suffix().shape().starts_with("-#");
    let Some(own) = number(present).filter(|own| is_bare && *own < 100) else {
        return false;
    };
    let alike = others.filter(|other| {
        other.bare_prefix() == present.bare_prefix()
            && other.suffix().shape() == present.suffix().shape()
            && other.release().len() == present.release().len()
    });
    let (of_release, of_others): (Vec<_>, Vec<_>) =
        alike.partition(|other| other.release() == present.release());
    let mut numbers: BTreeSet<_> = of_release.iter().filter_map(number).collect();
    numbers.insert(own);
    numbers.len() > 1
        && numbers
            .iter()
            .all(|one| *one >= 10 && !numbers.contains(&(one + 1)))
        && of_others.iter().any(|other| number(other) == Some(own))
}
