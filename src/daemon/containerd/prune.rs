//! Removes images from containerd that hocker loaded and that are no longer wanted, under the same rules as
//! [`crate::daemon::prune`].

use std::collections::HashSet;

use super::client::{Containerd, failed};
use super::error::Error as ContainerdError;
use super::lease::remove_left;
use super::messages::{ContainerMessage, Filters};
use super::snapshots::chain_ids;
use super::{content, images, snapshots};
use crate::daemon::prune::{Error, Kept, Outcome, Present, Pruned, decide};
use crate::daemon::state::{Record, State};
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::Document;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;

impl From<ContainerdError> for Error {
    fn from(error: ContainerdError) -> Self {
        Self::Daemon(Box::new(error).into())
    }
}

/// What the containers of the namespace use.
struct InUse {
    /// The names of their images.
    names: HashSet<String>,
    /// The snapshots below theirs.
    chains: HashSet<String>,
}

/// Removes all images that `state` records and that are not in `kept`. With `dry_run`, nothing changes.
///
/// After a failure the other images are still removed. The function returns the first error at the end.
pub async fn prune(
    daemon: &Containerd,
    state: &State,
    kept: &Kept,
    dry_run: bool,
    mut report: impl FnMut(&Pruned<String>),
) -> Result<(), Error> {
    let records = state.records()?;
    let in_use = in_use(daemon).await?;
    let mut outcome = Ok(());
    for record in records
        .iter()
        .filter(|record| !kept.contains(&record.image_id))
    {
        match prune_one(daemon, record, &in_use, dry_run).await {
            Ok(pruned) => {
                if pruned.is_final() && !dry_run {
                    state.change(&record.image_id, |_| None)?;
                }
                report(&pruned);
            }
            Err(error) => outcome = outcome.and(Err(error.into())),
        }
    }
    if !dry_run {
        // If this fails, the next load or prune tries again.
        let _ = remove_left(daemon).await;
    }
    outcome
}

async fn prune_one(
    daemon: &Containerd,
    record: &Record,
    in_use: &InUse,
    dry_run: bool,
) -> Result<Pruned<String>, ContainerdError> {
    let id = record.image_id;
    let names = images::names_of(daemon, &id).await?;
    let is_in_use = names.iter().any(|name| in_use.names.contains(name))
        || chains_of(daemon, &id)
            .await?
            .iter()
            .any(|chain| in_use.chains.contains(&chain.to_string()));
    let image = (!names.is_empty()).then(|| Present {
        names: names.into_iter().map(|name| (name.clone(), name)).collect(),
        has_other_names: false,
        is_pulled: false,
    });
    let pruned = decide(record, image, is_in_use);
    if !dry_run {
        let last = pruned.untagged.len().saturating_sub(1);
        for (number, name) in pruned.untagged.iter().enumerate() {
            // The name may have moved to another image meanwhile.
            if images::target_of(daemon, name).await?.as_deref() == Some(&id.to_string()) {
                let collect = number == last && pruned.outcome == Outcome::Removed;
                images::remove(daemon, name, collect).await?;
            }
        }
    }
    Ok(pruned)
}

/// Returns what the containers of the namespace use, running or not.
async fn in_use(daemon: &Containerd) -> Result<InUse, ContainerdError> {
    let what = "list the containers";
    let method = "/containerd.services.containers.v1.Containers/ListStream";
    let mut containers = daemon
        .ask::<ContainerMessage>(what, method, &Filters::default())
        .await?;
    let mut in_use = InUse {
        names: HashSet::new(),
        chains: HashSet::new(),
    };
    let next = |error| failed(what, error);
    while let Some(message) = containers.next().await.map_err(next)? {
        let container = message.container.unwrap_or_default();
        if !container.snapshot_key.is_empty() {
            let key = &container.snapshot_key;
            let info = snapshots::stat(daemon, &container.snapshotter, key).await?;
            in_use.chains.extend(info.map(|info| info.parent));
        }
        in_use.names.insert(container.image);
    }
    Ok(in_use)
}

/// Returns the chain ID of all layers of an image, for each platform that containerd has.
async fn chains_of(daemon: &Containerd, id: &Digest) -> Result<Vec<Digest>, ContainerdError> {
    let mut tops = Vec::new();
    let Some(bytes) = content::read(daemon, id).await? else {
        return Ok(tops);
    };
    let mut manifests = Vec::new();
    if let Ok(index) = Document::<Index>::parse(bytes.clone(), None) {
        for Descriptor { digest, .. } in &index.manifests {
            manifests.extend(content::read(daemon, digest).await?);
        }
    } else {
        manifests.push(bytes);
    }
    for bytes in manifests {
        // A document that is not a manifest has no layers.
        let Ok(manifest) = Document::<Manifest>::parse(bytes, None) else {
            continue;
        };
        let config = content::read(daemon, &manifest.config.digest).await?;
        let config = config.and_then(|bytes| Document::<ImageConfig>::parse(bytes, None).ok());
        tops.extend(config.and_then(|config| chain_ids(config.diff_ids()).last().copied()));
    }
    Ok(tops)
}
