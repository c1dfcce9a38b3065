//! The transfer of one archive or layer: a thread writes it while a request sends it. Each ends when the other fails.

use std::collections::HashSet;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::find::FoundImage;
use super::{Error, ResendReason};
use crate::daemon::client::Daemon;
use crate::daemon::form::LayerForm;
use crate::daemon::store::Store;
use crate::daemon::temporary_name::TemporaryName;
use crate::daemon::upload::{
    self, Gate, LayerCheck, OnSent, Payload, Pipe, StopSignal, UploadError, channel,
};
use crate::daemon::{self, DaemonMessage};
use crate::oci::digest::Digest;

/// The time that the thread has to end after the daemon has answered.
const GRACE: Duration = Duration::from_secs(5);

/// The body of a request.
type Body = BoxStream<'static, io::Result<Bytes>>;

/// The content of one attempt.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// The blobs that are left out.
    pub(super) left_out: HashSet<Digest>,
    /// The form of the other layers.
    pub(super) form: LayerForm,
}

impl Attempt {
    /// Returns the next attempt after the daemon received the whole archive but did not load it. Returns `None` if no
    /// other attempt is useful.
    pub(super) fn next(
        &self,
        kind: Store,
        message: &DaemonMessage,
    ) -> Option<(Self, ResendReason)> {
        let compressed = LayerForm::compressed(kind);
        if message.is_full() {
            return (self.form != compressed).then(|| {
                let next = Self {
                    form: compressed,
                    ..self.clone()
                };
                (next, ResendReason::DiskFull)
            });
        }
        // Probably a layer was removed meanwhile.
        (!self.left_out.is_empty()).then(|| {
            let next = Self {
                left_out: HashSet::new(),
                ..self.clone()
            };
            (next, ResendReason::LayersMissing)
        })
    }
}

/// Sends an archive of the image, and waits until the daemon has loaded it.
pub(super) async fn transfer(
    daemon: &Daemon,
    found: &Arc<FoundImage>,
    attempt: &Attempt,
    sent: &OnSent,
    gate: Gate,
) -> Result<(), Error> {
    let payload = spawn_blocking({
        let found = Arc::clone(found);
        let Attempt { left_out, form } = attempt.clone();
        move || Payload::new(&found.payload(&left_out), form)
    })
    .await??;
    upload(daemon, payload, sent, gate).await
}

/// Sends one layer, decompressed, and waits until the daemon has an image of it under this name.
pub(super) async fn import(
    daemon: &Daemon,
    name: &TemporaryName,
    layer: LayerCheck,
    sent: &OnSent,
) -> Result<(), Error> {
    let sent = Arc::clone(sent);
    let write = move |pipe| upload::run_layer(&layer, pipe, &sent);
    stream(write, |body| daemon.import(name, body)).await
}

/// Gives an image that the daemon has its name with a digest. Only an archive can name it, but needs no layers.
pub(super) async fn add_digest_name(daemon: &Daemon, found: &FoundImage) -> Result<(), Error> {
    let payload = Payload::of_name(&found.payload(&HashSet::new()));
    let sent: OnSent = Arc::new(|_| ());
    upload(daemon, payload, &sent, Gate::open()).await
}

async fn upload(daemon: &Daemon, payload: Payload, sent: &OnSent, gate: Gate) -> Result<(), Error> {
    let sent = Arc::clone(sent);
    let write = move |pipe| upload::run(&payload, pipe, &sent, gate);
    stream(write, |body| daemon.load(body)).await
}

/// Runs `write` in a thread, and `request` with what it writes.
async fn stream<R>(
    write: impl FnOnce(Pipe) -> Result<(), UploadError> + Send + 'static,
    request: impl FnOnce(Body) -> R,
) -> Result<(), Error>
where
    R: Future<Output = Result<(), daemon::Error>>,
{
    let stop = StopOnDrop(StopSignal::default());
    let (pipe, body) = channel(stop.0.clone());
    let mut made = spawn_blocking(move || write(pipe));
    let mut answer = pin!(request(body.boxed()));
    tokio::select! {
        biased;
        result = &mut made => match result? {
            // The daemon does not read any more: its answer has the reason.
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

/// Returns the error of the thread that wrote the archive, after the daemon has answered.
async fn upload_error(
    made: JoinHandle<Result<(), UploadError>>,
) -> Result<Option<UploadError>, JoinError> {
    match tokio::time::timeout(GRACE, made).await {
        Ok(result) => Ok(match result? {
            Ok(()) | Err(UploadError::Stopped) => None,
            Err(error) => Some(error),
        }),
        // The thread waits for a connection that is neither read nor closed.
        Err(_) => Ok(None),
    }
}

/// Stops the threads when it is dropped.
struct StopOnDrop(StopSignal);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_daemon_gets_compressed_layers_and_one_that_lacks_layers_gets_all() {
        let kind = Store::Docker { reads_zstd: true };
        let attempt = |left_out: &[u8], form| Attempt {
            left_out: left_out.iter().map(|layer| Digest::of(&[*layer])).collect(),
            form,
        };
        let full = "write /x: no space left on device";
        for (left_out, form, message, next) in [
            (
                &b"a"[..],
                LayerForm::Decompressed,
                full,
                Some((&b"a"[..], LayerForm::Unchanged, ResendReason::DiskFull)),
            ),
            (b"a", LayerForm::Unchanged, full, None),
            (
                b"a",
                LayerForm::Decompressed,
                "missing",
                Some((b"", LayerForm::Decompressed, ResendReason::LayersMissing)),
            ),
            (b"", LayerForm::Decompressed, "wrong", None),
        ] {
            let found = attempt(left_out, form).next(kind, &DaemonMessage::new(message));
            let found = found.map(|(next, again)| (next.left_out, next.form, again));
            let expected =
                next.map(|(left_out, form, again)| (attempt(left_out, form).left_out, form, again));
            assert_eq!(found, expected, "{message}");
        }
    }
}
