//! Identities of signers, exact or with `*`.

use std::fmt;
use std::str::FromStr;

use crate::printable::is_printable;

/// The maximum length of an identity in bytes.
pub(super) const MAX_LENGTH: usize = 2048;

/// The identity that a certificate must name: a URI or an email address, in which each `*` stands for any characters.
///
/// ```
/// use hocker::signature::Identity;
///
/// let identity: Identity = "https://github.com/team/app/.github/workflows/release.yml@refs/tags/*".parse()?;
/// assert!(identity.matches("https://github.com/team/app/.github/workflows/release.yml@refs/tags/v1"));
/// assert!(!identity.matches("https://github.com/team/app/.github/workflows/release.yml@refs/heads/main"));
/// # Ok::<(), hocker::signature::IdentityError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(String);

impl Identity {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether a certificate's identity is this one. Letters match only in their own case.
    #[must_use]
    pub fn matches(&self, identity: &str) -> bool {
        let mut pieces = self.0.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = identity.strip_prefix(first) else {
            return false;
        };
        let Some(last) = pieces.next_back() else {
            return rest.is_empty();
        };
        for piece in pieces {
            // The first occurrence leaves the most for the pieces after it.
            let Some((_, after)) = rest.split_once(piece) else {
                return false;
            };
            rest = after;
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Identity {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        if text.is_empty() {
            return Err(IdentityError::Empty);
        }
        if text.len() > MAX_LENGTH {
            return Err(IdentityError::TooLong);
        }
        if !text.chars().all(is_printable) || text.contains(char::is_whitespace) {
            return Err(IdentityError::Character);
        }
        if text.chars().all(|character| character == '*') {
            return Err(IdentityError::Anybody);
        }
        Ok(Self(text.to_owned()))
    }
}

/// A text that is not the identity of a signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The text is empty.
    #[error("the identity is empty")]
    Empty,
    /// The text is too long.
    #[error("the identity is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// The text has a character that no identity has.
    #[error("the identity contains a space or a character that cannot be printed")]
    Character,
    /// The text matches every identity.
    #[error("`*` alone would accept every signer")]
    Anybody,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_stands_for_any_characters_and_everything_else_for_itself() {
        for (pattern, identity, expected) in [
            ("a@example.com", "a@example.com", true),
            ("a@example.com", "A@example.com", false),
            ("a@example.com", "a@example.com.evil.org", false),
            ("a@example.com", "ba@example.com", false),
            ("*@example.com", "a@example.com", true),
            ("*@example.com", "a@example.com.evil.org", false),
            ("*@example.com", "a@notexample.com", false),
            (
                "https://h/team/*",
                "https://h/team/app/x.yml@refs/tags/v1",
                true,
            ),
            ("https://h/team/*", "https://h/team", false),
            ("https://h/team/*", "https://h/teamwork/app", false),
            (
                "https://h/*/x.yml@refs/tags/*",
                "https://h/a/b/x.yml@refs/tags/v1",
                true,
            ),
            (
                "https://h/*/x.yml@refs/tags/*",
                "https://h/a/y.yml@refs/tags/v1",
                false,
            ),
            (
                "https://h/*/x.yml@refs/tags/*",
                "https://h/x.yml@refs/tags/v1",
                false,
            ),
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("a**c", "abc", true),
            // No other character is special.
            ("a.c", "abc", false),
            ("a?c", "abc", false),
            ("[a]", "a", false),
        ] {
            let pattern: Identity = pattern.parse().unwrap();
            assert_eq!(pattern.matches(identity), expected, "{pattern} {identity}");
        }
    }

    #[test]
    fn identities_of_nobody_and_of_everybody_are_refused() {
        for (text, error) in [
            ("", IdentityError::Empty),
            ("*", IdentityError::Anybody),
            ("***", IdentityError::Anybody),
            ("a b", IdentityError::Character),
            ("a\n", IdentityError::Character),
            ("a\u{202e}b", IdentityError::Character),
        ] {
            assert_eq!(text.parse::<Identity>(), Err(error), "{text:?}");
        }
        let long = "a".repeat(MAX_LENGTH + 1);
        assert_eq!(long.parse::<Identity>(), Err(IdentityError::TooLong));
    }

    proptest! {
        #[test]
        fn patterns_match_as_the_obvious_slow_algorithm_says(
            pattern in "[ab*]{1,8}", identity in "[ab]{0,10}"
        ) {
            fn slow(pattern: &[u8], text: &[u8]) -> bool {
                match pattern.split_first() {
                    None => text.is_empty(),
                    Some((b'*', rest)) => (0..=text.len()).any(|skipped| slow(rest, &text[skipped..])),
                    Some((first, rest)) => text.first() == Some(first) && slow(rest, &text[1..]),
                }
            }
            if let Ok(parsed) = pattern.parse::<Identity>() {
                prop_assert_eq!(parsed.matches(&identity), slow(pattern.as_bytes(), identity.as_bytes()));
            }
        }
    }
}
