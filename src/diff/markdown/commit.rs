//! The message of a commit that changes a lock file.

use super::{fetch, headline};
use crate::diff::locks::{LockDiff, LockedChange, LockedState, PlatformDiff};
use crate::printable::Printable;

/// The subject of a commit message is shorter than this, in characters.
const SUBJECT: usize = 72;

/// Returns the message of a commit with the differences: a subject, and Markdown. It is empty without differences.
#[must_use]
pub fn commit_message(diff: &LockDiff) -> Vec<Printable> {
    if diff.images.is_empty() {
        return Vec::new();
    }
    let names: Vec<_> = diff.images.iter().map(subject_name).collect();
    let mut lines = vec![subject("Update", &names), String::new()];
    for change in &diff.images {
        lines.push(format!("- **{}**: {}", change.name, headline(change)));
        let digest = |state: &Option<LockedState>| state.as_ref().and_then(|state| state.digest);
        let (from, to) = (digest(&change.from), digest(&change.to));
        for (sign, digest) in [("-", from), ("+", to)] {
            if let Some(digest) = digest.filter(|_| from != to) {
                lines.push(format!("  {sign} {digest}"));
            }
        }
        for (platform, of_platform) in &change.platforms {
            let what = match of_platform {
                PlatformDiff::Removed(_) if change.to.is_none() => continue,
                PlatformDiff::Removed(_) => "removed".to_owned(),
                PlatformDiff::Changed(diff) if diff.is_same() => "unchanged".to_owned(),
                PlatformDiff::Added(_) | PlatformDiff::Changed(_) => fetch(change, platform),
            };
            lines.push(format!("  -  {platform}: {what}"));
            if let PlatformDiff::Changed(diff) = of_platform
                && let Some(link) = diff.compare_link()
            {
                lines.push(format!("     <{link}>"));
            }
        }
    }
    let lines = lines.iter();
    lines.map(|line| Printable::of_any_length(line)).collect()
}

/// Returns the subject of a commit: a verb with names, or with their number if they are too long.
#[must_use]
pub fn subject(verb: &str, names: &[String]) -> String {
    let subject = format!("{verb} {}", names.join(", "));
    if subject.chars().count() < SUBJECT {
        subject
    } else {
        format!("{verb} {} container images", names.len())
    }
}

/// Returns the name of an image for a subject, with its new tag if it moved from one tag to another.
fn subject_name(change: &LockedChange) -> String {
    let tag =
        |state: &Option<LockedState>| state.as_ref().and_then(|state| state.reference.tag.clone());
    match (tag(&change.from), tag(&change.to)) {
        (Some(old), Some(new)) if old != new => format!("{} to {new}", change.name),
        _ => change.name.to_string(),
    }
}
