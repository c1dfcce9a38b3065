//! Loads one image into containerd: sends the blobs that it lacks, lets it unpack the layers, and names the image.
//!
//! Everything is kept by a lease until the names keep it. After a failure the lease ends, and containerd removes what the
//! load wrote.

use std::path::Path;

use tokio::task::spawn_blocking;

use super::client::Containerd;
use super::error::Error as ContainerdError;
use super::image::{TargetName, documents, full_name, is_by_digest, missing_labels, names};
use super::lease::{Lease, remove_left};
use super::send::send;
use super::snapshots::chain_ids;
use super::{content, images, snapshots};
use crate::daemon::load::find::{FoundImage, find};
use crate::daemon::load::journal::{Change, Journal};
use crate::daemon::load::{Error, LoadOptions, LoadProgress, Loaded};
use crate::daemon::state::State;
use crate::daemon::store::Store;

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
    let daemon = &daemon.with_snapshotter().await?;
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
    let _lock = match state.cloned() {
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
    if !present.is_empty() && missing.is_empty() && is_complete(daemon, found).await? {
        journal.found()?;
        return Ok(loaded);
    }
    let change = Change {
        names: &names,
        sent,
    };
    // A prune removes the names that a record has. Nothing would remove other names that Kubernetes keeps.
    let is_pinned = state.is_some();
    let lease = Lease::create(daemon).await?;
    // First, so that another client cannot remove the image after it was seen.
    lease.add("content", &found.id.to_string()).await?;
    if !present.is_empty() && is_complete(&lease.daemon, found).await? {
        journal.begin(change)?;
        put_names(&lease.daemon, &missing, is_pinned).await?;
        lease.end(false).await?;
        journal.complete(change)?;
        let tags = found.tags.iter();
        loaded.tagged = tags
            .filter(|tag| names.contains(&full_name(tag)))
            .cloned()
            .collect();
    } else {
        let before = journal.begin(change)?;
        match send(&lease, found, progress).await {
            Ok(report) => {
                put_names(&lease.daemon, &missing, is_pinned).await?;
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

/// Returns whether containerd has all parts of the image, and keeps them as long as a name of the image exists.
async fn is_complete(daemon: &Containerd, found: &FoundImage) -> Result<bool, ContainerdError> {
    for document in documents(found, daemon.snapshotter()) {
        let labels = content::labels(daemon, &document.blob.digest).await?;
        let has_all = |labels| missing_labels(&document.labels, &labels).is_empty();
        if !labels.is_some_and(has_all) {
            return Ok(false);
        }
    }
    for layer in &found.composition.manifest().layers {
        if content::labels(daemon, &layer.digest).await?.is_none() {
            return Ok(false);
        }
    }
    match chain_ids(found.config.diff_ids()).last() {
        Some(chain) => snapshots::has(daemon, chain).await,
        None => Ok(true),
    }
}

async fn put_names(
    daemon: &Containerd,
    names: &[TargetName],
    is_pinned: bool,
) -> Result<(), ContainerdError> {
    for TargetName { name, target } in names {
        images::put(daemon, name, target, is_pinned).await?;
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
