//! A writer that verifies the bytes that it passes on. They are hashed in a thread of their own, because hashing takes
//! about half as long as the decompression of a layer.

use std::io::{self, Write};
use std::mem;
use std::panic;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::{Error, Mismatch};
use crate::oci::digest::{Digest, Hasher};

/// What the thread gets at once, in bytes. Content that is shorter is hashed without a thread.
const PIECE: usize = 256 << 10;
/// How many pieces may wait for the thread.
const PIECES: usize = 4;

/// A writer that verifies the bytes that it passes on, for example the output of a decoder.
pub struct VerifyingWriter<W> {
    output: W,
    expected: Digest,
    written: u64,
    piece: Vec<u8>,
    hashing: Hashing,
}

/// Where the bytes are hashed.
enum Hashing {
    Here(Hasher),
    InThread(HashThread),
}

struct HashThread {
    pieces: SyncSender<Vec<u8>>,
    emptied: Receiver<Vec<u8>>,
    thread: JoinHandle<Digest>,
}

impl<W: Write> VerifyingWriter<W> {
    /// Expects that the bytes written to `output` have this digest.
    pub fn new(expected: Digest, output: W) -> Self {
        Self {
            output,
            expected,
            written: 0,
            piece: Vec::new(),
            hashing: Hashing::Here(expected.hasher()),
        }
    }

    /// Verifies the digest at the end. Returns the inner writer and the number of bytes written.
    pub fn finish(mut self) -> Result<(W, u64), Error> {
        self.hash();
        let actual = match self.hashing {
            Hashing::Here(hasher) => hasher.finish(),
            Hashing::InThread(HashThread { pieces, thread, .. }) => {
                drop(pieces);
                let digest = thread.join();
                digest.unwrap_or_else(|panic| panic::resume_unwind(panic))
            }
        };
        if actual == self.expected {
            return Ok((self.output, self.written));
        }
        Err(Error::Digest(Box::new(Mismatch {
            expected: self.expected,
            actual,
        })))
    }

    /// Hashes what was collected.
    fn hash(&mut self) {
        match &mut self.hashing {
            Hashing::Here(hasher) => {
                hasher.update(&self.piece);
                self.piece.clear();
            }
            Hashing::InThread(thread) => {
                let next = thread.emptied.try_recv().unwrap_or_default();
                let piece = mem::replace(&mut self.piece, next);
                self.piece.clear();
                // If the thread has ended, `finish` tells why.
                let _ = thread.pieces.send(piece);
            }
        }
    }
}

impl<W: Write> Write for VerifyingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        let taken = bytes.get(..written).unwrap_or(bytes);
        let is_first = self.written < PIECE as u64;
        self.written += taken.len() as u64;
        self.piece.extend_from_slice(taken);
        if self.piece.len() >= PIECE {
            if is_first && let Some(thread) = HashThread::start(self.expected.hasher()) {
                self.hashing = Hashing::InThread(thread);
            }
            self.hash();
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl HashThread {
    /// Starts a thread. Returns `None` if the operating system permits none.
    fn start(mut hasher: Hasher) -> Option<Self> {
        let (pieces, waiting) = sync_channel::<Vec<u8>>(PIECES);
        let (empty, emptied) = channel();
        let thread = Builder::new().spawn(move || {
            for piece in waiting {
                hasher.update(&piece);
                // At the end, nobody needs the memory.
                let _ = empty.send(piece);
            }
            hasher.finish()
        });
        Some(Self {
            pieces,
            emptied,
            thread: thread.ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_of_any_length_is_passed_on_and_verified() {
        let content: Vec<u8> = (0..=250).cycle().take(3 * PIECE + 1).collect();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, content.len()] {
            for step in [1000, PIECE, 2 * PIECE + 7] {
                let bytes = &content[..length];
                let written = |expected: Digest| {
                    let mut writer = VerifyingWriter::new(expected, Vec::new());
                    for chunk in bytes.chunks(step) {
                        writer.write_all(chunk).unwrap();
                    }
                    writer.finish()
                };
                let (output, size) = written(Digest::of(bytes)).unwrap();
                assert!(output == bytes && size == length as u64, "{length} {step}");
                let other = Digest::of(b"other");
                assert_eq!(
                    written(other).unwrap_err(),
                    Error::Digest(Box::new(Mismatch {
                        expected: other,
                        actual: Digest::of(bytes),
                    }))
                );
            }
        }
    }
}
