//! Patterns that are written like tags: `1.*-alpine`, `~1.27`, `^1.27`.

use super::error::PatternError;
use super::order::{Candidate, precise, shortest, sorted};
use super::shape::{PreReleases, Shape, Variant};
use crate::name::Tag;
use crate::name::version::{Number, Style, Suffix, Version, bare};

/// The number of digits from which a number is a date or a counter of builds.
const LARGE: usize = 6;

/// A pattern, in the parts of a tag.
#[derive(Clone, Debug)]
pub(super) struct Template {
    /// The text before the numbers. A `v` at its end is only a preference.
    prefix: String,
    /// The numbers with which versions begin.
    fixed: Vec<Number>,
    /// The least version.
    least: Vec<Number>,
    /// The number of numbers, if the pattern states it.
    length: Option<usize>,
    suffix: Suffix,
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        let owned = || text.chars().take(60).collect::<String>();
        let (operator, rest) = match text.strip_prefix(['~', '^']) {
            Some(rest) => (text.chars().next(), rest),
            None => (None, text),
        };
        let of_tag = |byte: u8| byte.is_ascii_alphanumeric() || b"._-*".contains(&byte);
        if !rest.bytes().all(of_tag) {
            return Err(PatternError::NoTag(owned()));
        }
        match operator {
            Some(operator) => {
                Self::range(operator, rest).ok_or_else(|| PatternError::NoVersion(owned()))
            }
            None => Self::with_star(text, owned),
        }
    }

    /// `~1.27` or `^1.27`.
    fn range(operator: char, text: &str) -> Option<Self> {
        let version = Version::of(text)?;
        let least = version.release().to_vec();
        let fixed = match operator {
            '~' if least.len() > 2 => least.len() - 1,
            '~' => least.len(),
            // Before 1.0, the first number that is not zero plays the part of the major version.
            _ => 1 + least.iter().take_while(|number| number.is_zero()).count(),
        };
        let mut fixed_numbers = least.clone();
        fixed_numbers.truncate(fixed);
        if version.suffix().text().starts_with('.') {
            return None;
        }
        Some(Self {
            prefix: version.prefix().to_owned(),
            fixed: fixed_numbers,
            least,
            length: None,
            suffix: version.suffix().clone(),
        })
    }

    /// `1.*`, with an optional suffix.
    fn with_star(text: &str, owned: impl Fn() -> String) -> Result<Self, PatternError> {
        let Some((before, after)) = text.split_once('*') else {
            return Err(PatternError::OneTag(owned()));
        };
        if before.ends_with(|last: char| last.is_ascii_digit())
            || after.starts_with(|first: char| first.is_ascii_digit() || first == '*')
        {
            return Err(PatternError::Digit(owned()));
        }
        let prefix = before
            .trim_end_matches(|character: char| character.is_ascii_digit() || character == '.');
        let numbers = before.strip_prefix(prefix).unwrap_or_default();
        // The dot of `RELEASE.*` belongs to the prefix.
        let dots = numbers.len() - numbers.trim_start_matches('.').len();
        let (prefix, numbers) = before.split_at(prefix.len() + dots);
        let fixed: Option<Vec<_>> = numbers.split_terminator('.').map(Number::new).collect();
        let fixed = fixed.ok_or_else(|| PatternError::AfterStar(owned()))?;
        let mut rest = after;
        let mut length = None;
        while let Some(more) = rest.strip_prefix(".*") {
            length = Some(length.unwrap_or(fixed.len() + 1) + 1);
            rest = more;
        }
        let suffix = Version::after("", &format!("0{rest}"))
            .filter(|version| version.release().len() == 1)
            .ok_or_else(|| PatternError::AfterStar(owned()))?;
        Ok(Self {
            prefix: prefix.to_owned(),
            least: Vec::new(),
            fixed,
            length,
            suffix: suffix.suffix().clone(),
        })
    }

    /// Returns the version of a tag after the prefix.
    fn version(&self, tag: &str) -> Option<Version> {
        match bare(&self.prefix) {
            "" => Version::of(tag),
            prefix => Version::after(prefix, tag),
        }
    }

    pub(super) fn newer<'a>(&self, present: Option<&Tag>, tags: &'a [Tag]) -> Vec<&'a Tag> {
        let present = present.and_then(|tag| self.version(tag.as_str()));
        let prefix = match (bare(&self.prefix), &present) {
            ("", Some(present)) => present.bare_prefix(),
            (prefix, _) => prefix,
        };
        let mut shape = Shape {
            prefix,
            suffix: match (self.suffix.text(), &present) {
                ("", None) => Variant::Like(""),
                ("", Some(present)) => Variant::Shape(present.suffix().shape()),
                (suffix, _) => Variant::Like(suffix),
            },
            pre: present
                .as_ref()
                .and_then(|present| present.suffix().pre())
                .map_or(PreReleases::None, PreReleases::From),
            present: present.as_ref(),
        };
        let mut found = self.candidates(&shape, tags);
        if found.is_empty() && present.is_none() && self.suffix.text().is_empty() {
            // All tags of some images have the number of a build or the hash of a commit.
            shape.suffix = Variant::Build;
            found = shortest(self.candidates(&shape, tags));
        }
        if present.is_none() && self.length.is_none() {
            let others = tags
                .iter()
                .filter_map(|tag| Version::after(shape.prefix, tag.as_str()));
            found = precise(found, others);
        }
        let preferred = present.as_ref().map_or(&*self.prefix, Version::prefix);
        sorted(found, preferred, present.is_none())
    }

    pub(super) fn similar<'a>(&self, tags: &'a [Tag], limit: usize) -> Vec<&'a Tag> {
        let shape = Shape {
            prefix: bare(&self.prefix),
            suffix: Variant::Any,
            pre: PreReleases::All,
            present: None,
        };
        let mut found = sorted(self.candidates(&shape, tags), &self.prefix, true);
        found.reverse();
        found.truncate(limit);
        found
    }

    fn candidates<'a>(&self, shape: &Shape<'_>, tags: &'a [Tag]) -> Vec<Candidate<'a>> {
        let candidates = tags.iter().filter_map(|tag| {
            let version = Version::after(shape.prefix, tag.as_str())?;
            let stars = self.matches(&version, shape)?;
            Some(Candidate {
                tag,
                version,
                stars,
            })
        });
        candidates.collect()
    }

    /// Returns the numbers for the stars in the suffix, if the version matches.
    fn matches(&self, version: &Version, shape: &Shape<'_>) -> Option<Vec<Number>> {
        let release = version.release();
        let pre = match (self.suffix.pre(), version.suffix().pre()) {
            (_, None) => self.suffix.pre().is_none() || shape.present.is_some(),
            (Some(pattern), Some(pre)) => pattern.admits(pre),
            (None, Some(pre)) => shape.pre.allows(pre),
        };
        let in_range = release.starts_with(&self.fixed)
            && release >= self.least.as_slice()
            && (self.fixed.is_empty() || version.style() == Style::Dotted)
            && self.length.is_none_or(|length| release.len() == length)
            // `1.*` stands for more numbers than `1`.
            && (release.len() > self.fixed.len() || !self.least.is_empty());
        if !(pre && in_range) {
            return None;
        }
        let stars = shape.suffix.matches(version)?;
        let is_newer = shape.present.is_none_or(|present| {
            let old = shape.suffix.matches(present).unwrap_or_default();
            is_successor((version, &stars), (present, &old))
        });
        is_newer.then_some(stars)
    }
}

/// Returns whether a version, with the numbers in its suffix, follows the present one in the same scheme.
fn is_successor(
    (version, stars): (&Version, &[Number]),
    (present, old_stars): (&Version, &[Number]),
) -> bool {
    let (Some(first), Some(old)) = (version.release().first(), present.release().first()) else {
        return false;
    };
    // From `3` to the build of a date, `20240923`, or from 1.2 to 2024.1: these are other schemes.
    let is_jump = old.digits() <= 3 && (first.is_year() || first.digits() >= LARGE);
    version.style() == present.style()
        && version.release().len() == present.release().len()
        && !is_jump
        && version
            .release()
            .cmp(present.release())
            .then_with(|| version.compare_pre(present))
            .then_with(|| stars.cmp(old_stars))
            .is_gt()
}
