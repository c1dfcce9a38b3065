//! `hocker lock remove`: remove images from the lock file.

use std::path::Path;

use super::super::Error;
use super::super::args::lock::RemoveArgs;
use super::file::LockFile;

pub(super) fn run(args: &RemoveArgs, path: &Path) -> Result<(), Error> {
    let file = LockFile::read(path)?;
    let chosen = file.chosen(&args.names)?;
    let edits = chosen
        .into_iter()
        .map(|(name, _)| (name.clone(), None))
        .collect();
    file.write(&edits).map(drop)
}
