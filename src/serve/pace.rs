//! Ends connections whose client reads too slowly or not at all. Without this, such clients could use up all connections.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A stream whose reader must read a number of bytes within a time limit. Only the time in which a write waits for the
/// reader counts, not the time that the server itself needs, and not the time between responses.
#[derive(Debug)]
pub(super) struct PaceGuard<S> {
    stream: S,
    least: u64,
    limit: Duration,
    /// The number of bytes that the reader must still read in this period.
    missing: u64,
    /// The time that is left in this period.
    left: Duration,
    waiting_since: Option<Instant>,
    deadline: Pin<Box<Sleep>>,
}

impl<S> PaceGuard<S> {
    /// Wraps `stream`, whose reader must read `least` bytes in each period of `limit`.
    pub(super) fn new(stream: S, least: u64, limit: Duration) -> Self {
        Self {
            stream,
            least,
            limit,
            missing: least,
            left: limit,
            waiting_since: None,
            deadline: Box::pin(tokio::time::sleep(limit)),
        }
    }

    /// Passes on the result of a write, and counts its bytes.
    fn watch_write(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(written)) = &outcome {
            self.missing = self.missing.saturating_sub(*written as u64);
        }
        self.watch(context, outcome)
    }

    /// Passes on the result of an operation. The time in which it is pending counts.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            if let Some(since) = self.waiting_since.take() {
                self.left = self.left.saturating_sub(since.elapsed());
            }
            if self.missing == 0 {
                (self.missing, self.left) = (self.least, self.limit);
            }
            return outcome;
        }
        let timed_out = Err(io::ErrorKind::TimedOut.into());
        if self.left.is_zero() {
            return Poll::Ready(timed_out);
        }
        if self.waiting_since.is_none() {
            let now = Instant::now();
            self.waiting_since = Some(now);
            // A limit that the clock cannot represent is no limit.
            if let Some(deadline) = now.checked_add(self.left) {
                self.deadline.as_mut().reset(deadline);
            }
        }
        self.deadline.as_mut().poll(context).map(|()| timed_out)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PaceGuard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PaceGuard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch_write(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch_write(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch(context, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test(flavor = "current_thread")]
    async fn a_write_without_a_reader_ends() {
        let (_reader, writer) = tokio::io::duplex(4);
        let mut guard = PaceGuard::new(writer, 1, Duration::from_millis(10));
        let error = guard.write_all(b"longer than four").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_reader_that_goes_on_too_slowly_is_cut_off() {
        let (mut reader, writer) = tokio::io::duplex(1);
        let mut guard = PaceGuard::new(writer, 1 << 20, Duration::from_millis(10));
        let writing = tokio::spawn(async move { guard.write_all(&vec![0; 1 << 20]).await });
        // It reads one byte each time that the writer waits, and so never enough.
        while reader.read_u8().await.is_ok() {
            tokio::task::yield_now().await;
        }
        let error = writing.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_reader_that_goes_on_is_given_its_time() {
        let (mut reader, writer) = tokio::io::duplex(4);
        let mut guard = PaceGuard::new(writer, 1 << 20, LONG);
        let writing = tokio::spawn(async move { guard.write_all(b"longer than four").await });
        let mut read = [0; 16];
        reader.read_exact(&mut read).await.unwrap();
        writing.await.unwrap().unwrap();
        assert_eq!(&read, b"longer than four");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn time_begins_anew_with_enough_bytes_and_only_then() {
        for (least, begins_anew) in [(8, true), (9, false)] {
            let (mut reader, writer) = tokio::io::duplex(4);
            let mut guard = PaceGuard::new(writer, least, LONG);
            guard.left = LONG / 2;
            let writing = async {
                guard.write_all(&[0; 8]).await.unwrap();
                guard
            };
            let (guard, read) = tokio::join!(writing, async {
                let mut read = [0; 8];
                reader.read_exact(&mut read).await
            });
            read.unwrap();
            assert_eq!(guard.left > LONG / 2, begins_anew, "{least}");
        }
    }
}
