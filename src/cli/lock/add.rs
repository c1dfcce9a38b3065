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
use super::signing::{SignerChange, Signing};
use super::waits::Waits;
use hocker::lock::{Following, Lock, LockedImage, Name, Pattern};
use hocker::name::Reference;
use hocker::name::endpoint::Endpoint;
use hocker::oci::platform::Platform;
use hocker::pin::{self, Wanted};
use hocker::printable::Printable;
use hocker::registry::Registry;
use hocker::safe_url;

/// An image to lock.
#[derive(Clone, Debug)]
pub(super) struct Addition {
    /// The reference. Without tag and digest, the newest tag of the pattern is chosen.
    pub(super) reference: Reference,
    pub(super) endpoint: Endpoint,
    /// How the image is followed. Nothing of it waits.
    pub(super) following: Following,
}

impl Addition {
    /// An image whose tag or digest is followed.
    pub(super) fn of(reference: Reference, endpoint: Endpoint) -> Self {
        Self {
            reference,
            endpoint,
            following: Following::default(),
        }
    }

    /// Returns whether a locked image is the same: with the same pattern, or without one with the same tag and digest.
    fn is(&self, image: &LockedImage) -> bool {
        let own = self.following.pattern.as_ref();
        let pattern = image.following().pattern.as_ref();
        own == pattern
            && self.endpoint.base() == image.endpoint().base()
            && followed(&self.reference, own) == followed(image.reference(), pattern)
    }
}

/// Returns what is followed, without the tag if it is only the present one of a pattern.
fn followed(reference: &Reference, pattern: Option<&Pattern>) -> Reference {
    Reference {
        tag: reference.tag.clone().filter(|_| pattern.is_none()),
        ..reference.clone()
    }
}

pub(super) async fn run(args: AddArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let signing = Signing::of(path);
    let signer = signing.change(&args.signer)?;
    let file = LockFile::read_or_begin(path)?;
    let mut additions = Additions::to(&file.lock, args.force);
    for text in &args.images {
        let (name, image) = match text.split_once('=') {
            Some((name, image)) => (Some(name.parse().map_err(LockError::Name)?), image),
            None => (None, text.as_str()),
        };
        let mut addition = addition(image, args.registry.as_ref(), args.follow.as_ref())?;
        addition.following.min_age = args.min_age;
        additions.push(name, addition)?;
    }
    let additions = additions.list.into_iter().collect();
    let platforms = &args.platforms.platform;
    lock(
        file,
        additions,
        platforms,
        (signing, signer),
        args.changes,
        args.credentials,
        context,
    )
    .await
}

/// Parses an image that may have a pattern instead of a tag.
fn addition(
    image: &str,
    registry: Option<&Endpoint>,
    follow: Option<&Pattern>,
) -> Result<Addition, Error> {
    // A colon before a slash belongs to a port.
    let split = image
        .rsplit_once(':')
        .filter(|(_, tag)| !tag.contains('/') && Pattern::is_pattern(tag));
    let (name, pattern) = match split {
        Some((_, tag)) if follow.is_some() => {
            return Err(LockError::TwoPatterns(Printable::new(tag).to_string()).into());
        }
        Some((name, tag)) => (name, Some(tag.parse().map_err(LockError::Pattern)?)),
        None => (image, follow.cloned()),
    };
    let (mut reference, endpoint) = parse(name, registry)?;
    if pattern.is_some() {
        if reference.digest.is_some() {
            return Err(LockError::FollowsDigest(reference.to_string()).into());
        }
        // Without a tag in the arguments, it is the newest.
        let has_tag = split.is_none() && name.ends_with(&format!(":{}", reference.tag_or_latest()));
        reference.tag = reference.tag.filter(|_| has_tag);
    }
    let following = Following {
        pattern,
        ..Following::default()
    };
    Ok(Addition {
        following,
        ..Addition::of(reference, endpoint)
    })
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
    pub(super) fn push(&mut self, name: Option<Name>, addition: Addition) -> Result<(), Error> {
        let reference = &addition.reference;
        let taken_by = |name: &Name| -> Option<&Reference> {
            if let Some(added) = self.list.get(name) {
                let is_same = added.reference == *reference
                    && added.endpoint.base() == addition.endpoint.base()
                    && added.following == addition.following;
                return Some(&added.reference).filter(|_| !is_same);
            }
            let locked = self.lock.images.get(name).filter(|_| !self.force);
            locked
                .filter(|image| !addition.is(image))
                .map(LockedImage::reference)
        };
        let name = if let Some(name) = name {
            if let Some(other) = taken_by(&name) {
                let taken_by = Box::new(other.clone());
                return Err(LockError::NameTaken { name, taken_by }.into());
            }
            name
        } else if let Some(name) = self.name_of(&addition) {
            name
        } else {
            let candidates = Name::candidates(reference);
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
                    let taken_by = Box::new(taken_by(&name).unwrap_or(reference).clone());
                    return Err(LockError::NameTaken { name, taken_by }.into());
                }
            }
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
            .name_of(&Addition::of(reference.clone(), endpoint.clone()))
            .and_then(|name| self.lock.images.get(&name));
        image.is_some_and(|image| {
            platforms
                .iter()
                .all(|wanted| image.platforms().contains_key(wanted))
        })
    }

    /// Returns the name of an image that is already locked.
    fn name_of(&self, addition: &Addition) -> Option<Name> {
        let mut images = self.lock.images.iter();
        images
            .find(|(_, image)| addition.is(image))
            .map(|(name, _)| name.clone())
    }
}

/// Pins the images, writes those that succeed to the lock file, and prints the changes.
pub(super) async fn lock(
    file: LockFile,
    additions: Vec<(Name, Addition)>,
    platforms: &[Platform],
    (signing, signer): (Signing, SignerChange),
    changes_args: ChangesArgs,
    credentials: CredentialArgs,
    context: &Context,
) -> Result<(), Error> {
    let places = additions
        .iter()
        .map(|(_, one)| (&one.endpoint, &one.reference.repository));
    let registries = Registries::new(context, credentials, places).await?;
    let platforms: Vec<_> = platforms.iter().map(Platform::normalised).collect();
    let found = each::all(
        context,
        additions.iter().map(|(name, one)| async {
            let known = file.lock.images.get(name);
            let repository = &one.reference.repository;
            let registry = registries.acquire(&one.endpoint, repository).await?;
            let image = pinned(one, &file.lock, known, &platforms, &registry).await?;
            signed(image, known, &signer, &signing, &registry).await
        }),
    )
    .await;
    let mut edits = Edits::new();
    let mut failures = Vec::new();
    for ((name, addition), found) in additions.into_iter().zip(found) {
        match found {
            Ok(image) => {
                edits.insert(name, Some(image));
            }
            Err(error) => failures.push(failure("lock", name, &addition.reference, error)),
        }
    }
    let new = file.write_with(&edits, &signing.into_files())?;
    changes::print(changes_args, &file.lock, &new, &Waits::default(), failures)
}

/// Pins one image. If it is locked already and has to wait for news, it stays at what is locked: only an update moves it.
async fn pinned(
    addition: &Addition,
    lock: &Lock,
    known: Option<&LockedImage>,
    platforms: &[Platform],
    registry: &Registry,
) -> Result<LockedImage, Error> {
    let same = known.filter(|image| addition.is(image));
    let mut following = addition.following.clone();
    if let Some(same) = same {
        following.min_age = following.min_age.or(same.following().min_age);
        following.pending.clone_from(&same.following().pending);
    }
    let mut reference = addition.reference.clone();
    let mut source = None;
    let stays = same.filter(|image| {
        let names_another = reference.tag.is_some() && reference.tag != image.reference().tag;
        !lock.min_age(image).is_none() && !names_another
    });
    if let Some(image) = stays {
        reference.tag.clone_from(&image.reference().tag);
        source = image.digest();
    } else {
        following.pending.clear();
        if let (None, Some(pattern)) = (&reference.tag, &following.pattern) {
            reference.tag = Some(pin::newest_tag(&reference, pattern, same, registry).await?);
        }
    }
    let source = Reference {
        digest: source.or(reference.digest),
        ..reference.clone()
    };
    let wanted = Wanted {
        reference: &reference,
        endpoint: &addition.endpoint,
        platforms,
        known,
    };
    let image = pin::pin_from(&wanted, &source, registry).await?;
    Ok(image.with_following(following).map_err(pin::Error::from)?)
}

/// Returns a pinned image with its signer and proofs. An image of the same repository keeps the signer of the known one.
async fn signed(
    image: LockedImage,
    known: Option<&LockedImage>,
    change: &SignerChange,
    signing: &Signing,
    registry: &Registry,
) -> Result<LockedImage, Error> {
    let before = known.and_then(LockedImage::signer).filter(|_| {
        known.is_some_and(|known| {
            known.reference().repository == image.reference().repository
                && known.endpoint().base() == image.endpoint().base()
        })
    });
    let signer = match (change, before) {
        (SignerChange::Require(signer), _) | (SignerChange::Keep, Some(signer)) => signer,
        (SignerChange::Remove, _) | (SignerChange::Keep, None) => return Ok(image),
    };
    let is_proven = before.is_some_and(|before| {
        before.requires_the_same(signer)
            && !before.proofs.is_empty()
            && known.and_then(LockedImage::digest) == image.digest()
            && known.is_some_and(|known| signing.verify(known).is_ok())
    });
    if is_proven {
        return Ok(image.with_signer(before.cloned()));
    }
    signing.prove(image, signer, registry).await
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
