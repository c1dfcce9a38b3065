//! Loads one image into containerd: sends the blobs that it lacks, lets it unpack the layers, and names the image.
//!
//! Everything is kept by a lease until the names keep it. After a failure the lease ends, and containerd removes what the
//! load wrote.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use futures_util::{FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _, stream};
use tokio::task::spawn_blocking;

use super::client::Containerd;
use super::error::Error as ContainerdError;
use super::image::{
    DocumentBlob, TargetName, UNCOMPRESSED, documents, full_name, is_by_digest, names,
};
use super::lease::{Lease, remove_left};
use super::messages::Labels;
use super::snapshots::{Layer, chain_ids, resource_type};
use super::transfer::{send_document, send_layer};
use super::{content, images, snapshots};
use crate::daemon::DaemonMessage;
use crate::daemon::load::find::{FoundImage, find};
use crate::daemon::load::journal::{Change, Journal};
use crate::daemon::load::verification::{Failure, Verification};
use crate::daemon::load::{Error, LoadOptions, LoadProgress, Loaded, TransferReport, Way};
use crate::daemon::state::State;
use crate::daemon::store::Store;
use crate::daemon::upload::{LayerCheck, PayloadSource, UploadError};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::serve::Verdict;

/// The number of layers that are sent at a time.
const AT_ONCE: usize = 3;

impl From<ContainerdError> for Error {
    fn from(error: ContainerdError) -> Self {
        Self::Daemon(Box::new(error).into())
    }
}

/// Loads an image. With `state`, the load is recorded there.
pub async fn load(
    daemon: &Containerd,
    options: LoadOptions,
    state: Option<&State>,
    progress: &LoadProgress,
) -> Result<Loaded, Error> {
    let path = options.path.clone();
    let found = find(daemon.platform(), Store::Containerd, options).await?;
    let loaded = load_found(daemon, &found, &path, state, progress).await;
    // If this fails, the next load tries again.
    let _ = remove_left(daemon).await;
    loaded
}

async fn load_found(
    daemon: &Containerd,
    found: &FoundImage,
    path: &Path,
    state: Option<&State>,
    progress: &LoadProgress,
) -> Result<Loaded, Error> {
    let lock = match state.cloned() {
        Some(state) => Some(spawn_blocking(move || state.lock_to_load()).await??),
        None => None,
    };
    let wanted = names(found, daemon.namespace());
    let present = images::names_of(daemon, &found.id).await?;
    let missing = missing(daemon, found, &present, wanted).await?;
    let names: Vec<String> = missing.iter().map(|missing| missing.name.clone()).collect();
    // A name by this digest alone may be left from a load of the same image with its index.
    let by_digest = |name: &String| is_by_digest(name, &found.id);
    let sent = present.iter().all(by_digest);
    let journal = Journal {
        state,
        id: found.id,
        path,
    };
    let mut loaded = Loaded {
        id: found.id,
        tagged: Vec::new(),
        sent: None,
    };
    let is_complete = !present.is_empty() && is_complete(daemon, found).await?;
    if is_complete && missing.is_empty() {
        journal.found()?;
    } else if is_complete {
        let change = Change {
            names: &names,
            sent,
        };
        journal.begin(change)?;
        put_names(daemon, &missing).await?;
        journal.complete(change)?;
        let tags = found.tags.iter();
        loaded.tagged = tags
            .filter(|tag| names.contains(&full_name(tag)))
            .cloned()
            .collect();
    } else {
        let change = Change {
            names: &names,
            sent,
        };
        let before = journal.begin(change)?;
        let lease = Lease::create(daemon).await?;
        match send(&lease, found, progress).await {
            Ok(report) => {
                put_names(&lease.daemon, &missing).await?;
                check(&lease.daemon, found).await?;
                lease.end(false).await?;
                journal.complete(change)?;
                loaded.sent = Some(report);
            }
            Err(error) => {
                // If this fails, the record stays, marked as incomplete.
                if lease.end(true).await.is_ok() {
                    journal.undo(before)?;
                }
                return Err(error);
            }
        }
    }
    drop(lock);
    Ok(loaded)
}

/// Returns the names that containerd lacks, or that mean something else there. `present` are the names of the image.
async fn missing(
    daemon: &Containerd,
    found: &FoundImage,
    present: &[String],
    wanted: Vec<TargetName>,
) -> Result<Vec<TargetName>, ContainerdError> {
    let manifest = match found.index() {
        Some(_) => images::names_of(daemon, found.composition.manifest().digest()).await?,
        None => Vec::new(),
    };
    let is_missing = |wanted: &TargetName| {
        let is_image = wanted.target.digest == found.id;
        let names = if is_image { present } else { &manifest };
        !names.contains(&wanted.name)
    };
    Ok(wanted.into_iter().filter(is_missing).collect())
}

/// Returns whether containerd has all parts of the image.
async fn is_complete(daemon: &Containerd, found: &FoundImage) -> Result<bool, ContainerdError> {
    let manifest = found.composition.manifest();
    let documents = documents(found, daemon.snapshotter());
    let documents = documents.iter().map(|document| &document.blob.digest);
    for blob in documents.chain(manifest.layers.iter().map(|layer| &layer.digest)) {
        if content::labels(daemon, blob).await?.is_none() {
            return Ok(false);
        }
    }
    match chain_ids(found.config.diff_ids()).last() {
        Some(chain) => snapshots::has(daemon, chain).await,
        None => Ok(true),
    }
}

/// Sends the blobs that containerd lacks, and lets it unpack them.
async fn send(
    lease: &Lease,
    found: &FoundImage,
    progress: &LoadProgress,
) -> Result<TransferReport, Error> {
    (progress.way)(&Way::Blobs);
    let layers = found.composition.files().skip(1);
    let mut distinct: Vec<(&Descriptor, &Path)> = Vec::new();
    let mut known = HashMap::new();
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
    let documents = documents(found, lease.daemon.snapshotter());
    let (first, others) = documents.split_at(1);
    // containerd 1.6 fails to collect incomplete writes of layers if it has never had a blob.
    for config in first {
        send_document(&lease.daemon, config).await?;
    }
    let sent = send_layers(lease, found, &distinct, &known, progress).await?;
    for document in others {
        send_document(&lease.daemon, document).await?;
    }
    unpack(lease, found, progress).await?;
    label(&lease.daemon, found, &documents, &known).await?;
    Ok(report(found, &sent))
}

/// Verifies the layers that containerd lacks or did not unpack, and sends those that it lacks. Returns the number of
/// bytes that were sent of each.
async fn send_layers(
    lease: &Lease,
    found: &FoundImage,
    layers: &[(&Descriptor, &Path)],
    known: &HashMap<Digest, Option<Labels>>,
    progress: &LoadProgress,
) -> Result<HashMap<Digest, u64>, Error> {
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
    let is_missing = |layer: &&(&Descriptor, &Path)| {
        let (layer, _) = layer;
        known.get(&layer.digest).is_none_or(Option::is_none)
    };
    let missing: Vec<_> = layers.iter().filter(is_missing).collect();
    (progress.sending)(missing.iter().map(|(layer, _)| layer.size).sum());
    let verification = Verification::start(source.checks()?, has_unpacked);
    let verdict = verification.verdict();
    let mut transfers = Vec::new();
    for (layer, path) in missing {
        let sent = send_layer(&lease.daemon, layer, path, &verdict, &progress.sent);
        let digest = layer.digest;
        transfers.push(sent.map_ok(move |bytes| (digest, bytes)).boxed());
    }
    let sending = stream::iter(transfers)
        .buffer_unordered(AT_ONCE)
        .try_collect();
    let sent = tokio::select! {
        sent = sending => sent,
        () = verification.failed() => Err(UploadError::Stopped.into()),
    };
    let mut verdict = verification.verdict();
    if sent.is_ok() {
        // Layers that are not sent may need verification, too.
        let _ = verdict
            .wait_for(|verdict| *verdict != Verdict::Pending)
            .await;
    }
    match verification.take_failure() {
        Some(Failure::Layer(error)) => Err(error.into()),
        Some(Failure::Task(error)) => Err(error.into()),
        None => sent,
    }
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
    known: &HashMap<Digest, Option<Labels>>,
) -> Result<(), ContainerdError> {
    let layers = &found.composition.manifest().layers;
    for (layer, diff_id) in layers.iter().zip(found.config.diff_ids()) {
        let labels = known.get(&layer.digest).and_then(Option::as_ref);
        if labels.is_none_or(|labels| !labels.contains_key(UNCOMPRESSED)) {
            let labels = Labels::from([(UNCOMPRESSED.to_owned(), diff_id.to_string())]);
            content::add_labels(daemon, &layer.digest, labels).await?;
        }
    }
    for document in documents {
        if !document.labels.is_empty() {
            let labels = document.labels.clone();
            content::add_labels(daemon, &document.blob.digest, labels).await?;
        }
    }
    Ok(())
}

async fn put_names(daemon: &Containerd, names: &[TargetName]) -> Result<(), ContainerdError> {
    for TargetName { name, target } in names {
        images::put(daemon, name, target).await?;
    }
    Ok(())
}

/// Checks that containerd has all parts of the image.
async fn check(daemon: &Containerd, found: &FoundImage) -> Result<(), ContainerdError> {
    if is_complete(daemon, found).await? {
        return Ok(());
    }
    Err(ContainerdError::Lost {
        what: format!("a part of the image {}", found.id),
    })
}

fn report(found: &FoundImage, sent: &HashMap<Digest, u64>) -> TransferReport {
    let mut report = TransferReport::default();
    let mut seen = HashSet::new();
    for layer in &found.composition.manifest().layers {
        let sent = sent.get(&layer.digest).copied().unwrap_or_default();
        report.layers += 1;
        report.layers_sent += usize::from(sent > 0);
        if seen.insert(layer.digest) {
            report.bytes += layer.size;
            report.bytes_sent += sent;
        }
    }
    report
}
