//! What follows the numbers of a version: the mark of a pre-release, and words for a variant of the image.
//!
//! A `*` stands for a number here, because patterns are written like tags.

use super::Number;

/// The mark of a pre-release: `-rc.1`, `b4`, `-beta`; or that of a correction, which follows its release: `-security-01`,
/// `.post1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pre {
    stage: Stage,
    numbers: Vec<Number>,
    is_any: bool,
}

/// The stages before a release, the earliest first, and the one after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Dev,
    Canary,
    Alpha,
    Beta,
    Milestone,
    Preview,
    Candidate,
    Correction,
}

impl Pre {
    /// Returns whether the version follows its release, instead of preceding it.
    #[must_use]
    pub fn is_after_release(&self) -> bool {
        self.stage == Stage::Correction
    }

    /// Returns whether this mark, from a pattern, admits another one: of the same stage, and with the same number unless
    /// the pattern has `*` for it.
    #[must_use]
    pub fn admits(&self, other: &Self) -> bool {
        self.stage == other.stage && (self.is_any || self.numbers == other.numbers)
    }

    /// Returns whether this mark, from a pattern such as `~1.28.0-rc.1`, admits another one of the same numbers.
    #[must_use]
    pub fn is_at_most(&self, other: &Self) -> bool {
        self <= other || self.admits(other)
    }

    /// Returns whether this mark is of the stage of another one, or of a later stage on the same side of the release.
    #[must_use]
    pub fn is_as_mature_as(&self, other: &Self) -> bool {
        self.stage >= other.stage && self.is_after_release() == other.is_after_release()
    }

    /// Parses a part of a suffix. `is_attached` means that it follows a number without a separator, where single letters
    /// are marks, too. Some marks have their number in the next part: `-rc-1`. Returns whether it belongs to the mark.
    fn parse(part: &str, next: Option<&str>, is_attached: bool) -> Option<(Self, bool)> {
        let end = part.find(|character: char| !character.is_ascii_alphabetic());
        let (word, rest) = part.split_at(end.unwrap_or(part.len()));
        let (is_dotted, rest) = match rest.strip_prefix('.') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let own = numbers(rest);
        let of_next = next.filter(|_| rest.is_empty()).and_then(numbers);
        let takes_next = own.is_none() && of_next.is_some();
        let numbers = own.or(of_next);
        let is_letter = is_attached || is_dotted;
        let stage = match word.to_ascii_lowercase().as_str() {
            "alpha" => Stage::Alpha,
            "beta" => Stage::Beta,
            "milestone" => Stage::Milestone,
            "pre" | "preview" | "prerelease" => Stage::Preview,
            "rc" | "cr" => Stage::Candidate,
            "snapshot" => Stage::Dev,
            // Without a number, these name a variant that is built all the time.
            _ if numbers.is_none() => return None,
            "dev" => Stage::Dev,
            "canary" | "next" => Stage::Canary,
            "m" => Stage::Milestone,
            "ea" => Stage::Preview,
            "security" | "post" | "hotfix" | "patch" => Stage::Correction,
            "a" if is_letter => Stage::Alpha,
            "b" if is_letter => Stage::Beta,
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
        .map(|pre| (pre, takes_next))
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
    variant: String,
    builds: Vec<Number>,
}

/// A part of a suffix, between separators.
enum Part {
    /// The number of a build, after a word such as `ls` or `r`.
    Build(&'static str, Vec<Number>),
    /// The hash of a commit, or the system on which the program was built, as in `10.10.3ubu2204`.
    Hash,
    /// A word that names a variant.
    Word,
}

/// The words before the number of a build: of linuxserver.io, of Alpine's and Bitnami's packages, of GitLab, k3s and RKE2,
/// and common ones.
const BUILDS: [&str; 9] = ["ls", "r", "build", "rev", "p", "ce", "ee", "k3s", "rke2r"];

/// The words for a release, as `JBoss` and Spring write them: `15.0.11.Final`.
const RELEASES: [&str; 3] = ["final", "ga", "release"];

impl Suffix {
    /// Parses the text after a version's numbers. `is_long` means that these are several. Returns `None` if the text cannot
    /// follow a version.
    pub(super) fn parse(text: &str, is_long: bool) -> Option<Self> {
        let mut suffix = Self::default();
        let mut parts = parts(text).peekable();
        while let Some((separator, part)) = parts.next() {
            let is_attached = separator.is_empty();
            let next = parts.peek().map(|(_, next)| *next);
            if suffix.pre.is_none()
                && let Some((pre, takes_next)) =
                    Pre::parse(part, next, is_attached || separator == ".")
            {
                suffix.pre = Some(pre);
                if takes_next {
                    parts.next();
                }
            } else if is_attached && is_long && is_system(part) {
                suffix.push(separator, part, Part::Hash);
            } else if is_attached {
                return None;
            } else if separator != "." || !RELEASES.contains(&&*part.to_ascii_lowercase()) {
                let is_first = matches!(suffix.shape.as_str(), "" | "%");
                suffix.push(separator, part, kind(part, is_first));
            }
        }
        Some(suffix)
    }

    fn push(&mut self, separator: &str, part: &str, kind: Part) {
        self.text.push_str(separator);
        self.text.push_str(part);
        self.shape.push_str(separator);
        match kind {
            Part::Build(word, numbers) => {
                self.shape.push_str(word);
                self.shape.push('#');
                self.builds.extend(numbers);
            }
            Part::Hash => self.shape.push('%'),
            Part::Word => {
                self.shape.push_str(part);
                self.variant.push_str(separator);
                self.variant.push_str(part);
            }
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

    /// Returns the words that name a variant: the text without the numbers of builds and the hashes of commits.
    #[must_use]
    pub fn variant(&self) -> &str {
        &self.variant
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
        let number = Number::new(text);
        (text == "*" || number.is_some()).then(|| number.into_iter().collect::<Vec<_>>())
    };
    for word in BUILDS {
        if let Some(number) = part.strip_prefix(word).and_then(number) {
            return Part::Build(word, number);
        }
    }
    // Elsewhere it is a variant of an architecture: `-arm-v7`.
    if let Some(number) = part.strip_prefix('v').and_then(number).filter(|_| is_first) {
        return Part::Build("v", number);
    }
    // The revision of a package of Ubuntu: `-0ubuntu1`.
    if let Some((debian, ubuntu)) = part.split_once("ubuntu")
        && let (Some(debian), Some(ubuntu)) = (Number::new(debian), Number::new(ubuntu))
    {
        return Part::Build("ubuntu", vec![debian, ubuntu]);
    }
    match number(part) {
        // Elsewhere it is the version of a distribution: `-debian-12`.
        Some(number) if is_first => Part::Build("", number),
        _ if is_hash(part) => Part::Hash,
        _ => Part::Word,
    }
}

/// Returns whether a part that is attached to a version names the system of the image: `ubu2204`. linuxserver.io builds each
/// version on one system only, so it is no variant.
fn is_system(part: &str) -> bool {
    part.strip_prefix("ubu").and_then(Number::new).is_some()
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
