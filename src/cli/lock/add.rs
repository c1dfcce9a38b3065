//! `hocker lock add`: add images, or further platforms of locked images.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::args::CredentialArgs;
use super::super::args::lock::{AddArgs, ChangesArgs};
use super::super::{Context, Error, report};
use super::changes;
use super::each;
use super::error::LockError;
use super::file::{Edits, LockFile};
use super::registries::Registries;
use hocker::lock::{Lock, LockedImage, Name};
use hocker::name::Reference;
use hocker::name::endpoint::Endpoint;
use hocker::oci::platform::Platform;
use hocker::pin::{self, Wanted};
use hocker::printable::Printable;
use hocker::safe_url;

/// An image to lock.
#[derive(Clone, Debug)]
pub(super) struct Addition {
    pub(super) name: Name,
    pub(super) reference: Reference,
    pub(super) endpoint: Endpoint,
}

pub(super) async fn run(args: AddArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let file = LockFile::read_or_begin(path)?;
    let mut additions = Additions::to(&file.lock, args.force);
    for text in &args.images {
        let (name, image) = match text.split_once('=') {
            Some((name, image)) => (Some(name.parse().map_err(LockError::Name)?), image),
            None => (None, text.as_str()),
        };
        let (reference, endpoint) = parse(image, args.registry.as_ref())?;
        additions.push(name, reference, endpoint)?;
    }
    let additions = additions.list.into_values().collect();
    let platforms = &args.platforms.platform;
    lock(
        file,
        additions,
        platforms,
        args.changes,
        args.credentials,
        context,
    )
    .await
}

/// Parses the name of an image. With `--registry`, it is the full name of a repository.
pub(in crate::cli) fn parse(
    image: &str,
    registry: Option<&Endpoint>,
) -> Result<(Reference, Endpoint), Error> {
    let reference = match registry {
        Some(endpoint) => Reference::in_registry(endpoint.registry_name().clone(), image),
        None => image.parse(),
    };
    let mut reference = reference.map_err(|source| Error::Reference {
        image: safe_url::shown(image),
        source,
    })?;
    if reference.digest.is_none() {
        // The lock file states the tag that it follows, even if it is `latest`.
        reference.tag = Some(reference.tag_or_latest());
    }
    let endpoint = match registry {
        Some(endpoint) => endpoint.clone(),
        None => Endpoint::of(&reference.registry)?,
    };
    Ok((reference, endpoint))
}

/// Images to lock, each under a name that no other image has.
pub(super) struct Additions<'a> {
    lock: &'a Lock,
    force: bool,
    pub(super) list: BTreeMap<Name, Addition>,
}

impl<'a> Additions<'a> {
    /// Starts without images. `force` allows names that other locked images have.
    pub(super) fn to(lock: &'a Lock, force: bool) -> Self {
        Self {
            lock,
            force,
            list: BTreeMap::new(),
        }
    }

    /// Adds an image. Its name is the given one, else the one that it already has in the lock, else the first free
    /// candidate.
    pub(super) fn push(
        &mut self,
        name: Option<Name>,
        reference: Reference,
        endpoint: Endpoint,
    ) -> Result<(), Error> {
        let taken_by = |name: &Name| -> Option<&Reference> {
            let added = self
                .list
                .get(name)
                .map(|added| (&added.reference, &added.endpoint));
            let locked = self.lock.images.get(name).filter(|_| !self.force);
            let locked = locked.map(|image| (image.reference(), image.endpoint()));
            added
                .or(locked)
                .filter(|(other, place)| **other != reference || place.base() != endpoint.base())
                .map(|(other, _)| other)
        };
        let name = if let Some(name) = name {
            if let Some(other) = taken_by(&name) {
                let taken_by = Box::new(other.clone());
                return Err(LockError::NameTaken { name, taken_by }.into());
            }
            name
        } else if let Some(name) = self.name_of(&reference, &endpoint) {
            name
        } else {
            let candidates = Name::candidates(&reference);
            let first = candidates.first().cloned();
            let free = candidates.into_iter().find(|name| taken_by(name).is_none());
            match (first, free) {
                (Some(first), Some(free)) => {
                    if let Some(other) = taken_by(&first) {
                        report::note(&Printable::new(&format!(
                            "{reference} gets the name `{free}`, because {other} has the name `{first}`"
                        )));
                    }
                    free
                }
                (first, _) => {
                    let name = first
                        .map_or_else(|| "".parse(), Ok)
                        .map_err(LockError::Name)?;
                    let taken_by = Box::new(taken_by(&name).unwrap_or(&reference).clone());
                    return Err(LockError::NameTaken { name, taken_by }.into());
                }
            }
        };
        let addition = Addition {
            name: name.clone(),
            reference,
            endpoint,
        };
        self.list.insert(name, addition);
        Ok(())
    }

    /// Whether an image is already locked for all of these platforms.
    pub(super) fn is_locked(
        &self,
        reference: &Reference,
        endpoint: &Endpoint,
        platforms: &[Platform],
    ) -> bool {
        let image = self
            .name_of(reference, endpoint)
            .and_then(|name| self.lock.images.get(&name));
        image.is_some_and(|image| {
            platforms
                .iter()
                .all(|wanted| image.platforms().contains_key(wanted))
        })
    }

    /// Returns the name of an image that is already locked.
    fn name_of(&self, reference: &Reference, endpoint: &Endpoint) -> Option<Name> {
        let mut images = self.lock.images.iter();
        images
            .find(|(_, image)| {
                image.reference() == reference && image.endpoint().base() == endpoint.base()
            })
            .map(|(name, _)| name.clone())
    }
}

/// Pins the images, writes those that succeed to the lock file, and prints the changes.
pub(super) async fn lock(
    file: LockFile,
    additions: Vec<Addition>,
    platforms: &[Platform],
    changes_args: ChangesArgs,
    credentials: CredentialArgs,
    context: &Context,
) -> Result<(), Error> {
    let places = additions
        .iter()
        .map(|one| (&one.endpoint, &one.reference.repository));
    let registries = Registries::new(context, credentials, places).await?;
    let platforms: Vec<_> = platforms.iter().map(Platform::normalised).collect();
    let found = each::all(
        context,
        additions.iter().map(|one| async {
            let wanted = Wanted {
                reference: &one.reference,
                endpoint: &one.endpoint,
                platforms: &platforms,
                known: file.lock.images.get(&one.name),
            };
            let repository = &one.reference.repository;
            let registry = registries.acquire(&one.endpoint, repository).await?;
            Ok(pin::pin(&wanted, &registry).await?)
        }),
    )
    .await;
    let mut edits = Edits::new();
    let mut failures = Vec::new();
    for (addition, found) in additions.into_iter().zip(found) {
        match found {
            Ok(image) => {
                edits.insert(addition.name, Some(image));
            }
            Err(error) => failures.push(failure("lock", addition.name, &addition.reference, error)),
        }
    }
    let new = file.write(&edits)?;
    changes::print(changes_args, &file.lock, &new, failures)
}

/// Returns the failure of an image, with the operation and the image's name.
pub(super) fn failure(
    operation: &'static str,
    name: Name,
    reference: &Reference,
    error: Error,
) -> (Name, Error) {
    let error = Error::LockedImage {
        operation,
        what: format!("{name} ({reference})"),
        source: Box::new(error),
    };
    (name, error)
}

/// Returns the images with these names; without names, all images.
pub(super) fn chosen<'a>(
    lock: &'a Lock,
    names: &'a [Name],
    path: &Path,
) -> Result<Vec<(&'a Name, &'a LockedImage)>, Error> {
    if names.is_empty() {
        return Ok(lock.images.iter().collect());
    }
    let mut chosen = BTreeMap::new();
    for name in names {
        let image = lock.images.get(name).ok_or_else(|| LockError::NotLocked {
            name: name.clone(),
            path: path.to_owned(),
        })?;
        chosen.insert(name, image);
    }
    Ok(chosen.into_iter().collect())
}
