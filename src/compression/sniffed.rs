//! Decompression with detection: the first bytes determine the compression, not the media type. Media types of layers
//! are sometimes wrong, and Docker ignores them.

use std::io::{self, Write};

use super::{Decompressor, SNIFFED, UnsupportedCompression, sniff};

/// A writer that takes bytes, compressed or not, and writes the plain bytes to `W`.
pub struct Sniffed<W: Write> {
    /// The first bytes, until there are enough for the detection.
    start: Vec<u8>,
    state: State<W>,
}

enum State<W: Write> {
    Waiting(W),
    Decided(Decompressor<W>),
    /// The decoder could not be created.
    Failed,
}

impl<W: Write> Sniffed<W> {
    /// Creates a writer that has seen no bytes yet.
    pub fn new(output: W) -> Self {
        Self {
            start: Vec::with_capacity(SNIFFED),
            state: State::Waiting(output),
        }
    }

    /// Ends the input and returns the inner writer. Fails if the input was cut off.
    pub fn finish(mut self) -> io::Result<W> {
        self.decide()?;
        match self.state {
            State::Decided(decompressor) => decompressor.finish(),
            State::Waiting(_) | State::Failed => Err(failed()),
        }
    }

    /// Chooses the decoder from the bytes so far, unless it is chosen already.
    fn decide(&mut self) -> io::Result<()> {
        self.state = match std::mem::replace(&mut self.state, State::Failed) {
            State::Waiting(output) => {
                if let Some(unsupported) = UnsupportedCompression::sniff(&self.start) {
                    return Err(unsupported.into());
                }
                let mut decompressor = Decompressor::new(sniff(&self.start), output)?;
                decompressor.write_all(&self.start)?;
                State::Decided(decompressor)
            }
            decided => decided,
        };
        Ok(())
    }
}

impl<W: Write> Write for Sniffed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Decided(decompressor) => decompressor.write(bytes),
            State::Failed => Err(failed()),
            State::Waiting(_) => {
                let missing = SNIFFED.saturating_sub(self.start.len()).min(bytes.len());
                self.start
                    .extend_from_slice(bytes.get(..missing).unwrap_or_default());
                if self.start.len() == SNIFFED {
                    self.decide()?;
                }
                Ok(missing)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Decided(decompressor) => decompressor.flush(),
            State::Waiting(output) => output.flush(),
            State::Failed => Err(failed()),
        }
    }
}

fn failed() -> io::Error {
    io::Error::other("the decoder failed earlier")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::gzip;
    use super::*;

    fn decompress(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut sniffed = Sniffed::new(Vec::new());
        // One byte at a time: the network may split the input anywhere.
        for byte in bytes {
            sniffed.write_all(std::slice::from_ref(byte))?;
        }
        sniffed.finish()
    }

    #[test]
    fn the_first_bytes_determine_the_compression() {
        let plain = b"layer".repeat(1000);
        let zstd = zstd::stream::encode_all(&plain[..], 1).unwrap();
        let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc", &zstd].concat();
        let frames = [&zstd[..], &skippable, &zstd].concat();
        for (packed, times) in [
            (gzip(&plain), 1),
            (zstd, 1),
            (skippable, 1),
            (frames, 3),
            (plain.clone(), 1),
        ] {
            assert!(decompress(&packed).unwrap() == plain.repeat(times));
        }
    }

    #[test]
    fn input_without_a_known_beginning_is_plain() {
        for plain in [&b""[..], b"a", b"\x1f", b"abc", b"abcd"] {
            assert_eq!(decompress(plain).unwrap(), plain);
        }
    }

    #[test]
    fn a_stream_that_ends_early_is_refused() {
        let plain = b"layer".repeat(1000);
        let zstd = zstd::stream::encode_all(&plain[..], 1).unwrap();
        for packed in [gzip(&plain), zstd] {
            for end in [packed.len() - 1, packed.len() / 2, 5] {
                assert!(decompress(&packed[..end]).is_err(), "{end}");
            }
        }
    }
}
