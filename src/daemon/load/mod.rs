//! Bringing one image into a daemon: find it on disk, see what the daemon has, send what it lacks, and make sure
//! that it has the image afterwards.
//!
//! There is no limit to how long a daemon may take over an archive, as `docker load` has none. It says nothing while it
//! unpacks, for minutes where layers are large and disks are slow, so that nothing tells one that hangs from one that
//! works, and a limit would fail loads that are about to end well. Whoever knows the machine can set one from outside
//! (`timeout`, systemd's `TimeoutStartSec`): a load that is ended is repaired by the next.

mod find;
mod journal;
mod transfer;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use tokio::task::{JoinError, spawn_blocking};

use self::find::{Work, find};
use self::journal::{Deed, Journal};
use self::transfer::{Attempt, transfer};
use super::client::{Daemon, Image};
use super::message::Message;
use super::plan::{self, Plan};
use super::state::{self, State};
use super::store::Store;
use super::tag::{self, TagName};
use super::upload::{Sent, UploadError};
use crate::archive::composition::{self, Composition};
use crate::archive::stored_image;
use crate::class::Class;
use crate::compression::Limit;
use crate::oci::digest::{DiffId, Digest};
use crate::oci::platform::Platform;

/// Questions to the daemon at a time.
const AT_ONCE: usize = 8;

/// What is to be loaded.
#[derive(Clone, Debug)]
pub struct Order {
    /// Where the image is.
    pub path: PathBuf,
    /// Its name there, where there are several.
    pub name: Option<String>,
    /// The platform, where it is not to be the daemon's.
    pub platform: Option<Platform>,
    /// Further names for it.
    pub tags: Vec<TagName>,
    /// How much each of its layers may expand to.
    pub limit: Limit,
}

/// Who is told what happens.
#[derive(Clone)]
pub struct Watch {
    /// That layers will be sent whose blobs have so many bytes.
    pub sending: Arc<dyn Fn(u64) + Send + Sync>,
    /// That so many bytes of them were sent, in whatever form.
    pub sent: Sent,
    /// That the image is sent again, in another way, and what the daemon said.
    pub again: Arc<SendAgain>,
}

/// Told why an image is sent once more, and what the daemon said.
pub type SendAgain = dyn Fn(Again, &Message) + Send + Sync;

/// Why an image is sent once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The daemon lacks what it was thought to have: it gets all layers.
    Missing,
    /// It has no room for plain layers beside what becomes of them: it gets them as they are.
    Full,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The image's id in the daemon.
    pub id: Digest,
    /// The names that it lacked.
    pub tagged: Vec<TagName>,
    /// What was sent, where it was not there.
    pub sent: Option<Report>,
}

/// What was sent of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Its layers.
    pub layers: usize,
    /// Those of them that were sent.
    pub layers_sent: usize,
    /// The bytes of all its blobs that are layers, as they are on disk.
    pub bytes: u64,
    /// Those of them that were sent, in whatever form.
    pub bytes_sent: u64,
}

/// Loads an image. With `state`, what is put into the daemon is remembered there.
pub async fn load(
    daemon: &Daemon,
    order: Order,
    state: Option<&State>,
    watch: &Watch,
) -> Result<Loaded, Error> {
    let work = Arc::new(find(daemon, order.clone()).await?);
    let lock = match state.cloned() {
        Some(state) => Some(spawn_blocking(move || state.lock_to_load()).await??),
        None => None,
    };
    let present = daemon.image(&work.id).await?;
    let journal = Journal {
        state,
        id: work.id,
        path: &order.path,
    };
    let mut loaded = Loaded {
        id: work.id,
        tagged: Vec::new(),
        sent: None,
    };
    match plan::plan(present.as_ref(), &work.tags) {
        Plan::Nothing => journal.found()?,
        Plan::Tag(missing) => {
            let deed = Deed {
                tags: &missing,
                sent: false,
            };
            journal.begin(deed)?;
            tag(daemon, &work.id, &missing).await?;
            journal.complete(deed)?;
            loaded.tagged = missing;
        }
        Plan::Send => {
            let deed = Deed {
                tags: &work.tags,
                sent: true,
            };
            let before = journal.begin(deed)?;
            match send(daemon, &work, watch).await {
                Ok((report, tagged)) => {
                    journal.complete(deed)?;
                    loaded.tagged = tagged;
                    loaded.sent = Some(report);
                }
                Err(error) => {
                    clean_up(daemon, &work, &error).await;
                    // Otherwise the record stays, as one of work that was not done to its end.
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

/// Removes an image that was not unpacked: containerd's store keeps it. What went wrong is told already.
async fn clean_up(daemon: &Daemon, work: &Work, error: &Error) {
    if daemon.kind() == Store::Containerd
        && matches!(error, Error::Daemon(super::Error::Load { .. }))
    {
        let _ = daemon.remove_image(&work.id).await;
    }
}

/// Sends the image, first without the layers that the daemon has, and sees that it is there afterwards. Gives the
/// names, too, that it had to be given apart.
async fn send(
    daemon: &Daemon,
    work: &Arc<Work>,
    watch: &Watch,
) -> Result<(Report, Vec<TagName>), Error> {
    let known = match daemon.kind() {
        Store::Docker { .. } => known_layers(daemon, work.config.diff_ids()).await?,
        Store::Containerd | Store::Podman => 0,
    };
    let mut attempt = Attempt {
        left_out: plan::left_out(&work.composition.manifest().layers, known),
        form: daemon.form(),
    };
    let report = loop {
        let report = report(&work.composition, &attempt.left_out);
        (watch.sending)(report.bytes_sent);
        match transfer(daemon, work, &attempt, &watch.sent).await {
            Ok(()) => break report,
            Err(Error::Daemon(super::Error::Load { message })) => {
                let Some((next, again)) = attempt.next(daemon.kind(), &message) else {
                    return Err(super::Error::Load { message }.into());
                };
                (watch.again)(again, &message);
                attempt = next;
            }
            Err(error) => return Err(error),
        }
    };
    let image = daemon
        .image(&work.id)
        .await?
        .ok_or(super::Error::Absent { expected: work.id })?;
    check(&image, work.config.diff_ids())?;
    let missing = match plan::plan(Some(&image), &work.tags) {
        Plan::Tag(missing) => missing,
        Plan::Nothing | Plan::Send => Vec::new(),
    };
    tag(daemon, &work.id, &missing).await?;
    Ok((report, missing))
}

fn check(image: &Image, diff_ids: &[DiffId]) -> Result<(), Error> {
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

/// How many of these layers, from the lowest up, some image of the daemon has too.
async fn known_layers(daemon: &Daemon, diff_ids: &[DiffId]) -> Result<usize, Error> {
    let ids = daemon.images().await?;
    let mut images = stream::iter(ids)
        .map(|id| async move { daemon.image(&id).await })
        .buffer_unordered(AT_ONCE);
    let mut known = 0;
    while let Some(image) = images.next().await {
        // An image that is gone meanwhile, or broken, shares nothing.
        if let Ok(Some(image)) = image {
            known = known.max(plan::shared_layers(&image.layers, diff_ids));
        }
        if known == diff_ids.len() {
            break;
        }
    }
    Ok(known)
}

fn report(composition: &Composition, left_out: &HashSet<Digest>) -> Report {
    let mut report = Report::default();
    let mut seen = HashSet::new();
    for layer in &composition.manifest().layers {
        let sent = !left_out.contains(&layer.digest);
        report.layers += 1;
        report.layers_sent += usize::from(sent);
        if seen.insert(layer.digest) {
            report.bytes += layer.size;
            report.bytes_sent += if sent { layer.size } else { 0 };
        }
    }
    report
}

/// An image that is not in the daemon now.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none on disk.
    #[error(transparent)]
    Open(stored_image::Error),
    /// There are some, and none for what the daemon runs.
    #[error("there is no image that the daemon could run")]
    NoneForDaemon(#[source] stored_image::Error),
    /// Its parts do not belong together.
    #[error(transparent)]
    Composition(#[from] composition::Error),
    /// It has a name that is none.
    #[error("the image has a name that cannot be used")]
    Name(#[from] tag::ParseError),
    /// Its content is not what it says.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// The daemon.
    #[error(transparent)]
    Daemon(#[from] super::Error),
    /// It cannot be remembered.
    #[error(transparent)]
    State(#[from] state::Error),
    /// A part of the work ended without a result.
    #[error("a part of the work ended early")]
    Task(#[from] JoinError),
}

impl Error {
    /// The kind of failure.
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
    /// Whether the daemon certainly has nothing of the image, rather than perhaps all of it.
    fn leaves_nothing(&self) -> bool {
        matches!(
            self,
            Self::Upload(_) | Self::Daemon(super::Error::Load { .. } | super::Error::Status { .. })
        )
    }
}
