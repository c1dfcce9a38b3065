//! Patterns that are written like tags: `1.*-alpine`, `~1.27`, `^1.27`.

use super::error::PatternError;
use super::order::{Candidate, precise, shortest, sorted};
use super::shape::{PreReleases, Shape, Variant};
use super::successor::{has_numbered_variant, is_successor};
use crate::name::Tag;
use crate::name::version::{Number, Style, Suffix, Version, bare};

/// A pattern, in the parts of a tag.
#[derive(Clone, Debug)]
pub(super) struct Template {
    /// The text before the numbers. A `v` at its end is only a preference.
    prefix: String,
    /// The numbers with which versions begin.
    fixed: Vec<Number>,
    /// Whether these are the year and month of a date: `2024-*`.
    is_date: bool,
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
            is_date: false,
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
        if let Some((prefix, fixed)) = date(before) {
            let suffix = suffix(after).ok_or_else(|| PatternError::AfterStar(owned()))?;
            return Ok(Self {
                prefix: prefix.to_owned(),
                fixed,
                is_date: true,
                least: Vec::new(),
                length: None,
                suffix,
            });
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
        let suffix = suffix(rest).ok_or_else(|| PatternError::AfterStar(owned()))?;
        Ok(Self {
            prefix: prefix.to_owned(),
            fixed,
            is_date: false,
            least: Vec::new(),
            length,
            suffix,
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
            suffix: self.variant(present.as_ref()),
            pre: present
                .as_ref()
                .and_then(|present| present.suffix().pre())
                .map_or(PreReleases::None, PreReleases::From),
            present: present.as_ref(),
        };
        let mut found = self.candidates(&shape, tags);
        if present.is_none() {
            // All tags of some images have the number of a build or the hash of a commit.
            shape.suffix = Variant::Named(self.suffix.text());
            let mut builds = self.candidates(&shape, tags);
            if self.length.is_none() {
                shape.pre = PreReleases::All;
                found = precise(found, &self.candidates(&shape, tags));
                builds = precise(builds, &[]);
            }
            if found.is_empty() {
                found = shortest(builds);
            }
        }
        if let Some(present) = &present
            && !self.suffix.text().contains('*')
            && has_numbered_variant(present, versions(tags, prefix))
        {
            let own = present.suffix().builds().first();
            found.retain(|one| one.version.suffix().builds().first() == own);
        }
        let preferred = present.as_ref().map_or(&*self.prefix, Version::prefix);
        sorted(found, preferred, present.is_none())
    }

    /// Returns the suffix that tags must have.
    fn variant<'a>(&'a self, present: Option<&'a Version>) -> Variant<'a> {
        let suffix = self.suffix.text();
        match present.map(Version::suffix) {
            // The pattern leaves out the numbers of builds: `*-jdk` for `21.0.5_11-jdk`.
            Some(present)
                if suffix.is_empty()
                    || (present.text() != suffix && present.variant() == suffix) =>
            {
                Variant::Shape(present.shape())
            }
            _ => Variant::Like(suffix),
        }
    }

    pub(super) fn similar<'a>(&self, tags: &'a [Tag], limit: usize) -> Vec<&'a Tag> {
        let shape = Shape {
            prefix: bare(&self.prefix),
            suffix: Variant::Any,
            pre: PreReleases::All,
            present: None,
        };
        let mut found = self.candidates(&shape, tags);
        if found.is_empty() && shape.prefix.is_empty() {
            let any = |tag: &Tag| Version::of(tag.as_str());
            found = self.candidates_by(&shape, tags, any);
        }
        let mut found = sorted(found, &self.prefix, true);
        found.reverse();
        found.truncate(limit);
        found
    }

    fn candidates<'a>(&self, shape: &Shape<'_>, tags: &'a [Tag]) -> Vec<Candidate<'a>> {
        self.candidates_by(shape, tags, |tag| {
            Version::after(shape.prefix, tag.as_str())
        })
    }

    fn candidates_by<'a>(
        &self,
        shape: &Shape<'_>,
        tags: &'a [Tag],
        version: impl Fn(&Tag) -> Option<Version>,
    ) -> Vec<Candidate<'a>> {
        let candidates = tags.iter().filter_map(|tag| {
            let version = version(tag)?;
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
        let has_least = !self.least.is_empty();
        let pre = match (self.suffix.pre(), version.suffix().pre()) {
            (None, None) => true,
            (Some(_), None) => has_least || shape.present.is_some(),
            // `~1.28.0-rc.1` includes later candidates, and those of later versions.
            (Some(pattern), Some(pre)) if has_least => {
                release > self.least.as_slice() && pre.is_as_mature_as(pattern)
                    || release == self.least.as_slice() && pattern.is_at_most(pre)
            }
            (Some(pattern), Some(pre)) => pattern.admits(pre),
            (None, Some(pre)) => shape.pre.allows(pre),
        };
        let in_range = release.starts_with(&self.fixed)
            && release >= self.least.as_slice()
            && (self.fixed.is_empty() || self.is_date == (version.style() != Style::Dotted))
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

/// Returns the versions of tags with this prefix.
fn versions(tags: &[Tag], prefix: &str) -> impl Iterator<Item = Version> {
    tags.iter()
        .filter_map(move |tag| Version::after(prefix, tag.as_str()))
}

/// Returns the suffix behind the last star of a pattern.
fn suffix(text: &str) -> Option<Suffix> {
    let version = Version::after("", &format!("0{text}"))?;
    (version.release().len() == 1).then(|| version.suffix().clone())
}

/// Splits a year, or a year and a month, from the end of the text before a star: `RELEASE.2024-`, `2024-11-`.
fn date(before: &str) -> Option<(&str, Vec<Number>)> {
    let split = |text: &'_ str| {
        let digits = text.strip_suffix('-')?;
        let start = digits.trim_end_matches(|character: char| character.is_ascii_digit());
        Some((start.len(), Number::new(digits.get(start.len()..)?)?))
    };
    let (start, last) = split(before)?;
    let rest = before.get(..start)?;
    if last.is_year() {
        return Some((rest, vec![last]));
    }
    let (start, year) = split(rest).filter(|(_, year)| year.is_year())?;
    let is_month = before.len() - rest.len() == 3;
    is_month.then_some((rest.get(..start)?, vec![year, last]))
}
