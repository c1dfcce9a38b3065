//! Regular expressions over whole tags.

use std::cmp::Ordering;

use regex_lite::{Regex, RegexBuilder};

use super::error::PatternError;
use crate::name::{Tag, Version};

/// The size limit of a compiled expression in bytes, and that of its nesting. The time to match is linear in the length
/// of the tag in any case.
const MAX_SIZE: usize = 64 << 10;
const MAX_NESTING: u32 = 32;

/// A regular expression that matches whole tags.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    regex: Regex,
}

impl Expression {
    pub(super) fn new(expression: &str) -> Result<Self, PatternError> {
        let error = |reason: String| PatternError::Expression {
            expression: expression.to_owned(),
            reason,
        };
        let compile = |text: &str| {
            RegexBuilder::new(text)
                .size_limit(MAX_SIZE)
                .nest_limit(MAX_NESTING)
                .build()
                .map_err(|source| error(source.to_string()))
        };
        // Alone, it must be valid, too: the parentheses below are not part of it.
        compile(expression)?;
        Ok(Self {
            regex: compile(&format!("^(?:{expression})$"))?,
        })
    }

    pub(super) fn newer<'a>(&self, present: Option<&Tag>, tags: &'a [Tag]) -> Vec<&'a Tag> {
        let present =
            present.and_then(|tag| self.key(tag.as_str()).or_else(|| whole(tag.as_str())));
        let mut newer: Vec<_> = tags
            .iter()
            .filter_map(|tag| Some((self.key(tag.as_str())?, tag)))
            .filter(|(key, _)| {
                present
                    .as_ref()
                    .is_none_or(|present| compare(key, present).is_gt())
            })
            .collect();
        newer.sort_by(|one, other| {
            compare(&one.0, &other.0).then_with(|| one.1.as_str().cmp(other.1.as_str()))
        });
        newer.dedup_by(|next, one| compare(&next.0, &one.0) == Ordering::Equal);
        newer.into_iter().map(|(_, tag)| tag).collect()
    }

    /// Returns some tags that match, but have no version.
    pub(super) fn without_version<'a>(&self, tags: &'a [Tag], limit: usize) -> Vec<&'a Tag> {
        let tags = tags
            .iter()
            .filter(|tag| self.regex.is_match(tag.as_str()) && self.key(tag.as_str()).is_none());
        tags.take(limit).collect()
    }

    /// Returns the versions by which a tag is compared: those in the groups of the expression, and then the one in the
    /// tag. Returns `None` if the tag does not match or has no version there.
    fn key(&self, tag: &str) -> Option<Vec<Version>> {
        let groups = self.regex.captures(tag)?;
        let mut versions = Vec::new();
        let mut last = 0;
        for group in groups.iter().skip(1).flatten() {
            // Groups may be parts of one version, as in `(\.\d+)?`: it counts as a whole, once.
            let (start, end) = numbers_around(tag, group.start(), group.end());
            if start >= last {
                versions.extend(tag.get(start..end).and_then(Version::of));
                last = end;
            }
        }
        versions.extend(whole(tag).into_iter().flatten());
        (!versions.is_empty()).then_some(versions)
    }
}

/// Extends a part of a tag to the numbers with dots between them that it cuts.
fn numbers_around(tag: &str, start: usize, end: usize) -> (usize, usize) {
    let is_number = |character: char| character.is_ascii_digit() || character == '.';
    let (before, part, after) = (
        tag.get(..start).unwrap_or_default(),
        tag.get(start..end).unwrap_or_default(),
        tag.get(end..).unwrap_or_default(),
    );
    let mut range = (start, end);
    if part.starts_with(is_number) {
        range.0 = before.trim_end_matches(is_number).len();
    }
    if part.ends_with(is_number) {
        range.1 = tag.len() - after.trim_start_matches(is_number).len();
    }
    range
}

fn whole(tag: &str) -> Option<Vec<Version>> {
    Version::of(tag).map(|version| vec![version])
}

fn compare(one: &[Version], other: &[Version]) -> Ordering {
    let pairs = one.iter().zip(other);
    let different = pairs
        .map(|(one, other)| one.compare(other))
        .find(|order| order.is_ne());
    different.unwrap_or_else(|| one.len().cmp(&other.len()))
}
