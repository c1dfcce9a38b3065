//! One pass over a layer: one thread decompresses it, the second computes the diff ID, the third reads the archive.

use std::cell::Cell;
use std::io::{self, BufRead, Read, Write};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::{fmt, panic, thread};

use super::plain_layer::LayerError;
use crate::compression::{Limit, Sniffed, TooLarge};
use crate::oci::digest::{DiffId, Digest, Hasher};
use crate::verify::{self, Mismatch};

/// What one thread gives to the next at once, in bytes.
const PIECE: usize = 256 << 10;
/// How many pieces may wait for a thread.
const PIECES: usize = 4;

/// What is known of a layer before the pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// The size of the blob in bytes, if that is known.
    pub(crate) size: Option<u64>,
    /// The digest that the decompressed layer must have, if that is known.
    pub(crate) diff_id: Option<DiffId>,
    /// How large the layer may become when it is decompressed.
    pub(crate) limit: Limit,
}

/// Lets `work` read the whole decompressed layer once, while `feed` passes on the blob. Verifies the diff ID afterwards,
/// and returns it with the result. The blob itself is verified by `feed`: an error of `feed` precedes one of `work`.
pub(crate) fn pass<T: Send, E: From<LayerError> + Send>(
    expected: Expected,
    feed: impl FnOnce(&mut Blob) -> Result<(), Stop<E>>,
    work: impl FnOnce(Plain) -> Result<(Plain, T), E> + Send,
) -> Result<(DiffId, T), E> {
    let Expected { diff_id, .. } = expected;
    let algorithm = diff_id.map_or_else(Hasher::sha256, |diff_id| diff_id.digest().hasher());
    let (filled, inflated) = sync_channel(PIECES);
    let (onward, hashed) = sync_channel(PIECES);
    let (empty, emptied) = channel();
    let (digest, actual) = channel();
    let (outcome, done) = thread::scope(|scope| {
        scope.spawn(move || hash(algorithm, &inflated, &onward, &digest));
        let worker = scope.spawn(move || {
            let (layer, result) = work(Plain::new(hashed, empty, actual))?;
            Ok((layer.diff_id(diff_id)?, result))
        });
        let mut blob = Blob::new(expected, Pieces::new(filled, emptied));
        let outcome = feed(&mut blob).and_then(|()| blob.finish());
        (outcome, worker.join())
    });
    let done = done.unwrap_or_else(|panic| panic::resume_unwind(panic));
    match outcome {
        // Another thread ended before the layer did, so the last one has the reason.
        Err(Stop::Closed) | Ok(()) => done,
        Err(Stop::Error(error)) => Err(error),
    }
}

/// Why the blob was not passed on to its end.
pub(crate) enum Stop<E> {
    /// The next thread takes no more.
    Closed,
    /// The blob cannot be read or decompressed, or is not the layer's.
    Error(E),
}

impl<E> From<E> for Stop<E> {
    fn from(error: E) -> Self {
        Self::Error(error)
    }
}

impl<E: From<LayerError>> Stop<E> {
    fn of_write(error: io::Error) -> Self {
        let inner = error.get_ref();
        if inner
            .and_then(|inner| inner.downcast_ref::<Closed>())
            .is_some()
        {
            return Self::Closed;
        }
        Self::Error(LayerError::of_write(error).into())
    }
}

/// Takes the blob of a layer, in any compression.
pub(crate) struct Blob {
    decompressor: Sniffed<Bounded<Pieces>>,
    /// The number of bytes that the decompressed layer may have.
    allowed: Rc<Cell<u64>>,
    /// The number of bytes of the blob until now.
    taken: u64,
    size: Option<u64>,
    limit: Limit,
}

impl Blob {
    fn new(expected: Expected, pieces: Pieces) -> Self {
        let Expected { size, limit, .. } = expected;
        let allowed = Rc::new(Cell::new(limit.for_layer(size.unwrap_or(0))));
        Self {
            decompressor: Sniffed::new(Bounded {
                output: pieces,
                written: 0,
                allowed: Rc::clone(&allowed),
            }),
            allowed,
            taken: 0,
            size,
            limit,
        }
    }

    /// Takes the next bytes.
    pub(crate) fn push<E: From<LayerError>>(&mut self, bytes: &[u8]) -> Result<(), Stop<E>> {
        self.taken += bytes.len() as u64;
        if self.size.is_none() {
            self.allowed.set(self.limit.for_layer(self.taken));
        }
        self.decompressor.write_all(bytes).map_err(Stop::of_write)
    }

    fn finish<E: From<LayerError>>(self) -> Result<(), Stop<E>> {
        let bounded = self.decompressor.finish().map_err(Stop::of_write)?;
        bounded.output.finish().map_err(Stop::of_write)
    }
}

/// Hashes the pieces of a layer and passes them on. The digest follows the last one.
fn hash(
    mut hasher: Hasher,
    pieces: &Receiver<Vec<u8>>,
    onward: &SyncSender<Vec<u8>>,
    digest: &Sender<Digest>,
) {
    for piece in pieces {
        hasher.update(&piece);
        if onward.send(piece).is_err() {
            return;
        }
    }
    // The reader may have ended with an error.
    let _ = digest.send(hasher.finish());
}

/// A limit that grows with what was read, for a layer of unknown size.
struct Bounded<W> {
    output: W,
    written: u64,
    allowed: Rc<Cell<u64>>,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let limit = self.allowed.get();
        if bytes.len() as u64 > limit.saturating_sub(self.written) {
            return Err(io::Error::other(TooLarge { limit }));
        }
        let written = self.output.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// Collects bytes to pieces for the next thread.
struct Pieces {
    filled: SyncSender<Vec<u8>>,
    emptied: Receiver<Vec<u8>>,
    piece: Vec<u8>,
}

impl Pieces {
    fn new(filled: SyncSender<Vec<u8>>, emptied: Receiver<Vec<u8>>) -> Self {
        Self {
            filled,
            emptied,
            piece: Vec::with_capacity(PIECE),
        }
    }

    fn send(&mut self) -> io::Result<()> {
        let next = self.emptied.try_recv();
        let next = next.unwrap_or_else(|_| Vec::with_capacity(PIECE));
        let piece = std::mem::replace(&mut self.piece, next);
        self.filled
            .send(piece)
            .map_err(|_| io::Error::other(Closed))
    }

    fn finish(mut self) -> io::Result<()> {
        self.send()
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(PIECE - self.piece.len());
        self.piece
            .extend_from_slice(bytes.get(..count).unwrap_or_default());
        if self.piece.len() == PIECE {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The next thread takes no more.
#[derive(Debug)]
struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reader takes no more")
    }
}

impl std::error::Error for Closed {}

/// The decompressed layer.
pub(crate) struct Plain {
    pieces: Receiver<Vec<u8>>,
    empty: Sender<Vec<u8>>,
    piece: Vec<u8>,
    /// The number of bytes of the piece that were read.
    taken: usize,
    /// The digest of all pieces, once they were read.
    diff_id: Receiver<Digest>,
}

impl Plain {
    fn new(pieces: Receiver<Vec<u8>>, empty: Sender<Vec<u8>>, diff_id: Receiver<Digest>) -> Self {
        Self {
            pieces,
            empty,
            piece: Vec::new(),
            taken: 0,
            diff_id,
        }
    }

    /// Returns the diff ID, once the layer was read to its end.
    fn diff_id(self, expected: Option<DiffId>) -> Result<DiffId, LayerError> {
        // Without a digest, the thread that hashes has ended with the one that decompresses.
        let digest = self.diff_id.recv();
        let digest =
            digest.map_err(|_| LayerError::Decompress(io::ErrorKind::UnexpectedEof.into()))?;
        let diff_id = DiffId::new(digest);
        if let Some(expected) = expected.filter(|expected| *expected != diff_id) {
            let mismatch = Mismatch {
                expected: *expected.digest(),
                actual: *diff_id.digest(),
            };
            return Err(verify::Error::Digest(Box::new(mismatch)).into());
        }
        Ok(diff_id)
    }
}

impl Read for Plain {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Plain {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // The last piece may be empty.
        while self.taken == self.piece.len() {
            // Without a sender, the layer has ended.
            let Ok(next) = self.pieces.recv() else {
                return Ok(&[]);
            };
            let mut used = std::mem::replace(&mut self.piece, next);
            self.taken = 0;
            used.clear();
            // The first piece has no memory of its own; at the end no thread needs it.
            if used.capacity() == PIECE {
                let _ = self.empty.send(used);
            }
        }
        Ok(self.piece.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.taken = self.piece.len().min(self.taken + count);
    }
}

#[cfg(test)]
mod tests;
