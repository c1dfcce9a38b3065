//! Errors of lists of tags.

use crate::printable::Printable;
use crate::safe_url::SafeUrl;

/// The maximum number of pages.
pub(super) const MAX_PAGES: usize = 1000;

/// The maximum number of tags of a repository.
pub(super) const MAX_TAGS: usize = 200_000;

/// The list of tags cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TagsError {
    /// There are too many tags.
    #[error("the repository has more than {MAX_TAGS} tags")]
    TooMany,
    /// There are too many pages.
    #[error("the list of tags has more than {MAX_PAGES} pages")]
    TooManyPages,
    /// A page names itself or an earlier one as the next.
    #[error("the pages of the list of tags form a circle")]
    Circle,
    /// The next page is not a list of the repository's tags on the same host.
    #[error("the next page of the list of tags is elsewhere: {0}")]
    Elsewhere(SafeUrl),
    /// The page is not a list of tags.
    #[error("the list of tags is invalid: {0}")]
    Invalid(Printable),
}
