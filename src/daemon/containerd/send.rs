//! Sends the blobs of one image that containerd lacks, and lets it unpack the layers. The layers are verified at the same
//! time.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _, stream};

use super::client::Containerd;
use super::error::Error as ContainerdError;
use super::image::{DocumentBlob, UNCOMPRESSED, documents, missing_labels};
use super::lease::Lease;
use super::messages::Labels;
use super::snapshots::{Layer, chain_ids, resource_type};
use super::transfer::{send_document, send_layer};
use super::{content, snapshots};
use crate::daemon::load::find::FoundImage;
use crate::daemon::load::verification::{Failure, Verification};
use crate::daemon::load::{Error, LoadProgress, TransferReport, Way};
use crate::daemon::upload::{LayerCheck, PayloadSource, UploadError};
use crate::daemon::{self, DaemonMessage};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::serve::Verdict;

/// The number of layers that are sent at a time.
const AT_ONCE: usize = 3;
/// How long containerd may go on with an image after a layer is found wrong.
const GRACE: Duration = Duration::from_secs(5);

/// A layer and its file.
type LayerFile<'a> = (&'a Descriptor, &'a Path);

/// The labels of the blobs that containerd has, and `None` for those that it lacks.
type Known = HashMap<Digest, Option<Labels>>;

/// Sends the blobs that containerd lacks, and lets it unpack them. If a layer is wrong, this fails, and the end of the lease
/// removes what was sent.
pub(super) async fn send(
    lease: &Lease,
    found: &FoundImage,
    progress: &LoadProgress,
) -> Result<TransferReport, Error> {
    (progress.way)(&Way::Blobs);
    let layers = found.composition.files().skip(1);
    let mut distinct: Vec<LayerFile<'_>> = Vec::new();
    let mut known = Known::new();
    for (layer, path) in layers {
        if known.contains_key(&layer.digest) {
            continue;
        }
        // First, so that it cannot be removed after it was seen.
        lease.add("content", &layer.digest.to_string()).await?;
        let labels = content::labels(&lease.daemon, &layer.digest).await?;
        known.insert(layer.digest, labels);
        distinct.push((layer, path));
    }
    distinct.retain(|(layer, _)| known.get(&layer.digest).is_none_or(Option::is_none));
    let documents = documents(found, lease.daemon.snapshotter());
    let verification = verify(found, &known)?;
    let work = async {
        let sent = send_blobs(&lease.daemon, &documents, &distinct, progress).await?;
        unpack(lease, found, progress).await?;
        Ok(sent)
    };
    let sent = while_verified(&verification, work).await?;
    label(&lease.daemon, found, &documents, &known).await?;
    Ok(TransferReport::of(found.composition.manifest(), &sent))
}

/// Starts to verify the layers that containerd lacks or did not unpack.
fn verify(found: &FoundImage, known: &Known) -> Result<Verification, Error> {
    let source = PayloadSource {
        composition: &found.composition,
        index: None,
        config: &found.config,
        names: &found.names,
        left_out: &HashSet::new(),
        limit: found.limit,
    };
    let has_unpacked = |check: &LayerCheck| {
        let labels = known.get(&check.layer()).and_then(Option::as_ref);
        let diff_id = labels.and_then(|labels| labels.get(UNCOMPRESSED));
        diff_id.is_some_and(|diff_id| *diff_id == check.diff_id().to_string())
    };
    Ok(Verification::start(source.checks()?, has_unpacked))
}

/// Sends the documents, and the layers that containerd lacks. Returns the number of bytes that were sent of each layer.
async fn send_blobs(
    daemon: &Containerd,
    documents: &[DocumentBlob<'_>],
    missing: &[LayerFile<'_>],
    progress: &LoadProgress,
) -> Result<HashMap<Digest, u64>, Error> {
    let (first, others) = documents.split_at(1);
    // containerd 1.6 fails to collect incomplete writes of layers if it has never had a blob.
    for config in first {
        send_document(daemon, config, progress).await?;
    }
    (progress.sending)(missing.iter().map(|(layer, _)| layer.size).sum());
    let mut transfers = Vec::new();
    for (layer, path) in missing {
        let sent = send_layer(daemon, layer, path, progress);
        let digest = layer.digest;
        transfers.push(sent.map_ok(move |bytes| (digest, bytes)).boxed());
    }
    let sending = stream::iter(transfers).buffer_unordered(AT_ONCE);
    let sent = sending.try_collect().await?;
    for document in others {
        send_document(daemon, document, progress).await?;
    }
    Ok(sent)
}

/// Waits for the work and for the verification. A wrong layer counts more than what containerd reports about it.
async fn while_verified<T>(
    verification: &Verification,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut work = pin!(work);
    let outcome = tokio::select! {
        outcome = &mut work => outcome,
        // containerd removes at once only what it does not use.
        () = verification.failed() => match tokio::time::timeout(GRACE, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(UploadError::Stopped.into()),
        },
    };
    if outcome.as_ref().map_or_else(is_of_content, |_| true) {
        let mut verdict = verification.verdict();
        let _ = verdict
            .wait_for(|verdict| *verdict != Verdict::Pending)
            .await;
    }
    match verification.take_failure() {
        Some(Failure::Layer(error)) => Err(error.into()),
        Some(Failure::Task(error)) => Err(error.into()),
        None => outcome,
    }
}

/// Returns whether containerd unpacked something else than the config names.
fn is_of_content(error: &Error) -> bool {
    matches!(
        error,
        Error::Daemon(daemon::Error::Containerd(error))
            if matches!(**error, ContainerdError::OtherContent { .. })
    )
}

/// Lets containerd unpack the layers above those that it has unpacked.
async fn unpack(lease: &Lease, found: &FoundImage, progress: &LoadProgress) -> Result<(), Error> {
    let daemon = &lease.daemon;
    let kind = resource_type(daemon);
    let diff_ids = found.config.diff_ids();
    let chains = chain_ids(diff_ids);
    let mut unpacked = 0;
    for (number, chain) in chains.iter().enumerate().rev() {
        if snapshots::has(daemon, chain).await? {
            // The second look is after it cannot be removed any more.
            lease.add(&kind, &chain.to_string()).await?;
            if snapshots::has(daemon, chain).await? {
                unpacked = number + 1;
                break;
            }
        }
    }
    let below = std::iter::once(None).chain(chains.iter().map(Some));
    let blobs = &found.composition.manifest().layers;
    let layers = blobs.iter().zip(diff_ids).zip(below).zip(&chains);
    for (((blob, diff_id), below), chain) in layers.skip(unpacked) {
        let text = format!("unpacking the layer {}", blob.digest);
        (progress.event)(&DaemonMessage::new(&text));
        let layer = Layer {
            blob,
            diff_id,
            below,
            chain,
        };
        snapshots::unpack(daemon, layer).await?;
    }
    Ok(())
}

/// Adds the labels by which the garbage collector finds the parts of the image, and the diff IDs of its layers.
async fn label(
    daemon: &Containerd,
    found: &FoundImage,
    documents: &[DocumentBlob<'_>],
    known: &Known,
) -> Result<(), ContainerdError> {
    let layers = &found.composition.manifest().layers;
    for (layer, diff_id) in layers.iter().zip(found.config.diff_ids()) {
        let labels = known.get(&layer.digest).and_then(Option::as_ref);
        let known = labels.and_then(|labels| labels.get(UNCOMPRESSED));
        // A layer with another one was verified now.
        if known.is_none_or(|known| *known != diff_id.to_string()) {
            let labels = Labels::from([(UNCOMPRESSED.to_owned(), diff_id.to_string())]);
            content::add_labels(daemon, &layer.digest, labels).await?;
        }
    }
    for document in documents {
        let digest = &document.blob.digest;
        let present = content::labels(daemon, digest).await?.unwrap_or_default();
        let missing = missing_labels(&document.labels, &present);
        if !missing.is_empty() {
            content::add_labels(daemon, digest, missing).await?;
        }
    }
    Ok(())
}
