//! Updates the record of one image, which a later prune reads.

use std::path::Path;

use super::Error;
use crate::daemon::state::{Record, State};
use crate::oci::digest::Digest;

/// A change of the daemon, for the record.
#[derive(Clone, Copy, Debug)]
pub(in crate::daemon) struct Change<'a> {
    /// The names that the image gets, as the daemon knows them.
    pub(in crate::daemon) names: &'a [String],
    /// Whether the image itself is sent.
    pub(in crate::daemon) sent: bool,
}

/// The record of one image. Does nothing without a state directory. Other processes may load the same image.
pub(in crate::daemon) struct Journal<'a> {
    pub(in crate::daemon) state: Option<&'a State>,
    pub(in crate::daemon) id: Digest,
    pub(in crate::daemon) path: &'a Path,
}

impl Journal<'_> {
    /// Records the change before it happens, and returns the record before that.
    pub(in crate::daemon) fn begin(&self, change: Change<'_>) -> Result<Option<Record>, Error> {
        self.change(|record| {
            let mut record = self.with(record, change);
            record.complete &= !change.sent;
            Some(record)
        })
    }

    /// Records that the change is complete.
    pub(in crate::daemon) fn complete(&self, change: Change<'_>) -> Result<(), Error> {
        self.change(|record| {
            let mut record = self.with(record, change);
            record.complete = true;
            Some(record)
        })
        .map(drop)
    }

    /// Marks an existing record as complete: the daemon has the image already. An earlier run may have been interrupted
    /// after its load.
    pub(in crate::daemon) fn found(&self) -> Result<(), Error> {
        self.change(|record| {
            let mut record = record?;
            record.complete = true;
            self.path.clone_into(&mut record.image_path);
            Some(record)
        })
        .map(drop)
    }

    /// Restores the record `before` after a load that failed, unless another process has completed the load meanwhile.
    pub(in crate::daemon) fn undo(&self, before: Option<Record>) -> Result<(), Error> {
        self.change(|record| match record {
            Some(record) if record.complete => Some(record),
            _ => before,
        })
        .map(drop)
    }

    fn with(&self, record: Option<Record>, change: Change<'_>) -> Record {
        let mut record = match record {
            Some(record) if !change.sent || record.loaded => record,
            // The record of an image that the daemon no longer has is obsolete.
            _ => Record::new(self.id, self.path),
        };
        record.tags.extend(change.names.iter().cloned());
        record.loaded |= change.sent;
        self.path.clone_into(&mut record.image_path);
        record
    }

    fn change(
        &self,
        change: impl FnOnce(Option<Record>) -> Option<Record>,
    ) -> Result<Option<Record>, Error> {
        match self.state {
            Some(state) => Ok(state.change(&self.id, change)?),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_process_that_fails_does_not_remove_the_record_of_one_that_succeeds() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::new(directory.path().to_owned(), Arc::new(|_| ()));
        let journal = Journal {
            state: Some(&state),
            id: Digest::of(b"a"),
            path: Path::new("/a"),
        };
        let names = ["a:1".to_owned()];
        let change = Change {
            names: &names,
            sent: true,
        };
        let record = || state.record(&journal.id).unwrap();
        for first_ends_first in [true, false] {
            let first = journal.begin(change).unwrap();
            let second = journal.begin(change).unwrap();
            assert_eq!(first, None);
            assert!(!record().unwrap().complete);
            if first_ends_first {
                journal.complete(change).unwrap();
                journal.undo(second).unwrap();
            } else {
                journal.undo(first).unwrap();
                journal.complete(change).unwrap();
            }
            let found = record().unwrap();
            assert!(found.complete && found.loaded && found.tags.contains("a:1"));
            state.change(&journal.id, |_| None).unwrap();
        }
        journal.found().unwrap();
        assert_eq!(
            record(),
            None,
            "an image that existed before gets no record"
        );
    }
}
