//! Places where credentials may be and that gave no answer: a helper that fails, a variable that cannot be read. A
//! public image needs none of them, so that the search goes on; where access is then denied, the error names them.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Context, report};
use hocker::auth::sources::SourceOutcome;
use hocker::name::RegistryName;
use hocker::printable::Printable;

/// What a process has noted of such places.
#[derive(Clone, Debug, Default)]
pub(super) struct Unanswered(Arc<Mutex<Vec<String>>>);

impl Unanswered {
    /// Keeps what was found in a place, if that is no answer.
    pub(super) fn keep(&self, registry: &RegistryName, place: &str, outcome: &SourceOutcome) {
        if let SourceOutcome::Unanswered { reason } = outcome {
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
    pub(super) fn keep_unanswered(
        &self,
        registry: &RegistryName,
        place: &str,
        outcome: &SourceOutcome,
    ) {
        let before = self.unanswered.lines().len();
        self.unanswered.keep(registry, place, outcome);
        if self.verbose {
            for line in self.unanswered.lines().iter().skip(before) {
                report::note(&Printable::new(line));
            }
        }
    }
}
