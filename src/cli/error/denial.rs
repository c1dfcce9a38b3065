//! A denial of access, with the places for credentials that gave no answer before.

use std::fmt;

use super::Error;
use crate::cli::exit::Exit;

/// A denial, with the places that gave no answer before.
#[derive(Debug)]
pub(crate) struct Denial {
    /// The error.
    pub(in crate::cli) error: Error,
    /// The lines for the places.
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
    /// The same, with the places that gave no answer where it is a denial.
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
