//! One archive on its way: a thread makes it while a request sends it, and each ends when the other fails.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::find::Work;
use super::{Again, Error};
use crate::daemon::Message;
use crate::daemon::client::Daemon;
use crate::daemon::form::Form;
use crate::daemon::store::Store;
use crate::daemon::upload::{self, Ingredients, Payload, Sent, Stop, UploadError, channel};
use crate::oci::digest::Digest;

/// For the thread that makes the archive, when nobody wants it any more.
const GRACE: Duration = Duration::from_secs(5);

/// What is sent at one attempt.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// The blobs that are not.
    pub(super) left_out: HashSet<Digest>,
    /// How the others are.
    pub(super) form: Form,
}

impl Attempt {
    /// What is worth trying after the daemon of this kind, which took all of it, said that it does not load it.
    pub(super) fn next(&self, kind: Store, message: &Message) -> Option<(Self, Again)> {
        let compressed = Form::compressed(kind);
        if message.is_full() {
            return (self.form != compressed).then(|| {
                let next = Self {
                    form: compressed,
                    ..self.clone()
                };
                (next, Again::Full)
            });
        }
        // Somebody removed a layer in between, most likely.
        (!self.left_out.is_empty()).then(|| {
            let next = Self {
                left_out: HashSet::new(),
                ..self.clone()
            };
            (next, Again::Missing)
        })
    }
}

/// Sends an archive of the image, and waits until the daemon has loaded it.
pub(super) async fn transfer(
    daemon: &Daemon,
    work: &Arc<Work>,
    attempt: &Attempt,
    sent: &Sent,
) -> Result<(), Error> {
    let stop = StopOnDrop(Stop::default());
    let payload = spawn_blocking({
        let work = Arc::clone(work);
        let Attempt { left_out, form } = attempt.clone();
        move || {
            let ingredients = Ingredients {
                composition: &work.composition,
                config: &work.config,
                names: &work.names,
                left_out: &left_out,
                limit: work.limit,
            };
            Payload::new(&ingredients, form)
        }
    })
    .await??;
    let (pipe, body) = channel(stop.0.clone());
    let sent = Arc::clone(sent);
    let mut made = spawn_blocking(move || upload::run(&payload, pipe, &sent));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_daemon_gets_less_at_a_time_and_one_that_lacks_something_gets_all() {
        let kind = Store::Docker { reads_zstd: true };
        let attempt = |left_out: &[u8], form| Attempt {
            left_out: left_out.iter().map(|layer| Digest::of(&[*layer])).collect(),
            form,
        };
        let full = "write /x: no space left on device";
        for (left_out, form, message, next) in [
            (
                &b"a"[..],
                Form::Plain,
                full,
                Some((&b"a"[..], Form::AsTheyAre, Again::Full)),
            ),
            (b"a", Form::AsTheyAre, full, None),
            (
                b"a",
                Form::Plain,
                "missing",
                Some((b"", Form::Plain, Again::Missing)),
            ),
            (b"", Form::Plain, "wrong", None),
        ] {
            let found = attempt(left_out, form).next(kind, &Message::new(message));
            let found = found.map(|(next, again)| (next.left_out, next.form, again));
            let expected =
                next.map(|(left_out, form, again)| (attempt(left_out, form).left_out, form, again));
            assert_eq!(found, expected, "{message}");
        }
    }
}
