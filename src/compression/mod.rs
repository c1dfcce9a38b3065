//! Decompression of layers, and the detection of their compression. Compressed bytes are written into a decoder, which
//! writes plain bytes to another writer: data from the network needs no more memory than the decoder's window. A layer
//! may expand up to a [`Limit`].

mod announced;
#[cfg(test)]
pub(crate) mod fixture;
mod gzip;
mod limit;
mod sniffed;
mod unsupported;

use std::io::{self, Read as _, Write};
use std::path::Path;

pub use self::announced::announced_size;
pub use self::limit::{Limit, LimitedWriter, ParseError, TooLarge};
pub use self::sniffed::Sniffed;
pub use self::unsupported::UnsupportedCompression;

use self::gzip::Gzip;
use zstd::stream::{raw, zio};

use crate::input;
use crate::oci::media_type::Compression;

/// A writer that takes compressed bytes and writes the plain bytes to `W`.
pub struct Decompressor<W: Write> {
    decoder: Decoder<W>,
}

enum Decoder<W: Write> {
    None(W),
    Gzip(Box<Gzip<W>>),
    Zstd(Box<zio::Writer<W, raw::Decoder<'static>>>),
}

impl<W: Write> Decompressor<W> {
    /// Creates the decoder for `compression`.
    pub fn new(compression: Compression, output: W) -> io::Result<Self> {
        Ok(Self {
            decoder: match compression {
                Compression::None => Decoder::None(output),
                Compression::Gzip => Decoder::Gzip(Box::new(Gzip::new(output))),
                Compression::Zstd => {
                    Decoder::Zstd(Box::new(zio::Writer::new(output, raw::Decoder::new()?)))
                }
            },
        })
    }

    /// Ends the compressed input and returns the inner writer. Fails if the input was cut off.
    pub fn finish(self) -> io::Result<W> {
        match self.decoder {
            Decoder::None(output) => Ok(output),
            Decoder::Gzip(decoder) => decoder.finish(),
            Decoder::Zstd(mut decoder) => {
                // zstd's `write::Decoder` accepts a frame that is cut off. `zio::Writer::finish` does not.
                decoder.finish()?;
                Ok(decoder.into_inner().0)
            }
        }
    }
}

impl<W: Write> Write for Decompressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.decoder {
            Decoder::None(output) => output.write(bytes),
            Decoder::Gzip(decoder) => decoder.write(bytes),
            Decoder::Zstd(decoder) => decoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.decoder {
            Decoder::None(output) => output.flush(),
            Decoder::Gzip(decoder) => decoder.flush(),
            Decoder::Zstd(decoder) => decoder.flush(),
        }
    }
}

/// The number of first bytes that determine the compression.
const SNIFFED: usize = unsupported::LENGTH;

/// Detects the compression of a file from its first bytes.
pub fn sniff_file(path: &Path) -> io::Result<Compression> {
    let mut start = Vec::new();
    input::open(path)?
        .take(SNIFFED as u64)
        .read_to_end(&mut start)?;
    Ok(sniff(&start))
}

/// Detects the compression from the first bytes. Four are enough. A compression that hocker does not
/// decompress counts as none: see [`UnsupportedCompression`].
#[must_use]
pub fn sniff(start: &[u8]) -> Compression {
    match start {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        // A skippable frame may come first (RFC 8878, section 3.1.2).
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        _ => Compression::None,
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::gzip;
    use super::*;

    fn decompress(compression: Compression, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut decompressor = Decompressor::new(compression, Vec::new())?;
        // One byte at a time: the network may split the input anywhere.
        for byte in bytes {
            decompressor.write_all(std::slice::from_ref(byte))?;
        }
        decompressor.finish()
    }

    #[test]
    fn decompresses_each_compression_and_detects_it_from_the_first_bytes() {
        let plain = b"layer".repeat(1000);
        let members = [gzip(&plain[..10]), gzip(&plain[10..])].concat();
        let zstd = zstd::stream::encode_all(&plain[..], 1).unwrap();
        for (compression, bytes) in [
            (Compression::None, plain.clone()),
            (Compression::Gzip, gzip(&plain)),
            (Compression::Gzip, members),
            (Compression::Zstd, zstd),
        ] {
            assert_eq!(sniff(&bytes), compression);
            assert_eq!(decompress(compression, &bytes).unwrap(), plain);
        }
    }

    #[test]
    fn refuses_input_that_is_not_compressed() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            assert!(decompress(compression, b"plain bytes, no magic").is_err());
        }
    }
}
