//! The bytes of an archive: decompressed if necessary, and no more than a multiple of the compressed bytes.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::Error;
use crate::compression::{Limit, TooLarge, UnsupportedCompression, sniff};
use crate::oci::media_type::Compression;

/// The size of the buffer in bytes.
const BUFFER: usize = 256 << 10;
/// The most memory for a block of xz, in KiB. `xz -9` needs a quarter of it.
const XZ_MEMORY: u32 = 256 << 10;

/// Returns the tar archive in `input`, which may be compressed.
pub(super) fn plain<'i>(input: impl Read + 'i) -> Result<Box<dyn Read + 'i>, Error> {
    let consumed = Rc::new(Cell::new(0));
    let mut input = BufReader::with_capacity(
        BUFFER,
        Counted {
            input,
            count: Rc::clone(&consumed),
        },
    );
    let start = input.fill_buf().map_err(Error::Tar)?;
    if start.is_empty() {
        return Err(Error::Empty);
    }
    let decoder: Box<dyn Read + 'i> = match (UnsupportedCompression::sniff(start), sniff(start)) {
        (Some(UnsupportedCompression::Xz), _) => {
            Box::new(XzReader::new_mem_limit(input, true, XZ_MEMORY))
        }
        (Some(UnsupportedCompression::Bzip2), _) => Box::new(MultiBzDecoder::new(input)),
        (None, Compression::None) => return Ok(Box::new(input)),
        (None, Compression::Gzip) => Box::new(MultiGzDecoder::new(input)),
        (None, Compression::Zstd) => {
            let decoder = zstd::stream::read::Decoder::with_buffer(input);
            Box::new(decoder.map_err(Error::Tar)?)
        }
    };
    Ok(Box::new(Bounded {
        decoder,
        consumed,
        produced: 0,
    }))
}

/// Counts the bytes that are read.
struct Counted<R> {
    input: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

/// Fails if a decoder returns far more bytes than it got.
struct Bounded<R> {
    decoder: R,
    consumed: Rc<Cell<u64>>,
    produced: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer)?;
        self.produced += count as u64;
        let limit = Limit::default().for_layer(self.consumed.get());
        if self.produced > limit {
            return Err(io::Error::other(TooLarge { limit }));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_that_expands_far_beyond_its_size_is_refused() {
        let zeros = io::repeat(0).take(2 << 30);
        let bomb = zstd::stream::encode_all(zeros, 1).unwrap();
        let error = io::copy(&mut plain(&bomb[..]).unwrap(), &mut io::sink()).unwrap_err();
        assert_eq!(TooLarge::of(&error), Some(TooLarge { limit: 1 << 30 }));
    }
}
