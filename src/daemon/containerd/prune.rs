//! Removes images from containerd that hocker loaded and that are no longer wanted, under the same rules as
//! [`crate::daemon::prune`].

use std::collections::{BTreeSet, HashSet};

use super::client::{Containerd, failed};
use super::error::Error as ContainerdError;
use super::image::{is_by_digest, is_of_registry};
use super::lease::remove_left;
use super::messages::{ContainerMessage, Filters};
use super::snapshots::chain_ids;
use super::{content, images, snapshots};
use crate::daemon::digest_name::DigestName;
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

/// The largest number of images of containers, and of their snapshots. A machine runs some hundred containers.
const MAX_IN_USE: usize = 100_000;
/// The largest number of snapshots between a container and its image.
const MAX_DEPTH: usize = 4;

/// What the containers of the namespace use.
#[derive(Default)]
struct InUse {
    /// The names of their images.
    names: HashSet<String>,
    /// The snapshots of these images.
    chains: HashSet<String>,
}

impl InUse {
    /// Adds what a container uses.
    fn add(&mut self, image: String, chain: Option<String>) -> Result<(), ContainerdError> {
        self.names.insert(image);
        self.chains.extend(chain);
        if self.names.len().max(self.chains.len()) > MAX_IN_USE {
            return Err(ContainerdError::TooManyContainers);
        }
        Ok(())
    }

    /// Returns whether containers use one of these chains.
    fn has_one_of(&self, chains: &[Digest]) -> bool {
        let mut chains = chains.iter();
        chains.any(|chain| self.chains.contains(&chain.to_string()))
    }
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
        match prune_one(daemon, record, kept, &in_use, dry_run).await {
            Ok((pruned, keeps_record)) => {
                if pruned.is_final() && !keeps_record && !dry_run {
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

/// Returns what was done, and whether the record is still needed: a name by the digest of the manifest, which a load with
/// the index gave, stays while the image without its index is kept.
async fn prune_one(
    daemon: &Containerd,
    record: &Record,
    kept: &Kept,
    in_use: &InUse,
    dry_run: bool,
) -> Result<(Pruned<String>, bool), ContainerdError> {
    let id = record.image_id;
    // Names, and what they mean.
    let mut names: Vec<(String, Digest)> = Vec::new();
    let (mut is_in_use, mut is_kept, mut has_other_names) = (false, false, false);
    let mut is_pulled = false;
    for target in targets(record) {
        let of_target = images::names_of(daemon, &target).await?;
        if kept.contains(&target) {
            is_kept |= of_target.iter().any(|name| record.tags.contains(name));
            continue;
        }
        let labels = content::labels(daemon, &target).await?;
        is_pulled |= labels.is_some_and(|labels| is_of_registry(&labels));
        is_in_use |= of_target.iter().any(|name| in_use.names.contains(name))
            || in_use.has_one_of(&chains_of(daemon, &target).await?);
        for name in of_target {
            if target == id || is_by_digest(&name, &target) {
                names.push((name, target));
            } else {
                // It has moved there.
                has_other_names = true;
            }
        }
    }
    has_other_names |= is_kept;
    let image = (has_other_names || !names.is_empty()).then(|| Present {
        names: names
            .iter()
            .map(|(name, _)| (name.clone(), name.clone()))
            .collect(),
        has_other_names,
        is_pulled,
    });
    let pruned = decide(record, image, is_in_use);
    if !dry_run {
        let last = pruned.untagged.len().saturating_sub(1);
        for (number, name) in pruned.untagged.iter().enumerate() {
            // The name may have moved to another image meanwhile.
            let means = images::target_of(daemon, name).await?;
            let is_ours = |(known, target): &(String, Digest)| {
                known == name && means.as_deref() == Some(&target.to_string())
            };
            if names.iter().any(is_ours) {
                let collect = number == last && pruned.outcome == Outcome::Removed;
                images::remove(daemon, name, collect).await?;
            }
        }
    }
    Ok((pruned, is_kept))
}

/// Returns the digests that the names in a record mean: that of the image, and those in names by digest.
fn targets(record: &Record) -> BTreeSet<Digest> {
    let names = record.tags.iter().filter_map(|name| name.parse().ok());
    names
        .map(|name: DigestName| *name.digest())
        .chain([record.image_id])
        .collect()
}

/// Returns what the containers of the namespace use, running or not.
async fn in_use(daemon: &Containerd) -> Result<InUse, ContainerdError> {
    let what = "list the containers";
    let method = "/containerd.services.containers.v1.Containers/ListStream";
    let mut containers = daemon
        .ask::<ContainerMessage>(what, method, &Filters::default())
        .await?;
    let mut in_use = InUse::default();
    let next = |error| failed(what, error);
    while let Some(message) = containers.next().await.map_err(next)? {
        let container = message.container.unwrap_or_default();
        let mut key = container.snapshot_key;
        let mut chain = None;
        // A container with other user IDs has a snapshot of its own below, which has no digest as its name.
        for _ in 0..MAX_DEPTH {
            if key.is_empty() {
                break;
            }
            let info = snapshots::stat(daemon, &container.snapshotter, &key).await?;
            key = info.map(|info| info.parent).unwrap_or_default();
            if key.parse::<Digest>().is_ok() {
                chain = Some(key);
                break;
            }
        }
        in_use.add(container.image, chain)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_to_count_containers_without_end() {
        let mut in_use = InUse::default();
        for number in 0..MAX_IN_USE {
            let chain = number.to_string();
            in_use.add("app:1".to_owned(), Some(chain)).unwrap();
        }
        in_use
            .add("app:1".to_owned(), Some("0".to_owned()))
            .unwrap();
        let error = in_use.add("app:1".to_owned(), Some("more".to_owned()));
        assert!(matches!(error, Err(ContainerdError::TooManyContainers)));
    }
}
