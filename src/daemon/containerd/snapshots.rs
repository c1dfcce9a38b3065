//! Snapshots: the unpacked layers. A snapshot has the name of a chain of layers, so images share it.
//!
//! Sources: OCI image specification, `config.md`, section "Layer `ChainID`"; containerd 1.6, `rootfs/apply.go`.

use super::client::{Containerd, if_present};
use super::error::Error;
use super::messages::{
    Applied, Apply, CommitSnapshot, Descriptor, Empty, OneSnapshot, PrepareSnapshot, Prepared,
    SnapshotAnswer, SnapshotInfo,
};
use crate::http::grpc::Code;
use crate::oci::descriptor;
use crate::oci::digest::{DiffId, Digest, Hasher};
use crate::oci::media_type::MediaType;
use crate::printable::Printable;

const SERVICE: &str = "/containerd.services.snapshots.v1.Snapshots";
/// The kind of a committed snapshot.
const COMMITTED: i32 = 3;

/// Returns the chain ID of each layer, lowest first.
pub(super) fn chain_ids(diff_ids: &[DiffId]) -> Vec<Digest> {
    let mut chains: Vec<Digest> = Vec::new();
    for diff_id in diff_ids {
        let chain = match chains.last() {
            None => *diff_id.digest(),
            Some(below) => {
                let mut hasher = Hasher::sha256();
                hasher.update(format!("{below} {diff_id}").as_bytes());
                hasher.finish()
            }
        };
        chains.push(chain);
    }
    chains
}

/// Returns the resource type of snapshots in leases.
pub(super) fn resource_type(daemon: &Containerd) -> String {
    format!("snapshots/{}", daemon.snapshotter())
}

/// Returns whether containerd has unpacked this chain.
pub(super) async fn has(daemon: &Containerd, chain: &Digest) -> Result<bool, Error> {
    let info = stat(daemon, daemon.snapshotter(), &chain.to_string()).await?;
    Ok(info.is_some_and(|info| info.kind == COMMITTED))
}

/// Returns what containerd knows about a snapshot.
pub(super) async fn stat(
    daemon: &Containerd,
    snapshotter: &str,
    key: &str,
) -> Result<Option<SnapshotInfo>, Error> {
    let request = OneSnapshot {
        snapshotter: snapshotter.to_owned(),
        key: key.to_owned(),
    };
    let method = format!("{SERVICE}/Stat");
    let answer = daemon
        .call::<SnapshotAnswer>("look for a snapshot", &method, &request)
        .await;
    Ok(if_present(answer)?.map(|answer| answer.info.unwrap_or_default()))
}

/// A layer to unpack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer<'a> {
    pub(super) blob: &'a descriptor::Descriptor,
    pub(super) diff_id: &'a DiffId,
    /// The chain of the layers below.
    pub(super) below: Option<&'a Digest>,
    pub(super) chain: &'a Digest,
}

/// Lets containerd unpack a layer on the layers below it.
pub(super) async fn unpack(daemon: &Containerd, layer: Layer<'_>) -> Result<(), Error> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|_| Error::NoRandom)?;
    let random = u64::from_ne_bytes(random);
    // containerd's clients use names of this form, too.
    let key = format!("extract-{random:016x} {}", layer.chain);
    let unpacked = unpack_at(daemon, layer, &key).await;
    match unpacked {
        Ok(true) => Ok(()),
        // Another client was faster.
        Ok(false) => remove(daemon, &key).await,
        Err(error) => {
            // The lease removes it later, if not this.
            let _ = remove(daemon, &key).await;
            Err(error)
        }
    }
}

/// Returns false if the chain exists already.
async fn unpack_at(daemon: &Containerd, layer: Layer<'_>, key: &str) -> Result<bool, Error> {
    let what = format!("unpack the layer {}", layer.blob.digest);
    let snapshotter = daemon.snapshotter().to_owned();
    let request = PrepareSnapshot {
        snapshotter: snapshotter.clone(),
        key: key.to_owned(),
        parent: layer.below.map_or_else(String::new, ToString::to_string),
    };
    let method = format!("{SERVICE}/Prepare");
    let Prepared { mounts } = daemon.call(&what, &method, &request).await?;
    let request = Apply {
        diff: Some(Descriptor {
            // containerd recognises the compression from the content. It does not know all types of layers that
            // images have: 1.6 lacks Docker's type for zstd.
            media_type: MediaType::OCI_LAYER_GZIP.to_string(),
            ..Descriptor::of(layer.blob)
        }),
        mounts,
    };
    let method = "/containerd.services.diff.v1.Diff/Apply";
    let Applied { applied } = daemon.call(&what, method, &request).await?;
    let found = applied.unwrap_or_default().digest;
    if found != layer.diff_id.to_string() {
        return Err(Error::OtherContent {
            layer: layer.blob.digest,
            expected: *layer.diff_id,
            found: Printable::new(&found),
        });
    }
    let request = CommitSnapshot {
        snapshotter,
        name: layer.chain.to_string(),
        key: key.to_owned(),
    };
    let method = format!("{SERVICE}/Commit");
    match daemon.call::<Empty>(&what, &method, &request).await {
        Ok(Empty {}) => Ok(true),
        Err(error) if error.code() == Some(Code::AlreadyExists) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn remove(daemon: &Containerd, key: &str) -> Result<(), Error> {
    let request = OneSnapshot {
        snapshotter: daemon.snapshotter().to_owned(),
        key: key.to_owned(),
    };
    let method = format!("{SERVICE}/Remove");
    let removed = daemon
        .call::<Empty>("remove a snapshot", &method, &request)
        .await;
    if_present(removed).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_named_by_all_its_layers() {
        let diff_ids = [b"a", b"b"].map(|layer| DiffId::new(Digest::of(layer)));
        let [a, b] = &diff_ids;
        let two = Digest::of(format!("{a} {b}").as_bytes());
        assert_eq!(chain_ids(&diff_ids), [*a.digest(), two]);
        assert_eq!(chain_ids(&[]), []);
    }
}
