//! Sparse files: which parts of a file the archive has. All else is holes.
//!
//! Source: GNU tar's manual, "Storing Sparse Files"; Go, `archive/tar/reader.go`, `readGNUSparseMap1x0`.

use super::BLOCK;
use super::header::{Header, field};
use super::number::{decimal, number};
use crate::erofs::error::Error;

/// More segments are refused, so that a map never takes much memory.
const MAX_SEGMENTS: usize = 1 << 18;
/// A line of a map has no more bytes than this.
const MAX_LINE: usize = 20;

/// In the header of the old form: four pairs of numbers, a flag for more of them, and the size with holes.
const OLD_PAIRS: (usize, usize) = (386, 4 * PAIR);
const OLD_GOES_ON: usize = 482;
const OLD_SIZE: (usize, usize) = (483, 12);
/// In each block behind it: 21 pairs, and a flag.
const MORE_PAIRS: (usize, usize) = (0, 21 * PAIR);
const MORE_GOES_ON: usize = 504;
/// The size of a pair in bytes: an offset and a length.
const PAIR: usize = 24;

const WRONG: Error = Error::Archive("the map of a sparse file is malformed");

/// Where the map of a sparse file in PAX form is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// In the records of the extended header (0.0 and 0.1).
    InRecords,
    /// At the start of the content (1.0).
    InContent,
}

/// A part of a file that is in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Where it is in the file, in bytes.
    pub(in crate::erofs) offset: u64,
    /// Its length in bytes.
    pub(crate) length: u64,
}

/// Pairs of an offset and a length.
pub(super) fn segments(numbers: &[u64]) -> Result<Vec<Segment>, Error> {
    let (pairs, rest) = numbers.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > MAX_SEGMENTS {
        return Err(WRONG);
    }
    let segment = |[offset, length]: &[u64; 2]| Segment {
        offset: *offset,
        length: *length,
    };
    Ok(pairs.iter().map(segment).collect())
}

/// Checks that the segments are in order, within the file, and all that the archive has.
pub(super) fn check(segments: &[Segment], size: u64, stored: u64) -> Result<(), Error> {
    let (mut end, mut sum) = (0, 0u64);
    for segment in segments {
        if segment.offset < end {
            return Err(WRONG);
        }
        end = segment.offset.checked_add(segment.length).ok_or(WRONG)?;
        sum = sum.checked_add(segment.length).ok_or(WRONG)?;
    }
    if end > size || sum != stored {
        return Err(WRONG);
    }
    Ok(())
}

/// The map of GNU's old form, while it is read.
#[derive(Debug)]
pub(super) struct OldMap {
    segments: Vec<Segment>,
    goes_on: bool,
}

impl OldMap {
    /// Starts with what the header has. It replaces the size in the archive by the size with holes.
    pub(super) fn of_header(block: &[u8; BLOCK], size: &mut u64) -> Result<Self, Error> {
        if !Header::is_gnu(block) {
            return Err(WRONG);
        }
        *size = number(field(block, OLD_SIZE)).ok_or(WRONG)?;
        let mut map = Self {
            segments: Vec::new(),
            goes_on: false,
        };
        map.take(block, OLD_PAIRS, OLD_GOES_ON)?;
        Ok(map)
    }

    /// Takes a further block.
    pub(super) fn extend(&mut self, block: &[u8; BLOCK]) -> Result<(), Error> {
        self.take(block, MORE_PAIRS, MORE_GOES_ON)
    }

    fn take(
        &mut self,
        block: &[u8; BLOCK],
        pairs: (usize, usize),
        flag: usize,
    ) -> Result<(), Error> {
        self.goes_on = block.get(flag).is_some_and(|flag| *flag != 0);
        let (pairs, _) = field(block, pairs).as_chunks::<PAIR>();
        for pair in pairs {
            let (offset, length) = pair.split_at(PAIR / 2);
            // An empty pair ends the block.
            if offset.first().is_none_or(|byte| *byte == 0) {
                break;
            }
            if self.segments.len() == MAX_SEGMENTS {
                return Err(WRONG);
            }
            self.segments.push(Segment {
                offset: number(offset).ok_or(WRONG)?,
                length: number(length).ok_or(WRONG)?,
            });
        }
        Ok(())
    }

    /// Whether a further block follows.
    pub(super) fn goes_on(&self) -> bool {
        self.goes_on
    }

    pub(super) fn into_segments(self) -> Vec<Segment> {
        self.segments
    }
}

/// The map at the start of a content, while it is read: decimal lines, the number of pairs first.
#[derive(Debug, Default)]
pub(super) struct ContentMap {
    numbers: Vec<u64>,
    line: Vec<u8>,
}

impl ContentMap {
    /// Takes a further piece. What follows the map in its last block is ignored.
    pub(super) fn extend(&mut self, piece: &[u8]) -> Result<(), Error> {
        for byte in piece {
            if self.is_complete() {
                break;
            }
            if *byte != b'\n' {
                self.line.push(*byte);
                if self.line.len() > MAX_LINE {
                    return Err(WRONG);
                }
                continue;
            }
            let number = decimal(&self.line).ok_or(WRONG)?;
            if self.numbers.is_empty() && number > MAX_SEGMENTS as u64 {
                return Err(WRONG);
            }
            self.numbers.push(number);
            self.line.clear();
        }
        Ok(())
    }

    pub(super) fn is_complete(&self) -> bool {
        let count = self.numbers.first().map(|count| 1 + 2 * count);
        count == Some(self.numbers.len() as u64)
    }

    pub(super) fn into_segments(self) -> Result<Vec<Segment>, Error> {
        segments(self.numbers.get(1..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(offset: u64, length: u64) -> Segment {
        Segment { offset, length }
    }

    #[test]
    fn segments_are_in_order_and_within_the_file() {
        for (segments, size, stored) in [
            (&[][..], 5, 0),
            (&[segment(0, 5)], 5, 5),
            (&[segment(1, 2), segment(3, 1), segment(5, 0)], 5, 3),
        ] {
            assert!(check(segments, size, stored).is_ok(), "{segments:?}");
        }
        for (segments, size, stored) in [
            (&[][..], 5, 5),
            (&[segment(0, 5)], 4, 5),
            (&[segment(0, 5)], 5, 4),
            (&[segment(2, 2), segment(1, 1)], 5, 3),
            (&[segment(0, 2), segment(1, 2)], 5, 4),
            (&[segment(u64::MAX, 2)], 5, 2),
        ] {
            assert!(check(segments, size, stored).is_err(), "{segments:?}");
        }
    }

    #[test]
    fn a_map_in_the_content_ends_with_its_last_number() {
        let mut map = ContentMap::default();
        for piece in [&b"2\n0"[..], b"\n10\n2", b"0\n5\n\0\0 junk"] {
            assert!(!map.is_complete());
            map.extend(piece).unwrap();
        }
        assert!(map.is_complete());
        assert_eq!(
            map.into_segments().unwrap(),
            [segment(0, 10), segment(20, 5)]
        );
        for wrong in [&b"x\n"[..], b"\n", b"-1\n", b"262145\n", &[b'0'; 21]] {
            assert!(ContentMap::default().extend(wrong).is_err(), "{wrong:?}");
        }
    }
}
