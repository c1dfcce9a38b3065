//! `hocker lock update`: follow tags and patterns.

use std::path::Path;

use super::super::args::lock::UpdateArgs;
use super::super::{Context, Error};
use super::add::{chosen, failure};
use super::changes;
use super::each;
use super::file::{Edits, LockFile};
use super::waits::{Waits, terms};
use hocker::lock::{Age, LockedImage, Name};
use hocker::pin::{self, Terms};

pub(super) async fn run(args: UpdateArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let file = LockFile::read(path)?;
    let mut names = args.names;
    if !names.is_empty() {
        names.extend(args.now.iter().cloned());
    }
    // Fails if one of them is not locked.
    chosen(&file.lock, &args.now, path)?;
    let images = chosen(&file.lock, &names, path)?;
    let (at_once, min_age) = (&args.now, args.min_age);
    let on_terms = |name: &Name, image: &LockedImage| {
        let mut terms = Terms {
            trusts_docker_hub: args.trust_hub_times,
            ..terms(&file.lock, image, min_age)
        };
        if at_once.contains(name) {
            terms.min_age = Age::NONE;
        }
        terms
    };
    let found = each::of_locked(
        images,
        on_terms,
        args.credentials,
        context,
        async |image, registry, terms| Ok(pin::update(image, registry, terms).await?),
    )
    .await?;
    let mut edits = Edits::new();
    let mut failures = Vec::new();
    let mut waits = Waits::default();
    for (name, image, found) in found {
        match found {
            Ok((moved, news)) => {
                waits.push(name, news);
                if moved.is_some() {
                    edits.insert(name.clone(), moved);
                }
            }
            Err(error) => failures.push(failure("update", name.clone(), image.reference(), error)),
        }
    }
    let new = file.write(&edits)?;
    changes::print(args.changes, &file.lock, &new, &waits, failures)
}
