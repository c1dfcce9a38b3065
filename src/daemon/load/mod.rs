//! Loads one image into a daemon: finds it on disk, compares it with what the daemon has, sends what is missing, and
//! checks that the daemon has the image afterwards.
//!
//! There is no time limit for a load, as in `docker load`. While the daemon unpacks, which takes minutes for large
//! layers or slow disks, it sends nothing. So a daemon that hangs looks like one that works, and a time limit would
//! abort loads that are about to succeed. The user can set a limit from outside (`timeout`, systemd's
//! `TimeoutStartSec`): the next load repairs an interrupted one.

mod by_archive;
mod by_pull;
pub(super) mod find;
pub(super) mod journal;
mod lowest_layer;
mod temporary_image;
mod transfer;
pub(super) mod verification;
mod way;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::{JoinError, spawn_blocking};

pub use self::way::{Way, WhyArchive};

use self::by_pull::Outcome;
use self::find::{FoundImage, find};
use self::journal::{Change, Journal};
use super::client::{Daemon, DaemonImage};
use super::digest_name::DigestName;
use super::message::DaemonMessage;
use super::plan::{self, Plan};
use super::state::{self, State};
use super::store::Store;
use super::tag::{self, TagName};
use super::upload::{OnSent, UploadError};
use crate::archive::composition;
use crate::archive::on_disk::OnDisk;
use crate::archive::stored_image;
use crate::class::Class;
use crate::compression::Limit;
use crate::oci::digest::{DiffId, Digest};
use crate::oci::manifest::Manifest;
use crate::oci::platform::Platform;

/// The number of simultaneous requests to the daemon.
const AT_ONCE: usize = 8;

/// The image to load, and its options.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// The path of the image.
    pub path: PathBuf,
    /// The images, if they are open already because they came from a pipe.
    pub images: Option<OnDisk>,
    /// The name of the image or its digest, required if there are several.
    pub name: Option<String>,
    /// The platform. The default is the daemon's.
    pub platform: Option<Platform>,
    /// Further names for the image.
    pub tags: Vec<TagName>,
    /// The size limit for decompressed layers.
    pub limit: Limit,
}

/// Functions that are called during a load.
#[derive(Clone)]
pub struct LoadProgress {
    /// Called before layers are sent, with the total size of their blobs in bytes.
    pub sending: Arc<dyn Fn(u64) + Send + Sync>,
    /// Called with the number of bytes that were sent, counted in bytes of the layers' blobs.
    pub sent: OnSent,
    /// Called before the image is sent again in another way.
    pub resending: Arc<OnResend>,
    /// Called before the image is sent, or fetched by the daemon.
    pub way: Arc<dyn Fn(&Way) + Send + Sync>,
    /// Called with what the daemon reports about a layer while it fetches the image.
    pub event: Arc<dyn Fn(&DaemonMessage) + Send + Sync>,
}

/// Called with the reason for sending an image again, and the message of the daemon.
pub type OnResend = dyn Fn(ResendReason, &DaemonMessage) + Send + Sync;

/// The reason for sending an image again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResendReason {
    /// The daemon lacks layers that it seemed to have. All layers are sent.
    LayersMissing,
    /// The disk of the daemon is full. Layers are sent compressed, which needs less space.
    DiskFull,
}

/// The result of a load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The image ID in the daemon.
    pub id: Digest,
    /// The names that were added.
    pub tagged: Vec<TagName>,
    /// What was sent. `None` if the daemon had the image.
    pub sent: Option<TransferReport>,
}

/// The layers that were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferReport {
    /// The number of layers of the image.
    pub layers: usize,
    /// The number of layers that were sent.
    pub layers_sent: usize,
    /// The size of all layer blobs on disk in bytes, each blob counted once.
    pub bytes: u64,
    /// The part of `bytes` that was sent, in any form.
    pub bytes_sent: u64,
}

impl TransferReport {
    /// Counts the layers of an image. `sent` has the bytes that were sent of each blob.
    pub(super) fn of(manifest: &Manifest, sent: &HashMap<Digest, u64>) -> Self {
        let mut report = Self::default();
        let mut seen = HashSet::new();
        for layer in &manifest.layers {
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
}

/// Loads an image. With `state`, the load is recorded there.
pub async fn load(
    daemon: &Daemon,
    options: LoadOptions,
    state: Option<&State>,
    progress: &LoadProgress,
) -> Result<Loaded, Error> {
    let found = find(daemon.platform(), daemon.store(), options.clone()).await?;
    let found = Arc::new(found);
    let loaded = load_found(daemon, &options, &found, state, progress).await;
    // A daemon that does not answer would only delay the error.
    if !matches!(&loaded, Err(Error::Daemon(super::Error::Http { .. }))) {
        daemon.remove_left_names().await;
    }
    loaded
}

async fn load_found(
    daemon: &Daemon,
    options: &LoadOptions,
    found: &Arc<FoundImage>,
    state: Option<&State>,
    progress: &LoadProgress,
) -> Result<Loaded, Error> {
    let lock = match state.cloned() {
        Some(state) => Some(spawn_blocking(move || state.lock_to_load()).await??),
        None => None,
    };
    // An index stands for the images of several platforms.
    let is_same = |image: &DaemonImage| check(image, found.config.diff_ids()).is_ok();
    let present = daemon.whole_image(&found.id).await?.filter(is_same);
    let journal = Journal {
        state,
        id: found.id,
        path: &options.path,
    };
    let mut loaded = Loaded {
        id: found.id,
        tagged: Vec::new(),
        sent: None,
    };
    match plan::plan(present.as_ref(), &found.tags, found.digest_name.as_ref()) {
        Plan::Nothing => journal.found()?,
        Plan::Tag(missing) => {
            let change = Change {
                names: &texts(&missing, None),
                sent: false,
            };
            journal.begin(change)?;
            tag(daemon, &found.id, &missing).await?;
            journal.complete(change)?;
            loaded.tagged = missing;
        }
        Plan::Send => {
            let change = Change {
                names: &texts(&found.tags, found.digest_name.as_ref()),
                sent: true,
            };
            let before = journal.begin(change)?;
            match send(daemon, found, options.platform.as_ref(), progress).await {
                Ok((report, tagged)) => {
                    journal.complete(change)?;
                    loaded.tagged = tagged;
                    loaded.sent = Some(report);
                }
                Err(error) => {
                    clean_up(daemon, found, &error).await;
                    // Otherwise the record stays, marked as incomplete.
                    if error.leaves_nothing() {
                        journal.undo(before)?;
                    }
                    return Err(error);
                }
            }
        }
    }
    drop(lock);
    Ok(loaded)
}

/// Returns names as a record has them.
fn texts(tags: &[TagName], digest_name: Option<&DigestName>) -> Vec<String> {
    let tags = tags.iter().map(ToString::to_string);
    tags.chain(digest_name.map(ToString::to_string)).collect()
}

/// Removes an image that containerd's store keeps although it could not be unpacked. An error is ignored: the load has
/// failed already.
async fn clean_up(daemon: &Daemon, found: &FoundImage, error: &Error) {
    if daemon.store() == Store::Containerd
        && matches!(error, Error::Daemon(super::Error::Load { .. }))
    {
        let _ = daemon.remove_image(&found.id).await;
    }
}

/// Lets the daemon fetch the image, or sends it. Checks afterwards that the daemon has the image. Returns also the names
/// that had to be added separately.
async fn send(
    daemon: &Daemon,
    found: &Arc<FoundImage>,
    platform: Option<&Platform>,
    progress: &LoadProgress,
) -> Result<(TransferReport, Vec<TagName>), Error> {
    match by_pull::pull(daemon, found, platform, progress).await? {
        Outcome::Done(pulled, report) => {
            let finished = finish(daemon, found).await;
            pulled.end(daemon).await;
            Ok((report, finished?))
        }
        Outcome::Not(why) => {
            let report = by_archive::send(daemon, found, why, progress).await?;
            Ok((report, finish(daemon, found).await?))
        }
    }
}

/// Checks that the daemon has the image, and adds the names that are missing. Returns these names.
async fn finish(daemon: &Daemon, found: &FoundImage) -> Result<Vec<TagName>, Error> {
    let image = daemon
        .image(&found.id)
        .await?
        .ok_or(super::Error::Absent { expected: found.id })?;
    check(&image, found.config.diff_ids())?;
    let missing = match plan::plan(Some(&image), &found.tags, None) {
        Plan::Tag(missing) => missing,
        Plan::Nothing | Plan::Send => Vec::new(),
    };
    tag(daemon, &found.id, &missing).await?;
    Ok(missing)
}

fn check(image: &DaemonImage, diff_ids: &[DiffId]) -> Result<(), Error> {
    if image.layers.is_empty() || image.layers == diff_ids {
        return Ok(());
    }
    Err(super::Error::OtherLayers { id: image.id }.into())
}

async fn tag(daemon: &Daemon, id: &Digest, names: &[TagName]) -> Result<(), Error> {
    for name in names {
        daemon.tag(id, name).await?;
    }
    Ok(())
}

/// The image was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The image on disk cannot be used.
    #[error(transparent)]
    Open(stored_image::Error),
    /// The layout has no image for the daemon's platform.
    #[error("no image is for the daemon's platform")]
    NoneForDaemon(#[source] stored_image::Error),
    /// The parts of the image cannot be read, or do not belong together.
    #[error(transparent)]
    Composition(#[from] composition::Error),
    /// A name of the image is invalid.
    #[error("cannot use a name of the image")]
    Name(#[from] tag::ParseError),
    /// A layer is not what the image names.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// The daemon failed.
    #[error(transparent)]
    Daemon(#[from] super::Error),
    /// The record cannot be read or written.
    #[error(transparent)]
    State(#[from] state::Error),
    /// A thread ended without a result.
    #[error("a thread ended early")]
    Task(#[from] JoinError),
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Open(error) => error.class(),
            Self::NoneForDaemon(_) => Class::Unsupported,
            Self::Composition(error) => error.class(),
            Self::Upload(error) => error.class(),
            Self::Daemon(error) => error.class(),
            Self::Name(_) | Self::State(_) | Self::Task(_) => Class::Other,
        }
    }
}

impl Error {
    /// Returns whether the daemon certainly has no part of the image.
    fn leaves_nothing(&self) -> bool {
        matches!(
            self,
            Self::Upload(_) | Self::Daemon(super::Error::Load { .. } | super::Error::Status { .. })
        )
    }
}
