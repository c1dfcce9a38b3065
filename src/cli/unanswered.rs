//! Places where credentials may be and that gave no answer: a helper that fails, a variable that cannot be read. A
//! public image needs none of them, so that the search goes on; where access is then denied, the error names them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Context, Error, Exit, report};
use crate::auth::sources::Finding;
use crate::name::RegistryName;
use crate::printable::Printable;

/// What a process has noted of such places.
#[derive(Clone, Debug, Default)]
pub(super) struct Unanswered(Arc<Mutex<Vec<String>>>);

impl Unanswered {
    /// Keeps what was found in a place, if that is no answer.
    pub(super) fn keep(&self, registry: &RegistryName, place: &str, finding: &Finding) {
        if let Finding::NoAnswer { reason } = finding {
            let line = format!("no credentials for {registry} from {place}: {reason}");
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }

    /// The lines that were kept.
    pub(super) fn lines(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clone()
    }
}

impl Context {
    /// Keeps what was found in a place, if that is no answer, and says so with `--verbose`.
    pub(super) fn keep_unanswered(&self, registry: &RegistryName, place: &str, finding: &Finding) {
        let before = self.unanswered.lines().len();
        self.unanswered.keep(registry, place, finding);
        if self.verbose {
            for line in self.unanswered.lines().iter().skip(before) {
                report::note(&Printable::new(line));
            }
        }
    }
}

/// A denial, with the places that gave no answer before.
#[derive(Debug)]
pub struct Denial {
    /// The error.
    pub(super) error: Error,
    /// The lines for the places.
    pub(super) unanswered: Vec<String>,
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
    pub(super) fn after(self, unanswered: &Unanswered) -> Self {
        let lines = unanswered.lines();
        match self {
            error if lines.is_empty() => error,
            Self::Several(errors) => {
                let errors = errors.into_iter().map(|error| error.after(unanswered));
                Self::Several(errors.collect())
            }
            error if error.exit() == Exit::Denied => Self::Denial(Box::new(Denial {
                error,
                unanswered: lines,
            })),
            error => error,
        }
    }
}
