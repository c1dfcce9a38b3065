//! The reasons why a text does not name an image.

use super::MAX_NAME_LENGTH;
use crate::oci::digest;

/// A text that does not name an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The part before the first slash is not `host[:port]`.
    #[error("`{0}` is not a registry: write one like ghcr.io, localhost:5000 or [::1]:5000")]
    Registry(String),
    /// The path has characters or separators that repositories cannot have.
    #[error(
        "`{0}` is not a repository: it has lowercase letters and digits, joined by `/`, `.`, `_`, `__` or `-`"
    )]
    Repository(String),
    /// The last part of the path is the name of a digest algorithm.
    #[error("`{0}` is not a name for an image: with a tag, it looks like an image ID (`sha256:…`)")]
    Algorithm(String),
    /// Repositories are lowercase; worth its own words because it is the commonest mistake.
    #[error("`{0}` is not a repository: it must be lowercase")]
    Uppercase(String),
    /// Not a tag.
    #[error("`{0}` is not a tag: letters, digits, `_`, `.` and `-`, at most 128")]
    Tag(String),
    /// The part after `@` is not a digest.
    #[error(transparent)]
    Digest(digest::ParseError),
    /// The reference and the second argument name different tags or digests.
    #[error("the image name and the argument after it name different tags or digests")]
    TwoTags,
    /// A URL where a reference is needed.
    #[error("`{0}` is a URL: name the image without a scheme, and give the URL with --registry")]
    Url(String),
    /// Longer than 255 characters.
    #[error("the name is longer than {MAX_NAME_LENGTH} characters")]
    TooLong,
}
