//! The errors of parsing references and their parts.

use super::MAX_NAME_LENGTH;
use crate::oci::digest;

/// A text that is not a reference, registry, repository or tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The part before the first slash is not `host[:port]`.
    #[error("`{0}` is not a registry: write one like ghcr.io, localhost:5000 or [::1]:5000")]
    Registry(String),
    /// The text is empty.
    #[error("the name is empty")]
    Empty,
    /// The text starts like a path of a file.
    #[error("`{0}` is a path, not the name of an image in a registry")]
    Path(String),
    /// The path contains characters or separators that are not allowed in a repository.
    #[error(
        "`{0}` is not a repository: a repository has lowercase letters and digits, joined by `/`, `.`, `_`, `__` or `-`"
    )]
    Repository(String),
    /// The last component of the path is the name of a digest algorithm.
    #[error("`{0}` is not a name for an image: with a tag, it looks like an image ID (`sha256:…`)")]
    Algorithm(String),
    /// The path contains uppercase letters, the most common mistake.
    #[error("`{0}` is not a repository: uppercase letters are not allowed")]
    Uppercase(String),
    /// The text is not a tag.
    #[error(
        "`{0}` is not a tag: a tag has at most 128 letters, digits, `_`, `.` and `-`, and does not start with `.` or `-`"
    )]
    Tag(String),
    /// The part after `@` is not a digest.
    #[error(transparent)]
    Digest(digest::ParseError),
    /// The reference and the second argument name different tags or digests.
    #[error("the image name and the argument after it name different tags or digests")]
    TwoTags,
    /// The text is a URL, but a reference is needed.
    #[error("`{0}` is a URL: name the image without a scheme, and give the URL with --registry")]
    Url(String),
    /// The name is longer than 255 characters.
    #[error("the name is longer than {MAX_NAME_LENGTH} characters")]
    TooLong,
}
