//! Decompression of gzip files, which may have many members, as pigz and eStargz write them. zlib checks headers,
//! lengths and checksums.
//!
//! flate2's own write-side decoder writes pieces of 32 KiB, which takes an eighth more processor time.
//!
//! Source: RFC 1952.

use std::io::{self, Write};

use flate2::{Decompress, FlushDecompress, Status};

/// The size of the pieces that are written, in bytes.
const BUFFER: usize = 128 << 10;

/// The largest window that deflate has, as a power of two.
const WINDOW_BITS: u8 = 15;

/// A writer that takes gzip members and writes their contents to `W`.
pub(super) struct Gzip<W> {
    output: W,
    member: Decompress,
    buffer: Vec<u8>,
    /// Whether at least one member ended.
    has_content: bool,
}

impl<W: Write> Gzip<W> {
    pub(super) fn new(output: W) -> Self {
        Self {
            output,
            member: Decompress::new_gzip(WINDOW_BITS),
            buffer: Vec::with_capacity(BUFFER),
            has_content: false,
        }
    }

    /// Ends the input and returns the inner writer. Fails unless the input ended with a member.
    pub(super) fn finish(mut self) -> io::Result<W> {
        if !self.has_content || self.member.total_in() > 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the gzip file ends early",
            ));
        }
        self.write_out()?;
        Ok(self.output)
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.output.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl<W: Write> Write for Gzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let before = self.member.total_in();
        loop {
            if self.buffer.len() == self.buffer.capacity() {
                self.write_out()?;
            }
            let taken = usize::try_from(self.member.total_in() - before).unwrap_or(usize::MAX);
            let (rest, filled) = (bytes.get(taken..).unwrap_or_default(), self.buffer.len());
            let status = self
                .member
                .decompress_vec(rest, &mut self.buffer, FlushDecompress::None)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let total = usize::try_from(self.member.total_in() - before).unwrap_or(usize::MAX);
            if status == Status::StreamEnd {
                self.member = Decompress::new_gzip(WINDOW_BITS);
                self.has_content = true;
                return Ok(total);
            }
            // If the buffer is full, the decoder may have more output.
            if total == bytes.len() && self.buffer.len() < self.buffer.capacity() {
                return Ok(total);
            }
            if total == taken && self.buffer.len() == filled {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the gzip stream makes no progress",
                ));
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out()?;
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, GzBuilder};
    use proptest::prelude::*;

    /// The bits of the header's flags. Each announces an optional field.
    const HEADER_SUM: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;

    fn decompress(packed: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let mut gzip = Gzip::new(Vec::new());
        for piece in packed.chunks(piece) {
            gzip.write_all(piece)?;
        }
        gzip.finish()
    }

    fn member(builder: GzBuilder, plain: &[u8]) -> Vec<u8> {
        let mut encoder = builder.write(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    /// Returns a member with the optional fields that `flags` names.
    fn decorated(flags: u8, plain: &[u8]) -> Vec<u8> {
        let mut packed = member(GzBuilder::new(), plain);
        packed[3] = flags;
        let mut fields = Vec::new();
        for (bit, field) in [
            (EXTRA, &[3, 0, 1, 2, 3][..]),
            (NAME, b"name\0"),
            (COMMENT, b"\0"),
        ] {
            if flags & bit != 0 {
                fields.extend_from_slice(field);
            }
        }
        let end = 10 + fields.len();
        packed.splice(10..10, fields);
        if flags & HEADER_SUM != 0 {
            let mut sum = flate2::Crc::new();
            sum.update(&packed[..end]);
            packed.splice(end..end, sum.sum().to_le_bytes()[..2].to_vec());
        }
        packed
    }

    #[test]
    fn headers_may_have_any_of_the_optional_fields() {
        for flags in (0..32).step_by(2) {
            let packed = [decorated(flags, b"one"), decorated(flags, b"two")].concat();
            for piece in [1, 7, 1000] {
                assert_eq!(decompress(&packed, piece).unwrap(), b"onetwo", "{flags}");
            }
        }
        let empty_extra = [
            &[0x1f, 0x8b, 8, EXTRA, 0, 0, 0, 0, 0, 3, 0, 0][..],
            &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        assert_eq!(decompress(&empty_extra, 1).unwrap(), b"");
    }

    #[test]
    fn refuses_input_that_is_cut_off_continued_or_has_a_wrong_length_or_checksum() {
        let whole = member(GzBuilder::new(), &b"layer".repeat(100));
        for end in 0..whole.len() {
            assert!(decompress(&whole[..end], 1000).is_err(), "{end}");
        }
        for tail in [&b"x"[..], b"\0", b"\x1f", b"\x1f\x8b\x08\x00"] {
            assert!(decompress(&[&whole, tail].concat(), 1000).is_err());
        }
        for back in 1..=8 {
            let mut lies = whole.clone();
            let position = lies.len() - back;
            lies[position] ^= 1;
            assert!(decompress(&lies, 1000).is_err(), "{back}");
        }
        let mut reserved = whole.clone();
        reserved[3] = 0x20;
        assert!(decompress(&reserved, 1000).is_err());
        let mut broken = whole;
        broken[10] = 0xff;
        assert!(decompress(&broken, 1000).is_err());
    }

    proptest! {
        #[test]
        fn agrees_with_another_decoder(
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 1..4),
            times in 1usize..200,
            piece in 1usize..5000,
        ) {
            let plain: Vec<Vec<u8>> = contents.iter().map(|content| content.repeat(times)).collect();
            let packed: Vec<u8> = plain
                .iter()
                .flat_map(|plain| member(GzBuilder::new(), plain))
                .collect();
            let mut expected = Vec::new();
            io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&packed[..]), &mut expected)?;
            prop_assert!(decompress(&packed, piece).unwrap() == expected);
        }

        #[test]
        fn any_bytes_are_decompressed_or_refused_without_a_panic(
            start in 0usize..40,
            rest: Vec<u8>,
            piece in 1usize..50,
        ) {
            let whole = member(GzBuilder::new(), &b"layer".repeat(100));
            let packed = [&whole[..start.min(whole.len())], &rest].concat();
            let _ = decompress(&packed, piece);
        }
    }
}
