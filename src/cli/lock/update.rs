//! `hocker lock update`: follow tags that have moved.

use std::path::Path;

use super::super::args::lock::UpdateArgs;
use super::super::{Context, Error};
use super::add::{chosen, failure};
use super::changes;
use super::each;
use super::file::{Edits, LockFile};
use hocker::pin;

pub(super) async fn run(args: UpdateArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let file = LockFile::read(path)?;
    let images = chosen(&file.lock, &args.names, path)?;
    let found = each::of_locked(
        images,
        args.credentials,
        context,
        async |image, registry| Ok(pin::pin_again(image, registry).await?),
    )
    .await?;
    let mut edits = Edits::new();
    let mut failures = Vec::new();
    for (name, image, found) in found {
        match found {
            Ok(None) => {}
            Ok(moved) => {
                edits.insert(name.clone(), moved);
            }
            Err(error) => failures.push(failure("update", name.clone(), image.reference(), error)),
        }
    }
    let new = file.write(&edits)?;
    changes::print(args.changes, &file.lock, &new, failures)
}
