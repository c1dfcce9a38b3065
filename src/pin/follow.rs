//! Following a locked image: to the newest tag of its pattern and to the digest of that tag now, after the wait that the
//! user asked for.

use std::sync::Arc;

use super::proofs::signed_at;
use super::{Error, Wanted, pin_again, pin_from};
use crate::lock::{
    Age, Candidate, Decision, Evidence, Following, LockedImage, Notice, Pattern, Pending, Waiting,
    decide,
};
use crate::name::{Reference, Tag};
use crate::oci::digest::Digest;
use crate::registry::{ManifestOrIndex, Registry};
use crate::signature::Verifier;

/// The number of tags that an error quotes.
const EXAMPLES: usize = 3;

/// The terms on which something new is taken.
#[derive(Clone, Debug)]
pub struct Terms {
    /// How long it has to be known.
    pub min_age: Age,
    /// The time, in seconds since 1970 (UTC).
    pub now: i64,
    /// Whether the time at which Docker Hub received a tag counts.
    pub trusts_docker_hub: bool,
    /// Verifies the signatures of images with a signer. The time at which a transparency log saw one counts.
    pub verifier: Option<Arc<Verifier>>,
}

/// What a registry has now, compared with a locked image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// The tag and the digest to take. `None` if the locked image stays.
    pub take: Option<(Option<Tag>, Digest)>,
    /// What waits.
    pub waiting: Vec<Waiting>,
    /// What happened to what waited.
    pub notices: Vec<Notice>,
}

impl News {
    /// Returns what the lock has to remember of what waits.
    #[must_use]
    pub fn pending(&self) -> Vec<Pending> {
        let waiting = self.waiting.iter();
        waiting.map(|waiting| waiting.pending.clone()).collect()
    }

    /// Returns whether the lock of this image has to change.
    #[must_use]
    pub fn changes(&self, known: &LockedImage) -> bool {
        self.take.is_some() || self.pending() != known.following().pending
    }

    fn of(decision: Decision) -> Self {
        let Decision {
            take,
            waiting,
            notices,
        } = decision;
        Self {
            take: take.map(|candidate| (Some(candidate.tag), candidate.digest)),
            waiting,
            notices,
        }
    }
}

/// Returns the newest tag of a repository that a pattern matches. For a locked image that follows the pattern already,
/// its tag is the oldest.
pub async fn newest_tag(
    reference: &Reference,
    pattern: &Pattern,
    known: Option<&LockedImage>,
    registry: &Registry,
) -> Result<Tag, Error> {
    let tags = registry.tags(&reference.repository).await?;
    let present = known.and_then(|image| image.reference().tag.clone());
    let newest = pattern
        .newer(present.as_ref(), &tags)
        .last()
        .copied()
        .cloned();
    newest.or(present).ok_or_else(|| {
        let similar = pattern.similar(&tags, EXAMPLES).into_iter();
        Error::NoTag {
            repository: reference.repository.to_string(),
            pattern: pattern.to_string(),
            tags: tags.len(),
            similar: similar.map(ToString::to_string).collect(),
            difference: pattern.difference(),
        }
    })
}

/// Looks for news of a locked image, and changes nothing.
pub async fn look(known: &LockedImage, registry: &Registry, terms: &Terms) -> Result<News, Error> {
    if known.is_pinned() {
        return Ok(News::default());
    }
    let newer = newer_tags(known, registry).await?;
    let candidates = candidates(known, &newer, registry, terms).await?;
    let pending = known.following().pending.as_slice();
    // Without a wait, nothing waited, so that nothing is lost.
    let pending = if terms.min_age.is_none() {
        &[]
    } else {
        pending
    };
    Ok(News::of(decide(
        pending,
        &candidates,
        terms.min_age,
        terms.now,
    )))
}

/// Updates a locked image. The image is `None` if its lock stays the same.
pub async fn update(
    known: &LockedImage,
    registry: &Registry,
    terms: &Terms,
) -> Result<(Option<LockedImage>, News), Error> {
    let following = known.following();
    if terms.min_age.is_none() {
        let newest = newer_tags(known, registry).await?.pop();
        let image = match newest {
            Some(tag) => Some(at(known, &with_tag(known, &tag), &tag, registry).await?),
            None => pin_again(known, registry).await?,
        };
        let image = if following.pending.is_empty() {
            image
        } else {
            Some(image.unwrap_or_else(|| known.clone()))
        };
        let image = image.map(|image| with_pending(image, following, Vec::new()));
        return Ok((image.transpose()?, News::default()));
    }
    let news = look(known, registry, terms).await?;
    let present = known.reference().tag_or_latest();
    let image = match &news.take {
        Some((tag, digest)) => {
            let tag = tag.as_ref().unwrap_or(&present);
            // The digest that is old enough, even if the tag has moved since.
            let source = Reference {
                digest: Some(*digest),
                ..with_tag(known, tag)
            };
            Some(at(known, &source, tag, registry).await?)
        }
        None if known.lacks_index_text() => {
            let source = Reference {
                digest: known.digest(),
                ..known.reference().clone()
            };
            Some(at(known, &source, &present, registry).await?)
        }
        None if news.changes(known) => Some(known.clone()),
        None => None,
    };
    let image = image.map(|image| with_pending(image, following, news.pending()));
    let image = image.transpose()?.filter(|image| image != known);
    Ok((image, news))
}

fn with_pending(
    image: LockedImage,
    following: &Following,
    pending: Vec<Pending>,
) -> Result<LockedImage, Error> {
    let following = Following {
        pending,
        ..following.clone()
    };
    Ok(image.with_following(following)?)
}

/// Pins the document of `source` for the platforms of a locked image, under a tag.
async fn at(
    known: &LockedImage,
    source: &Reference,
    tag: &Tag,
    registry: &Registry,
) -> Result<LockedImage, Error> {
    let platforms: Vec<_> = known.platforms().keys().cloned().collect();
    let reference = if known.is_pinned() {
        known.reference().clone()
    } else {
        with_tag(known, tag)
    };
    let wanted = Wanted {
        reference: &reference,
        endpoint: known.endpoint(),
        platforms: &platforms,
        known: Some(known),
    };
    let image = pin_from(&wanted, source, registry).await?;
    Ok(image.with_signer_of(known))
}

fn with_tag(known: &LockedImage, tag: &Tag) -> Reference {
    Reference {
        tag: Some(tag.clone()),
        ..known.reference().clone()
    }
}

/// Returns the tags that the image could move to, the oldest first.
async fn newer_tags(known: &LockedImage, registry: &Registry) -> Result<Vec<Tag>, Error> {
    let reference = known.reference();
    let Some(pattern) = &known.following().pattern else {
        return Ok(Vec::new());
    };
    let tags = registry.tags(&reference.repository).await?;
    let newer = pattern.newer(reference.tag.as_ref(), &tags);
    Ok(newer.into_iter().cloned().collect())
}

/// Returns what could be taken: the newest tag and those that wait, or else the present tag if it has another digest.
async fn candidates(
    known: &LockedImage,
    newer: &[Tag],
    registry: &Registry,
    terms: &Terms,
) -> Result<Vec<Candidate>, Error> {
    let pending = known.following().pending.as_slice();
    let waiting = |tag: &Tag| pending.iter().find(|waiting| waiting.tag == *tag);
    let waits = !terms.min_age.is_none();
    let mut candidates = Vec::new();
    let present = known.reference().tag_or_latest();
    if newer.is_empty() || (waits && waiting(&present).is_some()) {
        let expected = known.digest().into_iter();
        let expected: Vec<_> = expected
            .chain(waiting(&present).map(|one| one.digest))
            .collect();
        let digest = digest_now(known.reference(), &expected, registry).await?;
        if Some(digest) != known.digest() {
            candidates.push(candidate(known, present, digest, registry, terms).await);
        }
    }
    for tag in newer {
        let is_newest = newer.last() == Some(tag);
        let is_waiting = waits && waiting(tag).is_some();
        if !(is_newest || is_waiting) {
            continue;
        }
        let expected: Vec<_> = waiting(tag).map(|one| one.digest).into_iter().collect();
        match digest_now(&with_tag(known, tag), &expected, registry).await {
            Ok(digest) => {
                candidates.push(candidate(known, tag.clone(), digest, registry, terms).await);
            }
            // It was deleted after the list was made.
            Err(Error::Registry(error)) if error.is_absent() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(candidates)
}

async fn candidate(
    known: &LockedImage,
    tag: Tag,
    digest: Digest,
    registry: &Registry,
    terms: &Terms,
) -> Candidate {
    let repository = &known.reference().repository;
    let pushed = if terms.trusts_docker_hub && !terms.min_age.is_none() {
        registry.docker_hub_push(repository, &tag, digest).await
    } else {
        None
    };
    let logged = match &terms.verifier {
        Some(verifier) if !terms.min_age.is_none() => {
            signed_at(known, &digest, verifier, registry).await
        }
        _ => None,
    };
    Candidate {
        tag,
        digest,
        evidence: Evidence { logged, pushed },
    }
}

/// Returns the digest to which a reference resolves now. The document is fetched only if the registry's header has no
/// digest or an unexpected one, because some registries send wrong digests.
pub(super) async fn digest_now(
    reference: &Reference,
    expected: &[Digest],
    registry: &Registry,
) -> Result<Digest, Error> {
    let digest = registry.digest_of(reference).await?;
    if let Some(digest) = digest.filter(|digest| expected.contains(digest)) {
        return Ok(digest);
    }
    Ok(match registry.find(reference).await? {
        ManifestOrIndex::Index(index) => *index.digest(),
        ManifestOrIndex::Manifest(manifest) => *manifest.digest(),
    })
}
