//! gzip members, one after another, as pigz and eStargz write many of them.
//!
//! Their checksums are not computed: what comes out of a layer is held against a SHA-256, and the CRC would take a
//! tenth of all the time. Lengths are held.
//!
//! Source: RFC 1952.

use std::io::{self, Write};

use flate2::{Decompress, FlushDecompress, Status};

/// What is written at a time, in bytes.
const BUFFER: usize = 128 << 10;

/// Bits of the header's flags: which optional fields follow.
const HEADER_SUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0xe0;

/// Takes gzip members and writes what is in them to `W`.
pub(super) struct Gzip<W> {
    output: W,
    inflate: Decompress,
    buffer: Vec<u8>,
    /// So much of the buffer is not written yet.
    filled: usize,
    step: Step,
    flags: u8,
    /// The length that the trailer of the last member says, as far as it was read.
    length: u32,
    members: u64,
}

/// What the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A byte of the ten that every header has.
    Fixed(u8),
    ExtraLow,
    ExtraHigh(u8),
    Extra(u16),
    Name,
    Comment,
    /// A byte of the header's checksum, of which so many are left.
    HeaderSum(u8),
    Body,
    /// A byte of the checksum and of the length.
    Trailer(u8),
}

impl<W: Write> Gzip<W> {
    pub(super) fn new(output: W) -> Self {
        Self {
            output,
            inflate: Decompress::new(false),
            buffer: vec![0; BUFFER],
            filled: 0,
            step: Step::Fixed(0),
            flags: 0,
            length: 0,
            members: 0,
        }
    }

    /// Accepts the end, which must be that of a member, and gives the writer back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        if self.members == 0 || self.step != Step::Fixed(0) {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the gzip stream ends early",
            ));
        }
        self.write_out()?;
        Ok(self.output)
    }

    fn write_out(&mut self) -> io::Result<()> {
        let filled = std::mem::take(&mut self.filled);
        self.output
            .write_all(self.buffer.get(..filled).unwrap_or_default())
    }

    /// Takes one byte of a header or trailer.
    fn take(&mut self, byte: u8) -> io::Result<()> {
        self.step = match self.step {
            Step::Fixed(position) => {
                let is_right = match position {
                    0 => byte == 0x1f,
                    1 => byte == 0x8b,
                    // Deflate is the only method.
                    2 => byte == 8,
                    3 => byte & RESERVED == 0,
                    _ => true,
                };
                if !is_right {
                    return Err(invalid("this is not a gzip header"));
                }
                match position {
                    3 => self.flags = byte,
                    4.. => {}
                    _ => self.flags = 0,
                }
                if position == 9 {
                    self.field(EXTRA)
                } else {
                    Step::Fixed(position + 1)
                }
            }
            Step::ExtraLow => Step::ExtraHigh(byte),
            Step::ExtraHigh(low) => match u16::from_le_bytes([low, byte]) {
                0 => self.field(NAME),
                length => Step::Extra(length),
            },
            Step::Extra(1) => self.field(NAME),
            Step::Extra(left) => Step::Extra(left - 1),
            Step::Name if byte == 0 => self.field(COMMENT),
            Step::Comment if byte == 0 => self.field(HEADER_SUM),
            Step::HeaderSum(1) => Step::Body,
            Step::HeaderSum(left) => Step::HeaderSum(left - 1),
            Step::Trailer(position) => {
                if position >= 4 {
                    self.length = self.length >> 8 | u32::from(byte) << 24;
                }
                if position < 7 {
                    Step::Trailer(position + 1)
                } else {
                    self.end_member()?
                }
            }
            step @ (Step::Name | Step::Comment | Step::Body) => step,
        };
        Ok(())
    }

    /// The step of the first of the optional fields from `first` on that the header has.
    fn field(&self, first: u8) -> Step {
        let order = [
            (EXTRA, Step::ExtraLow),
            (NAME, Step::Name),
            (COMMENT, Step::Comment),
            (HEADER_SUM, Step::HeaderSum(2)),
        ];
        order
            .into_iter()
            .skip_while(|(bit, _)| *bit != first)
            .find(|(bit, _)| self.flags & bit != 0)
            .map_or(Step::Body, |(_, step)| step)
    }

    fn end_member(&mut self) -> io::Result<Step> {
        // The length is modulo 2³².
        if self.inflate.total_out() & u64::from(u32::MAX) != u64::from(self.length) {
            return Err(invalid("a gzip member is not as long as it says"));
        }
        self.inflate.reset(false);
        self.members += 1;
        Ok(Step::Fixed(0))
    }

    /// Takes bytes of a body, and says how many.
    fn inflate(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        loop {
            if self.filled == BUFFER {
                self.write_out()?;
            }
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(
                    bytes.get(taken..).unwrap_or_default(),
                    self.buffer.get_mut(self.filled..).unwrap_or_default(),
                    FlushDecompress::None,
                )
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let (read, written) = (
                moved(before_in, self.inflate.total_in()),
                moved(before_out, self.inflate.total_out()),
            );
            taken += read;
            self.filled += written;
            if status == Status::StreamEnd {
                self.step = Step::Trailer(0);
                self.length = 0;
                return Ok(taken);
            }
            if self.filled < BUFFER && taken == bytes.len() {
                return Ok(taken);
            }
            if read == 0 && written == 0 {
                return Err(invalid("the gzip stream makes no sense"));
            }
        }
    }
}

/// By how much a counter went up in one call, which is no more than a buffer.
fn moved(before: u64, after: u64) -> usize {
    usize::try_from(after - before).unwrap_or(usize::MAX)
}

impl<W: Write> Write for Gzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match (self.step, bytes.first()) {
            (_, None) => Ok(0),
            (Step::Body, _) => self.inflate(bytes),
            (_, Some(byte)) => self.take(*byte).map(|()| 1),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out()?;
        self.output.flush()
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, GzBuilder};
    use proptest::prelude::*;

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

    /// A member with each optional field that `flags` says.
    fn decorated(flags: u8, plain: &[u8]) -> Vec<u8> {
        let mut packed = member(GzBuilder::new(), plain);
        packed[3] = flags;
        let mut fields = Vec::new();
        for (bit, field) in [
            (EXTRA, &[3, 0, 1, 2, 3][..]),
            (NAME, b"name\0"),
            (COMMENT, b"\0"),
            (HEADER_SUM, &[7, 7]),
        ] {
            if flags & bit != 0 {
                fields.extend_from_slice(field);
            }
        }
        packed.splice(10..10, fields);
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
    fn refuses_what_ends_early_goes_on_or_lies_about_its_length() {
        let whole = member(GzBuilder::new(), &b"layer".repeat(100));
        for end in 0..whole.len() {
            assert!(decompress(&whole[..end], 1000).is_err(), "{end}");
        }
        for tail in [&b"x"[..], b"\0", b"\x1f", b"\x1f\x8b\x08\x00"] {
            assert!(decompress(&[&whole, tail].concat(), 1000).is_err());
        }
        let mut lies = whole.clone();
        *lies.last_mut().unwrap() ^= 1;
        assert!(decompress(&lies, 1000).is_err());
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
