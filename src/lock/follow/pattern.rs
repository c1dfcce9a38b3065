//! Patterns of tags.

use std::fmt;
use std::str::FromStr;

use super::error::{MAX_LENGTH, PatternError};
use super::expression::Expression;
use super::template::Template;
use crate::name::Tag;

/// A pattern of tags, of which the newest is followed.
///
/// - `1.*`, `v3.*`, `*-alpine`, `2024.*`: `*` stands for numbers. Behind the version, as in `*-ls*`, it stands for a
///   number or for the hash of a commit.
/// - `~1.27`: 1.27 and its patch releases; `^1.27`: all releases from 1.27 up to the next major version. A suffix may
///   follow: `~1.27-alpine`.
/// - `/expression/`, `re:expression` or `regex:expression`: a regular expression that matches the whole tag. It alone
///   decides which tags are followed. They are in the order of the versions in its groups, and then in the tags.
///
/// The first two forms follow only tags like the present one: with the same suffix (except numbers of builds and hashes
/// of commits), with the same number of numbers, and pre-releases only if the present tag is one. Without a present tag, a
/// pattern without a suffix follows tags without one; it may leave out numbers of builds if all tags have them.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    rule: Rule,
}

#[derive(Clone, Debug)]
enum Rule {
    Template(Template),
    Expression(Expression),
}

impl Pattern {
    /// Returns whether a text after the colon of a reference is a pattern. No tag has any of these characters.
    #[must_use]
    pub fn is_pattern(text: &str) -> bool {
        text.contains('*') || text.starts_with(['~', '^'])
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the tags that match and are newer than the present one, the oldest first. Without a present tag, or if it
    /// has no version, returns all that match. Tags of equal versions count once.
    #[must_use]
    pub fn newer<'a>(&self, present: Option<&Tag>, tags: &'a [Tag]) -> Vec<&'a Tag> {
        match &self.rule {
            Rule::Template(template) => template.newer(present, tags),
            Rule::Expression(expression) => expression.newer(present, tags),
        }
    }

    /// Returns up to `limit` of the tags that the pattern nearly matches. [`difference`](Self::difference) states why it does
    /// not match them.
    #[must_use]
    pub fn similar<'a>(&self, tags: &'a [Tag], limit: usize) -> Vec<&'a Tag> {
        match &self.rule {
            Rule::Template(template) => template.similar(tags, limit),
            Rule::Expression(expression) => expression.without_version(tags, limit),
        }
    }

    /// Returns what is wrong with the tags that the pattern nearly matches, as the end of a sentence.
    #[must_use]
    pub fn difference(&self) -> &'static str {
        match &self.rule {
            Rule::Template(_) => "are pre-releases, or have another suffix or prefix",
            Rule::Expression(_) => "match, but have no version that orders them",
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.len() > MAX_LENGTH {
            return Err(PatternError::TooLong);
        }
        let in_slashes = text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'));
        let named = ["regex:", "re:"]
            .iter()
            .find_map(|name| text.strip_prefix(name));
        let rule = match in_slashes.or(named) {
            Some(expression) => Rule::Expression(Expression::new(expression)?),
            None => Rule::Template(Template::parse(text)?),
        };
        Ok(Self {
            text: text.to_owned(),
            rule,
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}
