//! Lets a daemon fetch the image by its digest from this program: the daemon asks only for the blobs that it lacks, and
//! verifies what it gets. This is possible if the daemon reaches this machine's loopback addresses.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::task::spawn_blocking;

use super::find::FoundImage;
use super::temporary_image::TemporaryImage;
use super::transfer::add_digest_name;
use super::verification::{Failure, Verification};
use super::way::{Way, WhyArchive, line};
use super::{AT_ONCE, Error, LoadProgress, TransferReport};
use crate::daemon::DaemonMessage;
use crate::daemon::client::Daemon;
use crate::daemon::store::Store;
use crate::daemon::temporary_name::{Named, TemporaryName, secret_repository};
use crate::oci::digest::{DiffId, Digest};
use crate::oci::platform::Platform;
use crate::printable::Printable;
use crate::serve::{Catalogue, Supervision, Temporary};

/// How long the daemon may take to notice that the image is wrong.
const GRACE: Duration = Duration::from_secs(5);

/// The outcome of an attempt to let the daemon fetch the image.
pub(super) enum Outcome {
    /// The daemon fetched it.
    Done(TemporaryImage, TransferReport),
    /// The daemon did not.
    Not(WhyArchive),
}

/// The bytes of each blob that were sent.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<HashMap<Digest, u64>>>);

impl Counts {
    fn add(&self, blob: &Digest, bytes: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(*blob).or_default() += bytes;
    }

    fn report(&self, found: &FoundImage) -> TransferReport {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        TransferReport::of(found.composition.manifest(), &counts)
    }
}

/// Lets the daemon fetch the image, if it can. Fails if the image is wrong, or if the daemon has no space.
pub(super) async fn pull(
    daemon: &Daemon,
    found: &Arc<FoundImage>,
    platform: Option<&Platform>,
    progress: &LoadProgress,
) -> Result<Outcome, Error> {
    if let Store::Docker { .. } = daemon.store() {
        return Ok(Outcome::Not(WhyArchive::OwnStore));
    }
    if found.tags.is_empty() && found.digest_name.is_none() {
        return Ok(Outcome::Not(WhyArchive::NoName));
    }
    if !daemon.shares_loopback() {
        return Ok(Outcome::Not(WhyArchive::Elsewhere));
    }
    let known = known_diff_ids(daemon).await;
    let Some(repository) = secret_repository() else {
        let why = Printable::new("the operating system has no random bytes");
        return Ok(Outcome::Not(WhyArchive::NotServed(why)));
    };
    let (catalogue, checks) = spawn_blocking({
        let (found, repository) = (Arc::clone(found), repository.clone());
        move || {
            let manifest = found.composition.manifest();
            let files = found.composition.files();
            let catalogue = Catalogue::of_image(&repository, manifest, found.index(), files);
            let checks = found.payload(&HashSet::new()).checks()?;
            Ok::<_, Error>((catalogue, checks))
        }
    })
    .await??;
    let catalogue = match catalogue {
        Ok(catalogue) => catalogue,
        Err(error) => return Ok(Outcome::Not(WhyArchive::NotServed(line(&error)))),
    };
    let verification = Verification::start(checks, |check| known.contains(check.diff_id()));
    let counts = Counts::default();
    (progress.sending)(expected(found, &known));
    let config = found.composition.manifest().config.digest;
    let supervision = Supervision {
        requested: verification.requested(),
        sending: Arc::new({
            let (counts, sent) = (counts.clone(), Arc::clone(&progress.sent));
            move |blob, bytes| {
                counts.add(blob, bytes);
                if *blob != config {
                    sent(bytes);
                }
            }
        }),
        verified: Some(config),
        verdict: verification.verdict(),
    };
    let serving = match Temporary::start(catalogue, Some(supervision)).await {
        Ok(serving) => serving,
        Err(error) => return Ok(Outcome::Not(WhyArchive::NotServed(line(&error)))),
    };
    (progress.way)(&Way::Pull(serving.port()));
    let digest = *found.digest();
    let name = TemporaryName::new(serving.port(), repository, digest, Named::Image);
    let pulled = TemporaryImage::new(name, serving);
    let mut outcome = run(daemon, pulled.name(), platform, &verification, progress).await;
    if outcome.is_ok() && found.digest_name.is_some() {
        outcome = add_digest_name(daemon, found).await;
    }
    match outcome {
        Ok(()) => Ok(Outcome::Done(pulled, counts.report(found))),
        Err(error) => {
            pulled.end(daemon).await;
            match error {
                Error::Daemon(error) if !error.is_full() => {
                    Ok(Outcome::Not(WhyArchive::Refused(line(&error))))
                }
                error => Err(error),
            }
        }
    }
}

/// Asks the daemon, and waits for its answer. A layer that is wrong counts more than the daemon's answer.
async fn run(
    daemon: &Daemon,
    name: &TemporaryName,
    platform: Option<&Platform>,
    verification: &Verification,
    progress: &LoadProgress,
) -> Result<(), Error> {
    // Only the daemon is to know the repository.
    let secret = name.repository();
    let said = |message: &DaemonMessage| {
        if !message.to_string().contains(&secret) {
            (progress.event)(message);
        }
    };
    let mut answer = Box::pin(daemon.pull(name, platform, said));
    let answered = tokio::select! {
        answered = &mut answer => answered,
        () = verification.failed() => {
            // The daemon cannot get the layer, and gives up.
            match tokio::time::timeout(GRACE, answer).await {
                Ok(answered) => answered,
                Err(_) => Ok(()),
            }
        }
    };
    match verification.take_failure() {
        Some(Failure::Layer(error)) => Err(error.into()),
        Some(Failure::Task(error)) => Err(error.into()),
        None => Ok(answered?),
    }
}

/// The bytes of the layers that the daemon will fetch, as far as its images show.
fn expected(found: &FoundImage, known: &HashSet<DiffId>) -> u64 {
    let mut seen = HashSet::new();
    let layers = found.composition.manifest().layers.iter();
    layers
        .zip(found.config.diff_ids())
        .filter(|(layer, diff_id)| !known.contains(*diff_id) && seen.insert(layer.digest))
        .map(|(layer, _)| layer.size)
        .sum()
}

/// The diff IDs of the layers of all images of the daemon, as far as it reports them: they need not be verified before
/// the daemon asks for them.
async fn known_diff_ids(daemon: &Daemon) -> HashSet<DiffId> {
    let ids = daemon.images().await.unwrap_or_default();
    let mut images = stream::iter(ids)
        .map(|id| async move { daemon.image(&id).await })
        .buffer_unordered(AT_ONCE);
    let mut known = HashSet::new();
    while let Some(image) = images.next().await {
        // An image that was removed meanwhile, or is broken, has no layers.
        if let Ok(Some(image)) = image {
            known.extend(image.layers);
        }
    }
    known
}
