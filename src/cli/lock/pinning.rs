//! Pinning images that are new in a lock file, or pinned once more: what the registry has now, and its signatures.

use super::super::args::CredentialArgs;
use super::super::args::lock::ChangesArgs;
use super::super::{Context, Error};
use super::addition::Addition;
use super::changes;
use super::each::{self, failure};
use super::file::{Edits, LockFile};
use super::registries::Registries;
use super::signing::{SignerChange, Signing};
use super::waits::Waits;
use hocker::lock::{Lock, LockedImage, Name};
use hocker::name::Reference;
use hocker::oci::platform::Platform;
use hocker::pin::{self, Wanted};
use hocker::registry::Registry;

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
    // A command that pins nothing leaves what was there: the old lock file, or none.
    let new = if edits.is_empty() && !failures.is_empty() {
        file.lock.clone()
    } else {
        file.write_with(&edits, &signing.into_files())?
    };
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
