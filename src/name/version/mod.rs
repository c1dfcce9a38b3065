//! Versions in tags: `v1.27.4-alpine3.20`, `17.2-rc1-bookworm`, `2024.11.0b5`, `4.0.11-ls258`.
//!
//! A tag has no defined form (OCI distribution specification, section "Pulling manifests"). This module knows the
//! common ones: a prefix, numbers, the mark of a pre-release, and a suffix that names a variant of the image. It does
//! not decide which tag to follow.

mod number;
mod release;
mod suffix;

pub use self::number::Number;
pub use self::release::Style;
pub use self::suffix::{Pre, Suffix, is_hash};

use std::cmp::Ordering;

/// Words before a number that is no version: a commit, a pull request, or the digest of a signed image.
const NOT_VERSIONS: [&str; 6] = ["sha-", "sha256-", "sha512-", "git-", "commit-", "pr-"];

/// The version in a tag.
///
/// The order is that of versions: by the numbers, pre-releases before their release, then by the numbers of builds, and
/// last by the text. It is a total order. Compare only versions of one shape ([`Version::prefix`],
/// [`Version::suffix`]): the order means nothing between `1.2-alpine` and `1.2-bookworm`.
///
/// ```
/// use hocker::name::Version;
///
/// let version = |text| Version::of(text).unwrap();
/// assert!(version("1.10") > version("1.9"));
/// assert!(version("1.28.0-rc.1") < version("1.28.0"));
/// assert_eq!(version("v3.2.1-alpine3.20").suffix().text(), "-alpine3.20");
/// assert!(Version::of("latest").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    text: String,
    prefix: usize,
    style: Style,
    release: Vec<Number>,
    suffix: Suffix,
}

impl Version {
    /// Finds the version in a tag. Returns `None` if the tag has none, as `latest` and `sha-4f2a9c1`.
    #[must_use]
    pub fn of(tag: &str) -> Option<Self> {
        if NOT_VERSIONS.iter().any(|word| tag.starts_with(word)) {
            return None;
        }
        starts(tag).find_map(|start| Self::at(tag, start))
    }

    /// Parses the version that follows `prefix`, with or without a `v` between them.
    #[must_use]
    pub fn after(prefix: &str, tag: &str) -> Option<Self> {
        tag.strip_prefix(prefix)?;
        Self::at(tag, prefix.len())
    }

    /// Parses the version whose `v` or first digit is at `start`.
    fn at(tag: &str, start: usize) -> Option<Self> {
        let rest = tag.get(start..)?;
        let digits = rest.strip_prefix(['v', 'V']).unwrap_or(rest);
        let prefix = tag.len() - digits.len();
        let (style, release, rest) = release::parse(digits)?;
        let suffix = Suffix::parse(rest, release.len() > 1)?;
        Some(Self {
            text: tag.to_owned(),
            prefix,
            style,
            release,
            suffix,
        })
    }

    /// Returns the whole tag.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the text before the numbers.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.text.get(..self.prefix).unwrap_or_default()
    }

    /// Returns the text before the numbers, without the `v` that some tags have there.
    #[must_use]
    pub fn bare_prefix(&self) -> &str {
        bare(self.prefix())
    }

    /// Returns how the numbers are written.
    #[must_use]
    pub fn style(&self) -> Style {
        self.style
    }

    /// Returns the numbers, at least one.
    #[must_use]
    pub fn release(&self) -> &[Number] {
        &self.release
    }

    /// Returns the text after the numbers.
    #[must_use]
    pub fn suffix(&self) -> &Suffix {
        &self.suffix
    }

    /// Returns whether this is a pre-release.
    #[must_use]
    pub fn is_pre_release(&self) -> bool {
        let pre = self.suffix.pre();
        pre.is_some_and(|pre| !pre.is_after_release())
    }

    /// Compares the numbers, then the pre-releases, then the numbers of builds, and ignores the text.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        self.release
            .cmp(&other.release)
            .then_with(|| self.compare_pre(other))
            .then_with(|| self.suffix.builds().cmp(other.suffix.builds()))
    }

    /// Compares the pre-releases of the same numbers. The release is after them, and before its corrections.
    #[must_use]
    pub fn compare_pre(&self, other: &Self) -> Ordering {
        let key = |version: &'_ Self| {
            let pre = version.suffix.pre().cloned();
            (!version.is_pre_release(), pre)
        };
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(other)
            .then_with(|| self.text.cmp(&other.text))
            // The same text has one version after each prefix.
            .then_with(|| self.prefix.cmp(&other.prefix))
    }
}

/// Returns a prefix without the `v` at its end.
#[must_use]
pub fn bare(prefix: &str) -> &str {
    match prefix.strip_suffix(['v', 'V']) {
        Some(rest) if rest.is_empty() || rest.ends_with(is_boundary) => rest,
        _ => prefix,
    }
}

/// Returns whether a version may follow this character.
fn is_boundary(character: char) -> bool {
    matches!(character, '-' | '_' | '.')
}

/// Returns the positions at which the version of a tag may start: its start, and after each `-` and `_`. After a dot only
/// if no digit is before it: `RELEASE.2024-11-07`, but not `php8.3`.
fn starts(tag: &str) -> impl Iterator<Item = usize> {
    let first_digit = tag.find(|character: char| character.is_ascii_digit());
    let after = tag.match_indices(is_boundary);
    let after = after.filter(move |(position, separator)| {
        *separator != "." || first_digit.is_some_and(|digit| digit > *position)
    });
    std::iter::once(0).chain(after.map(|(position, _)| position + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The parts of a tag's version: prefix, numbers, pre-release, shape of the suffix.
    fn parts(tag: &str) -> Option<(String, String, bool, String)> {
        let version = Version::of(tag)?;
        let numbers: Vec<_> = version.release().iter().map(ToString::to_string).collect();
        let (prefix, shape) = (version.prefix().to_owned(), version.suffix().shape());
        let is_pre = version.is_pre_release();
        Some((prefix, numbers.join(" "), is_pre, shape.to_owned()))
    }

    #[test]
    fn the_parts_of_common_tags_are_found() {
        for (tag, prefix, numbers, is_pre, shape) in [
            ("1.27.4", "", "1 27 4", false, ""),
            ("v3.2.1", "v", "3 2 1", false, ""),
            ("17.2-alpine3.20", "", "17 2", false, "-alpine3.20"),
            ("2024.07.0", "", "2024 7 0", false, ""),
            ("2024.6.0b4", "", "2024 6 0", true, ""),
            ("2024.12.0.dev202411270257", "", "2024 12 0", true, ""),
            ("17rc1-bookworm", "", "17", true, "-bookworm"),
            ("4.0.0-rc.2-management", "", "4 0 0", true, "-management"),
            ("11.7.1-ubi9-rc", "", "11 7 1", true, "-ubi9"),
            ("8.0-M02-alpine", "", "8 0", true, "-alpine"),
            ("1.28.1-rc-2", "", "1 28 1", true, ""),
            ("4.0.11.2680-ls258", "", "4 0 11 2680", false, "-ls#"),
            (
                "1.41.2.9200-c6bbc1b53-ls245",
                "",
                "1 41 2 9200",
                false,
                "-%-ls#",
            ),
            ("1.27.4-debian-12-r3", "", "1 27 4", false, "-debian-12-r#"),
            ("26.0.6-0", "", "26 0 6", false, "-#"),
            ("21.0.5_11-jdk-alpine", "", "21 0 5", false, "_#-jdk-alpine"),
            ("version-4.0.11", "version-", "4 0 11", false, ""),
            ("release-v1.2", "release-v", "1 2", false, ""),
            ("amd64-4.0.11-ls258", "amd64-", "4 0 11", false, "-ls#"),
            ("arm64v8-1.2", "arm64v8-", "1 2", false, ""),
            (
                "RELEASE.2024-11-07T00-52-20Z",
                "RELEASE.",
                "2024 11 7 0 52 20",
                false,
                "",
            ),
            ("nightly-2024-11-07", "nightly-", "2024 11 7", false, ""),
            (
                "bookworm-20241111-slim",
                "bookworm-",
                "20241111",
                false,
                "-slim",
            ),
            ("2024.1.2.3-foo_bar", "", "2024 1 2 3", false, "-foo_bar"),
            ("14-v0.2.0", "", "14", false, "-v0.2.0"),
            ("15.0.11.Final", "", "15 0 11", false, ""),
            ("8.17.0-SNAPSHOT", "", "8 17 0", true, ""),
            ("v0.108.0-b.58", "v", "0 108 0", true, ""),
            ("24-ea-25-jdk", "", "24", true, "-jdk"),
            ("11.3.0-security-01", "", "11 3 0", false, ""),
            ("17.6.1-ce.0", "", "17 6 1", false, "-ce#"),
            ("v1.31.2-k3s1", "v", "1 31 2", false, "-k3s#"),
            ("1.27.0-0ubuntu1", "", "1 27 0", false, "-ubuntu#"),
            ("10.10.3ubu2204-ls42", "", "10 10 3", false, "%-ls#"),
            ("7.4.0-v1-x86_64", "", "7 4 0", false, "-v#-x86_64"),
            ("1.2.3-arm-v7", "", "1 2 3", false, "-arm-v7"),
            ("8u432-b06-jdk", "", "8 432 6", false, "-jdk"),
            ("8u432-alpine", "", "8 432", false, "-alpine"),
            ("cli-2.11.0-php8.3", "cli-", "2 11 0", false, "-php8.3"),
            (
                "99999999999999999999999.1",
                "",
                "99999999999999999999999 1",
                false,
                "",
            ),
        ] {
            let expected = (
                prefix.to_owned(),
                numbers.to_owned(),
                is_pre,
                shape.to_owned(),
            );
            assert_eq!(parts(tag), Some(expected), "{tag}");
        }
        for tag in [
            "latest",
            "edge",
            "nightly",
            "stable-slim",
            "sha-1234567",
            "0a1b2c3",
            "pr-1234",
            "php8.3-fpm",
            "jod",
            "ltsc2022",
            "1.1.1w",
            "java21",
            "",
            ".",
            "v",
            "-",
            "é1",
        ] {
            assert_eq!(parts(tag), None, "{tag}");
        }
    }

    #[test]
    fn versions_are_in_the_order_in_which_they_appear() {
        for ascending in [
            &["1.9", "1.10", "1.10.0", "2"][..],
            &[
                "3.14.0.dev1",
                "3.14.0a1",
                "3.14.0a2",
                "3.14.0b1",
                "3.14.0rc1",
                "3.14.0",
            ],
            &[
                "1.0.0-alpha",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc.1",
                "1.0.0",
                "1.0.1-rc1",
            ],
            &["4.0.11-ls9", "4.0.11-ls10", "4.0.12-ls1"],
            &[
                "11.3.0-rc1",
                "11.3.0",
                "11.3.0-security-01",
                "11.3.0-security-02",
                "11.3.1",
                "11.3.1.post1",
                "11.4",
            ],
            &["1.2-0ubuntu9", "1.2-0ubuntu10", "1.2-1ubuntu1"],
            &["8u422-b05", "8u432-b06"],
            &[
                "18446744073709551615",
                "18446744073709551616",
                "100000000000000000000",
            ],
            &["2024.07.0", "2024.11.0", "2025.01.0"],
        ] {
            for pair in ascending.windows(2) {
                let [one, two] = [0, 1].map(|index| Version::of(pair[index]).unwrap());
                assert!(one < two && one.compare(&two) == Ordering::Less, "{pair:?}");
            }
        }
        let [one, two] = ["v2024.07.0", "2024.7.0"].map(|text| Version::of(text).unwrap());
        assert_eq!(one.compare(&two), Ordering::Equal);
        assert_ne!(one, two);
    }

    /// Texts that are versions more often than others.
    const TAGS: &str = "(v|release-)?[0-9]{1,3}(\\.[0-9]{1,22}){0,3}(-?(rc|a|beta\\.|dev)[0-9]{0,2})?(-(ls[0-9]|x|[0-9]))?";

    proptest! {
        #[test]
        fn any_text_has_a_version_or_none_without_a_panic(text in "\\PC{0,40}|[a-z0-9._-]{0,140}", prefix in "[v0-9.-]{0,3}") {
            for version in Version::of(&text).into_iter().chain(Version::after(&prefix, &text)) {
                prop_assert_eq!(version.text(), &text);
                prop_assert!(!version.release().is_empty());
            }
        }

        #[test]
        fn the_order_is_total(a in TAGS, b in TAGS, c in TAGS) {
            let versions: Vec<_> = [a, b, c].iter().filter_map(|text| Version::of(text)).collect();
            for one in &versions {
                for two in &versions {
                    prop_assert_eq!(one.cmp(two), two.cmp(one).reverse());
                    prop_assert_eq!(one.cmp(two) == Ordering::Equal, one == two);
                    for three in &versions {
                        if one <= two && two <= three {
                            prop_assert!(one <= three);
                        }
                    }
                }
            }
        }
    }
}
