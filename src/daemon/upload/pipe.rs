//! A pipe from a thread that writes to a request that sends. It holds a few chunks, and the end until it is released.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::sync::mpsc;

/// The size of a chunk in bytes.
const CHUNK: usize = 1 << 20;
/// The number of chunks that wait for the connection.
const WAITING: usize = 2;

/// A signal that stops all threads of an upload.
#[derive(Clone, Debug, Default)]
pub(in crate::daemon) struct StopSignal(Arc<AtomicBool>);

impl StopSignal {
    /// Sets the signal.
    pub(in crate::daemon) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether the signal is set.
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The writing end. If it is dropped before [`finish`](Self::finish), the request is aborted.
pub(in crate::daemon) struct Pipe {
    sender: mpsc::Sender<Bytes>,
    /// A full chunk, sent when the next one is full.
    held: Vec<u8>,
    filling: Vec<u8>,
    stop: StopSignal,
    is_finished: Arc<AtomicBool>,
}

/// Creates a pipe, and the body that the request sends.
pub(in crate::daemon) fn channel(
    stop: StopSignal,
) -> (Pipe, impl Stream<Item = io::Result<Bytes>> + Send + 'static) {
    let (sender, mut receiver) = mpsc::channel(WAITING);
    let is_finished = Arc::new(AtomicBool::new(false));
    let finished = Arc::clone(&is_finished);
    let body = stream::poll_fn(move |context| {
        receiver.poll_recv(context).map(|chunk| match chunk {
            Some(chunk) => Some(Ok(chunk)),
            None if finished.load(Ordering::Acquire) => None,
            // Without an error the request would end normally.
            None => Some(Err(io::ErrorKind::BrokenPipe.into())),
        })
    });
    let pipe = Pipe {
        sender,
        held: Vec::new(),
        filling: Vec::with_capacity(CHUNK),
        stop,
        is_finished,
    };
    (pipe, body)
}

impl Pipe {
    /// Returns the signal that stops the upload.
    pub(super) fn stop(&self) -> StopSignal {
        self.stop.clone()
    }

    /// Sends the end.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let (held, filling) = (
            std::mem::take(&mut self.held),
            std::mem::take(&mut self.filling),
        );
        self.send(held)?;
        self.send(filling)?;
        self.is_finished.store(true, Ordering::Release);
        Ok(())
    }

    fn send(&self, chunk: Vec<u8>) -> io::Result<()> {
        if chunk.is_empty() {
            return Ok(());
        }
        self.sender
            .blocking_send(Bytes::from(chunk))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.is_set() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = CHUNK.saturating_sub(self.filling.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.filling.extend_from_slice(taken);
        if self.filling.len() >= CHUNK {
            let full = std::mem::replace(&mut self.filling, Vec::with_capacity(CHUNK));
            let held = std::mem::replace(&mut self.held, full);
            self.send(held)?;
        }
        Ok(taken.len())
    }

    /// Does nothing: the end is sent only by [`finish`](Pipe::finish).
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt as _, StreamExt as _};

    /// Returns the chunks that can be received now; `Err` if the body was aborted.
    fn received(
        body: &mut (impl Stream<Item = io::Result<Bytes>> + Unpin),
    ) -> Vec<Result<usize, ()>> {
        let mut chunks = Vec::new();
        while let Some(Some(chunk)) = body.next().now_or_never() {
            chunks.push(chunk.map(|bytes| bytes.len()).map_err(drop));
            if chunks.last() == Some(&Err(())) {
                break;
            }
        }
        chunks
    }

    #[test]
    fn at_least_a_chunk_is_held_until_the_end_is_sent() {
        let (mut pipe, mut body) = channel(StopSignal::default());
        pipe.write_all(&vec![7; 2 * CHUNK - 1]).unwrap();
        pipe.flush().unwrap();
        assert_eq!(received(&mut body), []);
        pipe.write_all(&[7; 2]).unwrap();
        assert_eq!(received(&mut body), [Ok(CHUNK)]);
        pipe.finish().unwrap();
        assert_eq!(received(&mut body), [Ok(CHUNK), Ok(1)]);
    }

    #[test]
    fn a_pipe_that_is_not_finished_ends_in_an_error() {
        let (mut pipe, mut body) = channel(StopSignal::default());
        pipe.write_all(b"x").unwrap();
        drop(pipe);
        assert_eq!(received(&mut body), [Err(())]);
    }

    #[test]
    fn nothing_is_written_after_a_stop_signal() {
        let stop = StopSignal::default();
        let (mut pipe, _body) = channel(stop.clone());
        stop.set();
        assert!(pipe.write_all(b"x").is_err());
    }
}
