//! The record of what is done to one image, for those who clean up after it.

use std::path::Path;

use super::Error;
use crate::daemon::state::{Record, State};
use crate::daemon::tag::TagName;
use crate::oci::digest::Digest;

/// What is put into the daemon, for its record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed<'a> {
    /// The names that the image gets.
    pub(super) tags: &'a [TagName],
    /// Whether the image itself is sent.
    pub(super) sent: bool,
}

/// The record of what is done, where one is kept. Others may be at work on the same image.
pub(super) struct Journal<'a> {
    pub(super) state: Option<&'a State>,
    pub(super) id: Digest,
    pub(super) path: &'a Path,
}

impl Journal<'_> {
    /// Before something is done. Gives what was there before.
    pub(super) fn begin(&self, deed: Deed<'_>) -> Result<Option<Record>, Error> {
        self.change(|record| {
            let mut record = self.with(record, deed);
            record.complete &= !deed.sent;
            Some(record)
        })
    }

    /// Afterwards.
    pub(super) fn complete(&self, deed: Deed<'_>) -> Result<(), Error> {
        self.change(|record| {
            let mut record = self.with(record, deed);
            record.complete = true;
            Some(record)
        })
        .map(drop)
    }

    /// Where nothing was to be done, because an earlier run was ended when the daemon had all of it, perhaps.
    pub(super) fn found(&self) -> Result<(), Error> {
        self.change(|record| {
            let mut record = record?;
            record.complete = true;
            self.path.clone_into(&mut record.image_path);
            Some(record)
        })
        .map(drop)
    }

    /// After the image was sent for nothing: all is as it was before, unless somebody else had more luck.
    pub(super) fn undo(&self, before: Option<Record>) -> Result<(), Error> {
        self.change(|record| match record {
            Some(record) if record.complete => Some(record),
            _ => before,
        })
        .map(drop)
    }

    fn with(&self, record: Option<Record>, deed: Deed<'_>) -> Record {
        let mut record = match record {
            Some(record) if !deed.sent || record.loaded => record,
            // What is recorded of an image that is gone is of no use to the next.
            _ => Record::new(self.id, self.path),
        };
        record
            .tags
            .extend(deed.tags.iter().map(ToString::to_string));
        record.loaded |= deed.sent;
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
    fn who_fails_does_not_take_the_record_from_who_succeeds() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::new(directory.path().to_owned(), Arc::new(|_| ()));
        let journal = Journal {
            state: Some(&state),
            id: Digest::of(b"a"),
            path: Path::new("/a"),
        };
        let tags = ["a:1".parse().unwrap()];
        let deed = Deed {
            tags: &tags,
            sent: true,
        };
        let record = || state.record(&journal.id).unwrap();
        for first_ends_first in [true, false] {
            let first = journal.begin(deed).unwrap();
            let second = journal.begin(deed).unwrap();
            assert_eq!(first, None);
            assert!(!record().unwrap().complete);
            if first_ends_first {
                journal.complete(deed).unwrap();
                journal.undo(second).unwrap();
            } else {
                journal.undo(first).unwrap();
                journal.complete(deed).unwrap();
            }
            let found = record().unwrap();
            assert!(found.complete && found.loaded && found.tags.contains("a:1"));
            state.change(&journal.id, |_| None).unwrap();
        }
        journal.found().unwrap();
        assert_eq!(
            record(),
            None,
            "an image that was there is nobody's from here"
        );
    }
}
