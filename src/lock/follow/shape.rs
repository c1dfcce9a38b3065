//! What tags must be like to be followed: their prefix, suffix and pre-releases.

use crate::name::version::{Number, Pre, Version, is_hash};

/// What a tag must be like to be followed.
pub(super) struct Shape<'a> {
    pub(super) prefix: &'a str,
    pub(super) suffix: Variant<'a>,
    pub(super) pre: PreReleases<'a>,
    pub(super) present: Option<&'a Version>,
}

/// The pre-releases to follow.
#[derive(Clone, Copy)]
pub(super) enum PreReleases<'a> {
    None,
    /// Those that are at least as mature as the present one.
    From(&'a Pre),
    All,
}

impl PreReleases<'_> {
    pub(super) fn allows(self, pre: &Pre) -> bool {
        match self {
            Self::None => false,
            Self::From(present) => pre.is_as_mature_as(present),
            Self::All => true,
        }
    }
}

/// The suffix of the tags to follow.
#[derive(Clone, Copy)]
pub(super) enum Variant<'a> {
    /// The suffix of the pattern, in which `*` stands for a number or hash.
    Like(&'a str),
    /// The shape of the present tag's suffix.
    Shape(&'a str),
    /// The words of the pattern that name a variant, beside any numbers of builds and hashes of commits.
    Named(&'a str),
    /// Any suffix.
    Any,
}

impl Variant<'_> {
    pub(super) fn matches(self, version: &Version) -> Option<Vec<Number>> {
        let suffix = version.suffix();
        let matches = match self {
            Self::Like(pattern) if pattern.contains('*') => return stars(pattern, suffix.text()),
            Self::Like(pattern) => suffix.text() == pattern,
            Self::Shape(shape) => suffix.shape() == shape,
            Self::Named(variant) => suffix.variant() == variant,
            Self::Any => true,
        };
        matches.then(|| suffix.builds().to_vec())
    }
}

/// Matches a suffix with a pattern in which each `*` stands for numbers or for the hash of a commit. Returns the numbers.
fn stars(pattern: &str, text: &str) -> Option<Vec<Number>> {
    let mut numbers = Vec::new();
    let mut literals = pattern.split('*');
    let mut rest = text.strip_prefix(literals.next()?)?;
    for literal in literals {
        let (value, after) = star(rest, literal)?;
        numbers.extend(value);
        rest = after;
    }
    rest.is_empty().then_some(numbers)
}

/// Matches numbers or a hash, and the literal after it, which is the end of the text if it is empty.
fn star<'a>(text: &'a str, literal: &str) -> Option<(Vec<Number>, &'a str)> {
    let follows = |after: &'a str| {
        let rest = after.strip_prefix(literal)?;
        (!literal.is_empty() || rest.is_empty()).then_some(rest)
    };
    let run = |of_run: fn(char) -> bool| {
        let end = text.find(|character| !of_run(character));
        text.get(..end.unwrap_or(text.len())).unwrap_or_default()
    };
    let value =
        run(|character| character.is_ascii_digit() || character == '.').trim_end_matches('.');
    if let Some(rest) = text.strip_prefix(value).and_then(follows)
        && let Some(numbers) = value.split('.').map(Number::new).collect()
    {
        return Some((numbers, rest));
    }
    let value = run(|character| character.is_ascii_alphanumeric());
    let rest = text.strip_prefix(value).and_then(follows)?;
    is_hash(value).then_some((Vec::new(), rest))
}
