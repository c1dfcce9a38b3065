//! `hocker lock update`: follow tags and patterns.

use std::path::Path;

use super::super::args::lock::UpdateArgs;
use super::super::{Context, Error, report};
use super::changes;
use super::each::{self, failure};
use super::error::LockError;
use super::file::{Edits, LockFile};
use super::registries::Registries;
use super::signing::Signing;
use super::waits::{Waits, terms};
use hocker::lock::{Age, LockedImage, LockedSigner, Name};
use hocker::pin::{self, News, Terms};
use hocker::printable::Printable;
use hocker::registry::Registry;

/// What an image is now.
struct Found {
    /// The image, or nothing if its lock stays the same.
    new: Option<LockedImage>,
    news: News,
    /// The reason why its signer did not sign it.
    error: Option<Error>,
}

pub(super) async fn run(args: UpdateArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let file = LockFile::read(path)?;
    let mut names = args.names;
    if !names.is_empty() {
        names.extend(args.now.iter().cloned());
    }
    // Fails if one of them is not locked.
    file.chosen(&args.now)?;
    let images = file.chosen(&names)?;
    let signing = Signing::of(path);
    let (at_once, min_age) = (&args.now, args.min_age);
    let on_terms = |name: &Name, image: &LockedImage| {
        let mut terms = Terms {
            trusts_docker_hub: args.trust_hub_times,
            ..terms(&file.lock, image, min_age)
        };
        if at_once.contains(name) {
            terms.min_age = Age::NONE;
        }
        terms.verifier = signing.clock(image, &terms);
        terms
    };
    let terms: Vec<_> = images
        .iter()
        .map(|(name, image)| on_terms(name, image))
        .collect();
    let places = images
        .iter()
        .map(|(_, image)| (image.endpoint(), &image.reference().repository));
    let registries = Registries::new(context, args.credentials, places).await?;
    let found = each::all(
        context,
        images.iter().zip(&terms).map(|((_, image), terms)| async {
            let repository = &image.reference().repository;
            let registry = registries.acquire(image.endpoint(), repository).await?;
            follow(image, &signing, &registry, terms).await
        }),
    )
    .await;
    let mut edits = Edits::new();
    let mut failures = Vec::new();
    let mut waits = Waits::default();
    for ((name, image), found) in images.into_iter().zip(found) {
        let found = found.and_then(|Found { new, news, error }| {
            waits.push(name, news);
            match error {
                Some(error) => decide(name, image, new, error, at_once),
                None => Ok(new),
            }
        });
        match found {
            Ok(None) => {}
            Ok(moved) => {
                edits.insert(name.clone(), moved);
            }
            Err(error) => failures.push(failure("update", name.clone(), image.reference(), error)),
        }
    }
    let new = file.write_with(&edits, &signing.into_files())?;
    changes::print(args.changes, &file.lock, &new, &waits, failures)
}

/// Follows an image, and looks for the proofs that it needs.
async fn follow(
    image: &LockedImage,
    signing: &Signing,
    registry: &Registry,
    terms: &Terms,
) -> Result<Found, Error> {
    let (new, news) = pin::update(image, registry, terms).await?;
    let found = |new, error| Found { new, news, error };
    let now = new.as_ref().unwrap_or(image);
    // Without the files beside the lock file, nothing proves what it states.
    let lacks_proofs =
        |signer: &&LockedSigner| signer.proofs.is_empty() || !signing.has_proofs(signer);
    let Some(signer) = now.signer().filter(lacks_proofs) else {
        return Ok(found(new, None));
    };
    match signing.prove(now.clone(), signer, registry).await {
        Ok(proven) => Ok(found(Some(proven), None)),
        Err(error @ Error::Lock(LockError::Unproven(_))) => Ok(found(new, Some(error))),
        Err(error) => Err(error),
    }
}

/// Decides about an image without a proof: it is not followed, unless the user insists.
fn decide(
    name: &Name,
    old: &LockedImage,
    new: Option<LockedImage>,
    error: Error,
    at_once: &[Name],
) -> Result<Option<LockedImage>, Error> {
    let reason = report::line(&error);
    let note = |what: &str| {
        let reference = old.reference();
        report::note(&Printable::new(&format!(
            "{name} ({reference}) {what}: {reason}"
        )));
    };
    if new.as_ref().is_none_or(|new| new.digest() == old.digest()) {
        note("still has no signature that counts");
        return Ok(new);
    }
    if !at_once.contains(name) {
        return Err(error);
    }
    note("is followed although its signer did not sign it");
    Ok(new)
}
