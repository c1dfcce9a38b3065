//! One archive on its way: a thread makes it while a request sends it, and each ends when the other fails.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::Error;
use super::find::Work;
use crate::digest::Digest;
use crate::engine::daemon::{Daemon, Kind};
use crate::engine::upload::{self, Ingredients, Payload, Sent, Stop, UploadError, channel};

/// For the thread that makes the archive, when nobody wants it any more.
const GRACE: Duration = Duration::from_secs(5);

/// Sends an archive without some blobs, as the daemon can read it.
pub(super) async fn send_without(
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
