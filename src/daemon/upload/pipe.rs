//! From a thread that writes to a request that sends, a few chunks at a time, with the end held back.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::sync::mpsc;

/// What is sent at once.
const CHUNK: usize = 1 << 20;
/// Chunks that wait for the connection.
const WAITING: usize = 2;

/// Tells everyone who works on an upload to stop.
#[derive(Clone, Debug, Default)]
pub(in crate::daemon) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks everyone to stop.
    pub(in crate::daemon) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether to stop.
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The end that is written to. Dropped before [`finish`](Self::finish), it breaks the request off.
pub(in crate::daemon) struct Pipe {
    sender: mpsc::Sender<Bytes>,
    /// A full chunk that goes when the next one is full.
    held: Vec<u8>,
    filling: Vec<u8>,
    stop: Stop,
    is_finished: Arc<AtomicBool>,
}

/// A pipe, and the body at its other end.
pub(in crate::daemon) fn channel(
    stop: Stop,
) -> (Pipe, impl Stream<Item = io::Result<Bytes>> + Send + 'static) {
    let (sender, mut receiver) = mpsc::channel(WAITING);
    let is_finished = Arc::new(AtomicBool::new(false));
    let finished = Arc::clone(&is_finished);
    let body = stream::poll_fn(move |context| {
        receiver.poll_recv(context).map(|chunk| match chunk {
            Some(chunk) => Some(Ok(chunk)),
            None if finished.load(Ordering::Acquire) => None,
            // Without an error the request would end in good order.
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
    /// Who says when to stop.
    pub(super) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Lets the end go.
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

    /// Nothing: what is held back stays until all is known to be good.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt as _, StreamExt as _};

    /// What can be received at once; `Err` where the body breaks off.
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
    fn a_chunk_and_more_is_held_back_until_the_end_is_let_go() {
        let (mut pipe, mut body) = channel(Stop::default());
        pipe.write_all(&vec![7; 2 * CHUNK - 1]).unwrap();
        pipe.flush().unwrap();
        assert_eq!(received(&mut body), []);
        pipe.write_all(&[7; 2]).unwrap();
        assert_eq!(received(&mut body), [Ok(CHUNK)]);
        pipe.finish().unwrap();
        assert_eq!(received(&mut body), [Ok(CHUNK), Ok(1)]);
    }

    #[test]
    fn what_is_not_finished_ends_in_an_error() {
        let (mut pipe, mut body) = channel(Stop::default());
        pipe.write_all(b"x").unwrap();
        drop(pipe);
        assert_eq!(received(&mut body), [Err(())]);
    }

    #[test]
    fn nothing_is_written_after_a_stop() {
        let stop = Stop::default();
        let (mut pipe, _body) = channel(stop.clone());
        stop.set();
        assert!(pipe.write_all(b"x").is_err());
    }
}
