//! What follows the numbers of a version: the mark of a pre-release, and words for a variant of the image.
//!
//! A `*` stands for a number here, because patterns are written like tags.

use super::Number;

/// The mark of a pre-release: `-rc.1`, `b4`, `-beta`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pre {
    stage: Stage,
    numbers: Vec<Number>,
    is_any: bool,
}

/// The stages before a release, the earliest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Dev,
    Canary,
    Alpha,
    Beta,
    Milestone,
    Preview,
    Candidate,
}

impl Pre {
    /// Returns whether this mark, from a pattern, admits another one: of the same stage, and with the same number unless
    /// the pattern has `*` for it.
    #[must_use]
    pub fn admits(&self, other: &Self) -> bool {
        self.stage == other.stage && (self.is_any || self.numbers == other.numbers)
    }

    /// Returns whether this mark is of the stage of another one, or of a later stage.
    #[must_use]
    pub fn is_as_mature_as(&self, other: &Self) -> bool {
        self.stage >= other.stage
    }

    /// Parses a part of a suffix. `is_attached` means that it follows a number without a separator, where single letters
    /// are marks, too.
    fn parse(part: &str, is_attached: bool) -> Option<Self> {
        let end = part.find(|character: char| !character.is_ascii_alphabetic());
        let (word, rest) = part.split_at(end.unwrap_or(part.len()));
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        let numbers = numbers(rest);
        let stage = match word.to_ascii_lowercase().as_str() {
            "alpha" => Stage::Alpha,
            "beta" => Stage::Beta,
            "milestone" => Stage::Milestone,
            "pre" | "preview" | "prerelease" => Stage::Preview,
            "rc" => Stage::Candidate,
            // Without a number, these name a variant that is built all the time.
            _ if numbers.is_none() => return None,
            "dev" => Stage::Dev,
            "canary" | "next" => Stage::Canary,
            "m" => Stage::Milestone,
            "ea" => Stage::Preview,
            "a" if is_attached => Stage::Alpha,
            "b" if is_attached => Stage::Beta,
            "c" if is_attached => Stage::Candidate,
            _ => return None,
        };
        match numbers {
            Some(numbers) => Some(Self {
                stage,
                is_any: numbers.is_empty(),
                numbers,
            }),
            None => rest.is_empty().then_some(Self {
                stage,
                numbers: Vec::new(),
                is_any: false,
            }),
        }
    }
}

/// Parses numbers with dots between them, or a `*`, which gives no number.
fn numbers(text: &str) -> Option<Vec<Number>> {
    if text == "*" {
        return Some(Vec::new());
    }
    text.split('.').map(Number::new).collect()
}

/// The words after a version's numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suffix {
    pre: Option<Pre>,
    text: String,
    shape: String,
    builds: Vec<Number>,
}

/// A part of a suffix, between separators.
enum Part {
    /// The number of a build, after a word such as `ls` or `r`.
    Build(&'static str, Option<Number>),
    /// The hash of a commit.
    Hash,
    /// A word that names a variant.
    Word,
}

/// The words before the number of a build: of linuxserver.io, of Alpine's and Bitnami's packages, and common ones.
const BUILDS: [&str; 5] = ["ls", "r", "build", "rev", "p"];

impl Suffix {
    /// Parses the text after a version's numbers. Returns `None` if it cannot follow a version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut suffix = Self::default();
        let mut parts = parts(text).enumerate().peekable();
        while let Some((number, (separator, part))) = parts.next() {
            let is_attached = separator.is_empty();
            if suffix.pre.is_none()
                && let Some(mut pre) = Pre::parse(part, is_attached || separator == ".")
            {
                // `-rc-1`
                if pre.numbers.is_empty()
                    && let Some((_, (_, next))) = parts.peek()
                    && let Some(number) = Number::new(next)
                {
                    pre.numbers.push(number);
                    parts.next();
                }
                suffix.pre = Some(pre);
                continue;
            }
            if is_attached {
                return None;
            }
            suffix.push(separator, part, number == 0);
        }
        Some(suffix)
    }

    fn push(&mut self, separator: &str, part: &str, is_first: bool) {
        self.text.push_str(separator);
        self.text.push_str(part);
        self.shape.push_str(separator);
        match kind(part, is_first) {
            Part::Build(word, number) => {
                self.shape.push_str(word);
                self.shape.push('#');
                self.builds.extend(number);
            }
            Part::Hash => self.shape.push('%'),
            Part::Word => self.shape.push_str(part),
        }
    }

    /// Returns the mark of a pre-release.
    #[must_use]
    pub fn pre(&self) -> Option<&Pre> {
        self.pre.as_ref()
    }

    /// Returns the suffix without the mark of a pre-release.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the text with `#` for the numbers of builds and `%` for the hashes of commits. Images of one variant have
    /// the same shape.
    #[must_use]
    pub fn shape(&self) -> &str {
        &self.shape
    }

    /// Returns whether the suffix names no variant: it has only numbers of builds and hashes of commits.
    #[must_use]
    pub fn is_of_build(&self) -> bool {
        let mut parts = parts(&self.text).enumerate();
        parts.all(|(number, (_, part))| !matches!(kind(part, number == 0), Part::Word))
    }

    /// Returns the numbers of builds.
    #[must_use]
    pub fn builds(&self) -> &[Number] {
        &self.builds
    }
}

/// Splits a suffix at `-` and `_`, with the separator before each part. The first part may follow a dot or nothing.
fn parts(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let is_separated = rest.starts_with(['-', '_', '.']);
        let (separator, after) = rest.split_at(usize::from(is_separated));
        let end = after.find(['-', '_']).unwrap_or(after.len());
        let (part, after) = after.split_at(end);
        rest = after;
        Some((separator, part))
    })
}

fn kind(part: &str, is_first: bool) -> Part {
    let number = |text: &str| {
        let text = text.strip_prefix('.').unwrap_or(text);
        (text == "*" || Number::new(text).is_some()).then(|| Number::new(text))
    };
    for word in BUILDS {
        if let Some(number) = part.strip_prefix(word).and_then(number) {
            return Part::Build(word, number);
        }
    }
    match number(part) {
        // Elsewhere it is the version of a distribution: `-debian-12`.
        Some(number) if is_first => Part::Build("", number),
        _ if is_hash(part) => Part::Hash,
        _ => Part::Word,
    }
}

/// Returns whether a text is the abbreviated hash of a commit: at least 7 hexadecimal digits, among them a letter and a
/// decimal digit.
#[must_use]
pub fn is_hash(text: &str) -> bool {
    let text = text.strip_prefix('g').unwrap_or(text);
    (7..=40).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
}
