//! Decompression of bytes that say themselves how they are compressed. What a media type says of a layer is not
//! always so, and Docker does not look at it.

use std::io::{self, Write};

use super::{Decompressor, SNIFFED, sniff};

/// Takes bytes that may be compressed and writes the plain ones to `W`.
pub struct Sniffed<W: Write> {
    /// The first bytes, until there are enough to tell.
    start: Vec<u8>,
    state: State<W>,
}

enum State<W: Write> {
    Waiting(W),
    Decided(Decompressor<W>),
    /// The decoder could not be made.
    Failed,
}

impl<W: Write> Sniffed<W> {
    /// Starts to undo whatever the first bytes will tell.
    pub fn new(output: W) -> Self {
        Self {
            start: Vec::with_capacity(SNIFFED),
            state: State::Waiting(output),
        }
    }

    /// Accepts the end of the compressed bytes and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.decide()?;
        match self.state {
            State::Decided(decompressor) => decompressor.finish(),
            State::Waiting(_) | State::Failed => Err(failed()),
        }
    }

    /// Chooses the decoder by what has come, if that was not done yet.
    fn decide(&mut self) -> io::Result<()> {
        self.state = match std::mem::replace(&mut self.state, State::Failed) {
            State::Waiting(output) => {
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
    io::Error::other("the decoder failed before")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::gzip;
    use super::*;

    fn decompress(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut sniffed = Sniffed::new(Vec::new());
        // One byte at a time: the network cuts where it likes.
        for byte in bytes {
            sniffed.write_all(std::slice::from_ref(byte))?;
        }
        sniffed.finish()
    }

    #[test]
    fn the_first_bytes_tell_how_the_rest_is_compressed() {
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
    fn what_is_too_short_to_tell_is_plain() {
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
