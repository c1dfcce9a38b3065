//! Bringing one image into a daemon: find it on disk, see what the daemon has, send what it lacks, and make sure
//! that it has the image afterwards.

use std::collections::HashSet;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::daemon::{Daemon, Image, Kind};
use super::plan::{self, Plan};
use super::state::{self, Record, State};
use super::tag::{self, TagName};
use super::upload::{self, Ingredients, Payload, Sent, Stop, UploadError, channel};
use crate::archive::composition::{self, Composition};
use crate::archive::names::Names;
use crate::archive::stored_image::{self, Choice};
use crate::compression::Limit;
use crate::config::ImageConfig;
use crate::digest::{DiffId, Digest};
use crate::document::Document;
use crate::platform::Platform;

/// Questions to the daemon at a time.
const AT_ONCE: usize = 8;
/// For the thread that makes the archive, when nobody wants it any more.
const GRACE: Duration = Duration::from_secs(5);

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
    /// That so many bytes of layers will be sent.
    pub sending: Arc<dyn Fn(u64) + Send + Sync>,
    /// That so many bytes were sent.
    pub sent: Sent,
    /// That the daemon lacks what it was thought to have, and why it says so. All is sent again.
    pub again: Arc<dyn Fn(&str) + Send + Sync>,
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
    /// Those of them that were sent.
    pub bytes_sent: u64,
}

/// An image that was found, and what it is to become.
struct Work {
    composition: Composition,
    config: Document<ImageConfig>,
    /// What it is called in the archive.
    names: Names,
    /// All names that it is to have.
    tags: Vec<TagName>,
    id: Digest,
    limit: Limit,
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
        order: &order,
    };
    let loaded = match plan::plan(present.as_ref(), &work.tags) {
        Plan::Nothing => {
            // Perhaps it is there because an earlier run was ended when the daemon had all of it.
            journal.complete()?;
            Loaded {
                id: work.id,
                tagged: Vec::new(),
                sent: None,
            }
        }
        Plan::Tag(missing) => {
            journal.begin(&missing, false)?;
            tag(daemon, &work.id, &missing).await?;
            journal.complete()?;
            Loaded {
                id: work.id,
                tagged: missing,
                sent: None,
            }
        }
        Plan::Send => {
            let before = journal.begin(&work.tags, true)?;
            let sent = send(daemon, &work, watch).await;
            if let Err(Error::Daemon(super::Error::Load { .. })) = sent
                && daemon.kind() == Kind::Containerd
            {
                // This store keeps an image that it could not unpack. What went wrong then is told already.
                let _ = daemon.remove_image(&work.id).await;
            }
            let (report, tagged) = journal.end(sent, before)?;
            Loaded {
                id: work.id,
                tagged,
                sent: Some(report),
            }
        }
    };
    drop(lock);
    Ok(loaded)
}

/// Opens the image on disk, and sees whether it is one for the daemon.
async fn find(daemon: &Daemon, order: Order) -> Result<Work, Error> {
    let wanted = order
        .platform
        .clone()
        .unwrap_or_else(|| daemon.platform().clone());
    let daemons_own = order.platform.is_none();
    let kind = daemon.kind();
    // Blobs that are links may have to be hashed, which takes as long as they are large.
    spawn_blocking(move || {
        let choice = Choice {
            name: order.name.as_deref(),
            platform: &wanted,
        };
        let composition =
            stored_image::open(&order.path, &choice).map_err(|source| match source {
                stored_image::Error::Platform { .. } if daemons_own => Error::NoneForDaemon(source),
                source => Error::Open(source),
            })?;
        let config = composition.image_config()?;
        if !fits(&wanted, config.platform(), daemons_own) {
            return Err(super::Error::Platform {
                image: config.platform().normalised(),
                wanted,
            }
            .into());
        }
        let (names, tags) = names(&composition.names, &order.tags)?;
        Ok(Work {
            id: match kind {
                Kind::Containerd => *composition.manifest().digest(),
                Kind::Docker { .. } | Kind::Podman => *config.digest(),
            },
            composition,
            config,
            names,
            tags,
            limit: order.limit,
        })
    })
    .await?
}

/// Whether an image is for the platform that is wanted. A daemon does not tell its variant; and an image that
/// does not tell its platform is taken at its word.
fn fits(wanted: &Platform, image: &Platform, daemons_own: bool) -> bool {
    let (wanted, image) = (wanted.normalised(), image.normalised());
    if image.os.is_empty() && image.architecture.is_empty() {
        true
    } else if daemons_own {
        wanted.os == image.os && wanted.architecture == image.architecture
    } else {
        wanted.distance_to(&image).is_some()
    }
}

/// The image's names in the archive, and all of them: its own and those that were asked for.
fn names(own: &Names, tags: &[TagName]) -> Result<(Names, Vec<TagName>), Error> {
    let mut all: Vec<TagName> = Vec::new();
    let own_tags = own.repo_tags.iter().map(|name| name.parse());
    for name in own_tags.chain(tags.iter().cloned().map(Ok)) {
        let name = name?;
        if !all.contains(&name) {
            all.push(name);
        }
    }
    let mut names = match (&own.reference, all.first()) {
        (Some(_), _) => own.clone(),
        (None, Some(first)) => Names::of_reference(&first.reference()),
        // A tag without a repository would become a repository of that name with some daemons.
        (None, None) => Names::default(),
    };
    names.repo_tags = all.iter().map(ToString::to_string).collect();
    Ok((names, all))
}

/// Sends the image, first without the layers that the daemon has, and sees that it is there afterwards. Gives the
/// names, too, that it had to be given apart.
async fn send(
    daemon: &Daemon,
    work: &Arc<Work>,
    watch: &Watch,
) -> Result<(Report, Vec<TagName>), Error> {
    let known = match daemon.kind() {
        Kind::Docker { .. } => known_layers(daemon, work.config.diff_ids()).await?,
        Kind::Containerd | Kind::Podman => 0,
    };
    let left_out = plan::left_out(&work.composition.manifest().layers, known);
    let mut report = report(&work.composition, &left_out);
    (watch.sending)(report.bytes_sent);
    match send_without(daemon, work, left_out.clone(), &watch.sent).await {
        Ok(()) => {}
        // Somebody removed a layer in between, most likely.
        Err(Error::Daemon(super::Error::Load { message }))
            if !left_out.is_empty() && !super::error::says_full(&message) =>
        {
            (watch.again)(&message);
            report = self::report(&work.composition, &HashSet::new());
            (watch.sending)(report.bytes_sent);
            send_without(daemon, work, HashSet::new(), &watch.sent).await?;
        }
        Err(error) => return Err(error),
    }
    let image = daemon
        .image(&work.id)
        .await?
        .filter(|image| image.id == work.id)
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

/// Sends an archive without some blobs, as the daemon can read it.
async fn send_without(
    daemon: &Daemon,
    work: &Arc<Work>,
    left_out: HashSet<Digest>,
    sent: &Sent,
) -> Result<(), Error> {
    let stop = StopOnDrop(Stop::default());
    let payload = spawn_blocking({
        let (work, stop) = (Arc::clone(work), stop.0.clone());
        let reads_zstd = !matches!(daemon.kind(), Kind::Docker { reads_zstd: false });
        move || {
            let ingredients = Ingredients {
                composition: &work.composition,
                config: &work.config,
                names: &work.names,
                left_out: &left_out,
                limit: work.limit,
            };
            if reads_zstd {
                Payload::new(&ingredients)
            } else {
                Payload::without_zstd(&ingredients, &stop)
            }
        }
    })
    .await??;
    let (pipe, body) = channel(stop.0.clone(), Arc::clone(sent));
    let mut made = spawn_blocking(move || upload::run(&payload, pipe));
    let mut answer = pin!(daemon.load(body));
    tokio::select! {
        biased;
        result = &mut made => match result? {
            // Nobody takes it any more: the answer says why.
            Ok(()) | Err(UploadError::Stopped) => Ok(answer.await?),
            Err(error) => Err(error.into()),
        },
        answered = &mut answer => {
            stop.0.set();
            match (answered, upload_error(made).await?) {
                (_, Some(error)) => Err(error.into()),
                (answered, None) => Ok(answered?),
            }
        }
    }
}

/// What was wrong with what was sent, once the daemon has answered.
async fn upload_error(
    made: JoinHandle<Result<(), UploadError>>,
) -> Result<Option<UploadError>, JoinError> {
    match tokio::time::timeout(GRACE, made).await {
        Ok(result) => Ok(match result? {
            Ok(()) | Err(UploadError::Stopped) => None,
            Err(error) => Some(error),
        }),
        // It waits for a connection that is neither read nor closed.
        Err(_) => Ok(None),
    }
}

/// Tells the threads when the work is dropped.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// The record of what is done, where one is kept.
struct Journal<'a> {
    state: Option<&'a State>,
    id: Digest,
    order: &'a Order,
}

impl Journal<'_> {
    /// Before something is done: an image that is sent or only given names.
    fn begin(&self, tags: &[TagName], sent: bool) -> Result<Option<Record>, Error> {
        let Some(state) = self.state else {
            return Ok(None);
        };
        Ok(state.change(&self.id, |before| {
            let mut record = match before {
                // What is recorded of an image that is gone is of no use to the next.
                Some(record) if !sent || record.loaded => record,
                _ => Record::new(self.id, &self.order.path),
            };
            record.tags.extend(tags.iter().map(ToString::to_string));
            record.loaded |= sent;
            record.complete &= !sent;
            record.image_path.clone_from(&self.order.path);
            Some(record)
        })?)
    }

    /// After an image was sent. Where it certainly is not there, all is as it was before; otherwise the record
    /// stays, as one of work that was not done to its end.
    fn end<T>(&self, outcome: Result<T, Error>, before: Option<Record>) -> Result<T, Error> {
        match &outcome {
            Ok(_) => self.complete()?,
            Err(error) if error.leaves_nothing() => {
                if let Some(state) = self.state {
                    state.change(&self.id, |_| before)?;
                }
            }
            Err(_) => {}
        }
        outcome
    }

    /// The image is there.
    fn complete(&self) -> Result<(), Error> {
        if let Some(state) = self.state {
            state.change(&self.id, |record| {
                let mut record = record?;
                record.complete = true;
                record.image_path.clone_from(&self.order.path);
                Some(record)
            })?;
        }
        Ok(())
    }
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
    /// Whether the daemon certainly has nothing of the image, rather than perhaps all of it.
    fn leaves_nothing(&self) -> bool {
        matches!(
            self,
            Self::Upload(_) | Self::Daemon(super::Error::Load { .. } | super::Error::Status { .. })
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn an_image_fits_a_daemon_by_system_and_architecture() {
        for (wanted, image, daemons_own, fit) in [
            ("linux/amd64", "linux/amd64", true, true),
            ("linux/amd64", "linux/arm64", true, false),
            ("linux/amd64", "windows/amd64", true, false),
            // The daemon says `arm`, and runs on an older machine perhaps.
            ("linux/arm/v6", "linux/arm/v7", true, true),
            ("linux/arm/v6", "linux/arm/v7", false, false),
            ("linux/arm/v7", "linux/arm/v6", false, true),
        ] {
            assert_eq!(
                fits(&platform(wanted), &platform(image), daemons_own),
                fit,
                "{wanted} {image}"
            );
        }
        let unknown = Platform {
            os: String::new(),
            architecture: String::new(),
            variant: None,
            os_version: None,
        };
        assert!(fits(&platform("linux/amd64"), &unknown, true));
    }

    #[test]
    fn an_image_keeps_its_names_and_gets_more() {
        let tags = |texts: &[&str]| -> Vec<TagName> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let own = Names::of_reference(&"debian:12".parse().unwrap());
        let (in_archive, all) =
            names(&own, &tags(&["a:1", "docker.io/library/debian:12"])).unwrap();
        assert_eq!(all, tags(&["debian:12", "a:1"]));
        assert_eq!(in_archive.repo_tags, ["debian:12", "a:1"]);
        assert_eq!(in_archive.reference, own.reference);

        let tag_alone = Names {
            tag: Some("12".to_owned()),
            ..Names::default()
        };
        let (in_archive, all) = names(&tag_alone, &tags(&["a:1"])).unwrap();
        assert_eq!(all, tags(&["a:1"]));
        assert_eq!(
            in_archive.reference.as_deref(),
            Some("docker.io/library/a:1")
        );
        let (in_archive, all) = names(&tag_alone, &[]).unwrap();
        assert_eq!((in_archive, all), (Names::default(), vec![]));
    }
}
