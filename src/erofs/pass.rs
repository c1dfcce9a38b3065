//! One pass over a layer: one thread decompresses, the second hashes, the third reads the archive.

use std::cell::Cell;
use std::io::{self, BufRead, Read, Write};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::{fmt, panic, thread};

use super::error::Error;
use crate::compression::{Limit, Sniffed, TooLarge};
use crate::oci::digest::{DiffId, Digest, Hasher};
use crate::verify::{self, Mismatch};

/// What is read at once, in bytes.
const READ: usize = 128 << 10;
/// What one thread gives to the next at once, in bytes.
const PIECE: usize = 256 << 10;
/// How many pieces may wait for a thread.
const PIECES: usize = 4;

/// A layer to convert.
#[derive(Debug)]
pub struct Source<R> {
    /// The layer: a tar archive, plain or compressed with gzip or zstd.
    pub layer: R,
    /// The size of the layer in bytes, as it is read, if that is known.
    pub size: Option<u64>,
    /// The digest that the decompressed layer must have, if that is known.
    pub diff_id: Option<DiffId>,
    /// How large the layer may become when it is decompressed. Holes of sparse files may have this size again.
    pub limit: Limit,
}

/// Lets `work` read the whole decompressed layer once. Verifies the diff ID afterwards, and returns it with the result.
pub(super) fn pass<R: Read, T: Send>(
    source: Source<R>,
    work: impl FnOnce(Plain) -> Result<(Plain, T), Error> + Send,
) -> Result<(DiffId, T), Error> {
    let expected = source.diff_id;
    let (filled, inflated) = sync_channel(PIECES);
    let (onward, hashed) = sync_channel(PIECES);
    let (empty, emptied) = channel();
    let (digest, diff_id) = channel();
    let (inflated, done) = thread::scope(|scope| {
        scope.spawn(move || hash(&inflated, &onward, &digest));
        let worker = scope.spawn(move || {
            let (layer, result) = work(Plain::new(hashed, empty, diff_id))?;
            Ok((layer.diff_id(expected)?, result))
        });
        let inflated = inflate(source, Pieces::new(filled, emptied));
        (inflated, worker.join())
    });
    let done = done.unwrap_or_else(|panic| panic::resume_unwind(panic));
    match inflated {
        // Another thread ended before the layer did, so the last one has the reason.
        Err(Stop::Closed) | Ok(()) => done,
        Err(Stop::Error(error)) => Err(error),
    }
}

/// Why decompression ended early.
enum Stop {
    /// The next thread takes no more.
    Closed,
    Error(Error),
}

/// Decompresses all of a layer into `pieces`.
fn inflate<R: Read>(source: Source<R>, pieces: Pieces) -> Result<(), Stop> {
    let Source {
        mut layer,
        size,
        limit,
        ..
    } = source;
    let allowed = Rc::new(Cell::new(limit.for_layer(size.unwrap_or(0))));
    let mut decompressor = Sniffed::new(Bounded {
        output: pieces,
        written: 0,
        allowed: Rc::clone(&allowed),
    });
    let mut buffer = vec![0; READ];
    let mut taken = 0;
    loop {
        let count = match layer.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Stop::Error(Error::of_read(error))),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        taken += bytes.len() as u64;
        if size.is_none() {
            allowed.set(limit.for_layer(taken));
        }
        decompressor.write_all(bytes).map_err(stop)?;
    }
    let bounded = decompressor.finish().map_err(stop)?;
    bounded.output.finish().map_err(stop)
}

fn stop(error: io::Error) -> Stop {
    let inner = error.get_ref();
    if inner
        .and_then(|inner| inner.downcast_ref::<Closed>())
        .is_some()
    {
        return Stop::Closed;
    }
    Stop::Error(match TooLarge::of(&error) {
        Some(too_large) => Error::TooLarge(too_large),
        None => Error::Decompress(error),
    })
}

/// Hashes the pieces of a layer and passes them on. The digest follows the last one.
fn hash(pieces: &Receiver<Vec<u8>>, onward: &SyncSender<Vec<u8>>, digest: &Sender<Digest>) {
    let mut hasher = Hasher::sha256();
    for piece in pieces {
        hasher.update(&piece);
        if onward.send(piece).is_err() {
            return;
        }
    }
    // The writer may have ended with an error.
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
        f.write_str("the image takes no more")
    }
}

impl std::error::Error for Closed {}

/// The decompressed layer.
pub(super) struct Plain {
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

    /// The diff ID, once the layer was read to its end.
    fn diff_id(self, expected: Option<DiffId>) -> Result<DiffId, Error> {
        // Without a digest, the thread that hashes has ended with the one that decompresses.
        let digest = self.diff_id.recv();
        let digest = digest.map_err(|_| Error::Read(io::ErrorKind::UnexpectedEof.into()))?;
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
