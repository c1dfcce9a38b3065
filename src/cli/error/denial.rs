//! A denial of access, with the sources of credentials that failed before it.

use std::fmt;

use super::Error;
use crate::cli::exit::Exit;

/// A denial of access, and the sources of credentials that failed before it.
#[derive(Debug)]
pub(crate) struct Denial {
    /// The denial.
    pub(in crate::cli) error: Error,
    /// One line for each failed source.
    pub(in crate::cli) failed_sources: Vec<String>,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Denial {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl Error {
    /// Returns the error; a denial gets the sources of credentials that failed before it.
    pub(in crate::cli) fn after(self, failed_sources: &[String]) -> Self {
        match self {
            error if failed_sources.is_empty() => error,
            Self::Several(errors) => {
                let errors = errors.into_iter().map(|error| error.after(failed_sources));
                Self::Several(errors.collect())
            }
            error if error.exit() == Exit::Denied => Self::Denial(Box::new(Denial {
                error,
                failed_sources: failed_sources.to_vec(),
            })),
            error => error,
        }
    }
}
