//! What a load does with the blobs that its temporary registry sends: it counts their bytes, and holds back their ends
//! until the image is verified.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream, TryStreamExt as _};
use tokio::sync::watch;

use crate::oci::digest::Digest;

/// Whether the ends of blobs may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The content is still being verified. Everything but the last bytes of each blob is sent.
    Pending,
    /// The content is right.
    Good,
    /// The content is wrong. No blob is sent to its end.
    Bad,
}

/// Takes a blob, and the number of its bytes that are sent next.
pub type Sending = dyn Fn(&Digest, u64) + Send + Sync;

/// Observes the blobs that are sent, and holds back their ends.
#[derive(Clone)]
pub struct Supervision {
    /// Called when a client asks for the content of a blob.
    pub requested: Arc<dyn Fn(&Digest) + Send + Sync>,
    /// Called with the number of bytes of a blob that are sent next.
    pub sending: Arc<Sending>,
    /// The blob that is verified already. Its end is sent at once: clients ask for layers only after they have the config.
    pub verified: Option<Digest>,
    /// Decides about the last bytes of each other blob.
    pub verdict: watch::Receiver<Verdict>,
}

impl Supervision {
    /// Notes that a client asks for a blob. Fails if its end will never be sent.
    pub(super) fn begin(&self, blob: &Digest) -> io::Result<()> {
        (self.requested)(blob);
        match *self.verdict.borrow() {
            Verdict::Bad => Err(io::ErrorKind::NotFound.into()),
            Verdict::Pending | Verdict::Good => Ok(()),
        }
    }

    /// Returns the same chunks, which have `left` bytes. If `holds_end` is set, the last chunk waits for the verdict.
    pub(super) fn watch(
        &self,
        blob: Digest,
        left: u64,
        holds_end: bool,
        chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let holds_end = holds_end && self.verified != Some(blob);
        let state = (Box::pin(chunks), left, self.clone());
        stream::try_unfold(state, move |(mut chunks, left, supervision)| async move {
            let Some(chunk) = chunks.try_next().await? else {
                return Ok(None);
            };
            let left = left.saturating_sub(chunk.len() as u64);
            if left == 0 && holds_end {
                supervision.wait().await?;
            }
            (supervision.sending)(&blob, chunk.len() as u64);
            Ok(Some((chunk, (chunks, left, supervision))))
        })
    }

    async fn wait(&self) -> io::Result<()> {
        let mut verdict = self.verdict.clone();
        let decided = verdict
            .wait_for(|verdict| *verdict != Verdict::Pending)
            .await;
        match decided.map(|verdict| *verdict) {
            Ok(Verdict::Good) => Ok(()),
            Ok(Verdict::Pending | Verdict::Bad) | Err(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::sync::Mutex;

    #[tokio::test]
    async fn the_end_of_a_blob_waits_for_the_verdict() {
        for (verdict, expected) in [(Verdict::Good, 3), (Verdict::Bad, 2)] {
            let (decide, decided) = watch::channel(Verdict::Pending);
            let sent = Arc::new(Mutex::new(0));
            let supervision = Supervision {
                requested: Arc::new(|_| ()),
                sending: Arc::new({
                    let sent = Arc::clone(&sent);
                    move |_, bytes| *sent.lock().unwrap() += bytes
                }),
                verified: Some(Digest::of(b"config")),
                verdict: decided,
            };
            let config = stream::iter([Ok(Bytes::from_static(b"config"))]);
            let config = supervision.watch(Digest::of(b"config"), 6, true, config);
            assert_eq!(config.try_collect::<Vec<_>>().await.unwrap(), ["config"]);
            *sent.lock().unwrap() = 0;
            let chunks = [b"a", b"b", b"c"].map(|chunk| Ok(Bytes::from_static(chunk)));
            let blob = Digest::of(b"abc");
            supervision.begin(&blob).unwrap();
            let mut chunks = Box::pin(supervision.watch(blob, 3, true, stream::iter(chunks)));
            for _ in 0..2 {
                chunks.try_next().await.unwrap().unwrap();
            }
            assert!(chunks.try_next().now_or_never().is_none());
            decide.send_replace(verdict);
            // The future above was dropped while it waited, and the stream goes on.
            let last = chunks.try_next().await;
            assert_eq!(last.is_ok(), verdict == Verdict::Good);
            assert_eq!(*sent.lock().unwrap(), expected);
            assert_eq!(supervision.begin(&blob).is_ok(), verdict == Verdict::Good);
        }
    }
}
