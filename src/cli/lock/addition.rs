//! The images that a command adds: their references and patterns as the user writes them, and the names that they get.

use std::collections::BTreeMap;

use super::super::{Error, report};
use super::error::LockError;
use hocker::lock::{Following, Lock, LockedImage, Name, Pattern};
use hocker::name::Reference;
use hocker::name::endpoint::Endpoint;
use hocker::oci::platform::Platform;
use hocker::printable::Printable;
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

    /// Parses an image that may have a pattern instead of a tag.
    pub(super) fn parse(
        image: &str,
        registry: Option<&Endpoint>,
        follow: Option<&Pattern>,
    ) -> Result<Self, Error> {
        let split = split_pattern(image);
        let (name, pattern) = match split {
            Some((_, tag)) if follow.is_some() => {
                return Err(LockError::TwoPatterns(Printable::new(tag).to_string()).into());
            }
            Some((name, tag)) => (name, Some(tag.parse().map_err(LockError::Pattern)?)),
            None => (image, follow.cloned()),
        };
        let last = name.rsplit('/').next().unwrap_or_default();
        if split.is_some() && last.contains(':') && !last.contains('@') {
            return Err(LockError::TagAndPattern(safe_url::shown(image)).into());
        }
        let (mut reference, endpoint) = parse(name, registry)?;
        if pattern.is_some() {
            if reference.digest.is_some() {
                return Err(LockError::FollowsDigest(reference.to_string()).into());
            }
            // Without a tag in the arguments, it is the newest.
            let has_tag =
                split.is_none() && name.ends_with(&format!(":{}", reference.tag_or_latest()));
            reference.tag = reference.tag.filter(|_| has_tag);
        }
        let following = Following {
            pattern,
            ..Following::default()
        };
        Ok(Self {
            following,
            ..Self::of(reference, endpoint)
        })
    }

    /// Returns whether a locked image is the same: with the same pattern, or without one with the same tag and digest.
    pub(super) fn is(&self, image: &LockedImage) -> bool {
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

/// Splits a pattern from the end of an image: `nginx:1.*`, `nginx:re:1\.[0-9]+`.
fn split_pattern(image: &str) -> Option<(&str, &str)> {
    // An expression may contain colons and slashes.
    let named = [":re:", ":regex:"]
        .iter()
        .filter_map(|word| image.find(word));
    if let Some((name, pattern)) = named.min().and_then(|at| image.split_at_checked(at)) {
        return Some((name, pattern.strip_prefix(':')?));
    }
    let (name, tag) = image.rsplit_once(':')?;
    // A colon before a slash belongs to a port.
    (!tag.contains('/') && Pattern::is_pattern(tag)).then_some((name, tag))
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
