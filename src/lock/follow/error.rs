//! Errors of patterns.

/// The greatest length of a pattern in bytes.
pub(super) const MAX_LENGTH: usize = 256;

/// The text is not a valid pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The text is too long.
    #[error("a pattern has at most {MAX_LENGTH} characters")]
    TooLong,
    /// The text names one tag.
    #[error("`{0}` is no pattern: it has no `*`, and does not begin with `~`, `^` or `/`")]
    OneTag(String),
    /// The text has characters that no tag has.
    #[error("`{0}` matches no tag: tags have only letters, digits, `.`, `_` and `-`")]
    NoTag(String),
    /// A digit is next to a star.
    #[error("`{0}` has a digit next to `*`: `1.*` matches all versions that begin with 1")]
    Digit(String),
    /// A star is followed by something that does not follow a version.
    #[error(
        "`{0}` has text after `*` that cannot follow a version: expected `-`, `.*`, `rc` or similar"
    )]
    AfterStar(String),
    /// There is no version after `~` or `^`.
    #[error(
        "`{0}` has no version after its first character: expected one as in `~1.27` or `^1.27`"
    )]
    NoVersion(String),
    /// The regular expression is invalid or too large.
    #[error("the regular expression `{expression}` cannot be used: {reason}")]
    Expression {
        /// The expression.
        expression: String,
        /// The reason.
        reason: String,
    },
}
