//! Sources of credentials that failed: a credential helper that fails, a variable that cannot be parsed. A public image
//! needs no credentials, so the search continues. If the registry then denies access, the error names these sources.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Context, report};
use hocker::auth::sources::SourceOutcome;
use hocker::name::RegistryName;
use hocker::printable::Printable;

/// The sources that failed in this process, as lines for the user.
#[derive(Clone, Debug, Default)]
pub(super) struct FailedSources(Arc<Mutex<Vec<String>>>);

impl FailedSources {
    /// Records a source, if the search of it failed.
    fn record(&self, registry: &RegistryName, place: &str, outcome: &SourceOutcome) {
        if let SourceOutcome::Unanswered { reason } = outcome {
            let line = format!("no credentials for {registry} from {place}: {reason}");
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }

    /// The recorded lines.
    pub(super) fn lines(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clone()
    }
}

impl Context {
    /// Records a source, if the search of it failed. `--verbose` also prints it.
    pub(super) fn record_failed_source(
        &self,
        registry: &RegistryName,
        place: &str,
        outcome: &SourceOutcome,
    ) {
        let before = self.failed_sources.lines().len();
        self.failed_sources.record(registry, place, outcome);
        if self.verbose {
            for line in self.failed_sources.lines().iter().skip(before) {
                report::note(&Printable::new(line));
            }
        }
    }
}
