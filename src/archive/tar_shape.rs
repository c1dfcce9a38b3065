//! Whether a stream has the shape of a tar archive, from its first header to its end. A layer that breaks off in the
//! middle can be exactly what its image names, and some daemons keep such an image after they failed to unpack it.
//!
//! Names and contents are nobody's business here. What is let pass is what Go's `archive/tar` reads, since that
//! is what the daemons use.
//!
//! Source: POSIX.1-2017 `pax`; Go, `archive/tar/reader.go`.

use std::io::{self, Write};

/// Tar's unit.
const BLOCK: usize = 512;
/// Extended headers longer than this are refused, by Go too.
const MAX_EXTENDED: u64 = 1 << 20;

/// Lets bytes pass to `W`, and watches their shape.
#[derive(Debug)]
pub struct TarShape<W> {
    output: W,
    state: State,
    block: Vec<u8>,
    /// The records of an extended header, while it passes.
    extended: Option<Vec<u8>>,
    /// The size that an extended header gives the next member.
    size: Option<u64>,
    /// What was wrong. It is told at the end, when it is known whether these are the right bytes at all.
    malformed: Option<Malformed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header,
    /// A block of zeros has passed: one more ends the archive.
    Zeros,
    /// The map of a sparse file goes on; then come so many bytes.
    Sparse(u64),
    /// So many bytes of a member, and then so many of padding.
    Content(u64, u64),
    /// Whatever comes behind the end.
    Ended,
}

impl<W: Write> TarShape<W> {
    /// Starts at the beginning of an archive.
    pub fn new(output: W) -> Self {
        Self {
            output,
            state: State::Header,
            block: Vec::with_capacity(BLOCK),
            extended: None,
            size: None,
            malformed: None,
        }
    }

    /// Accepts the end, and gives the writer back. The blocks of zeros may be missing, and so may padding.
    pub fn finish(self) -> Result<W, Malformed> {
        match (self.malformed, self.state) {
            (Some(malformed), _) => Err(malformed),
            (None, State::Header | State::Zeros) if self.block.is_empty() => Ok(self.output),
            (None, State::Content(0, _) | State::Ended) => Ok(self.output),
            _ => Err(Malformed("it ends in the middle of a member")),
        }
    }

    /// Takes the next bytes.
    fn watch(&mut self, mut bytes: &[u8]) -> Result<(), Malformed> {
        while !bytes.is_empty() {
            match self.state {
                State::Ended => return Ok(()),
                State::Content(0, 0) => {
                    self.end_of_member()?;
                }
                State::Content(content, padding) => {
                    let left = if content > 0 { content } else { padding };
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let (passing, rest) = bytes.split_at(count);
                    if content > 0
                        && let Some(extended) = &mut self.extended
                    {
                        extended.extend_from_slice(passing);
                    }
                    let passed = passing.len() as u64;
                    self.state = if content > 0 {
                        State::Content(content - passed, padding)
                    } else {
                        State::Content(0, padding - passed)
                    };
                    bytes = rest;
                }
                State::Header | State::Zeros | State::Sparse(_) => {
                    let count = (BLOCK - self.block.len()).min(bytes.len());
                    let (passing, rest) = bytes.split_at(count);
                    self.block.extend_from_slice(passing);
                    bytes = rest;
                    if self.block.len() == BLOCK {
                        let block = std::mem::take(&mut self.block);
                        self.state = self.after_block(&block)?;
                    }
                }
            }
        }
        if self.state == State::Content(0, 0) {
            self.end_of_member()?;
        }
        Ok(())
    }

    fn after_block(&mut self, block: &[u8]) -> Result<State, Malformed> {
        let is_zero = block.iter().all(|byte| *byte == 0);
        match self.state {
            State::Zeros if is_zero => Ok(State::Ended),
            State::Zeros => Err(Malformed("something follows its end")),
            State::Sparse(size) if is_set(block, 504) => Ok(State::Sparse(size)),
            State::Sparse(size) => Ok(content(size)),
            _ if is_zero => Ok(State::Zeros),
            _ => self.member(block),
        }
    }

    /// What follows a header.
    fn member(&mut self, header: &[u8]) -> Result<State, Malformed> {
        if !checksum_fits(header) {
            return Err(Malformed("a member's header is none"));
        }
        let own = header
            .get(124..136)
            .and_then(number)
            .ok_or(Malformed("a member's size is no number"))?;
        let kind = header.get(156).copied().unwrap_or_default();
        match kind {
            // Extended headers, for the next member; others are for all, or hold names alone.
            b'x' if own <= MAX_EXTENDED => {
                self.extended = Some(Vec::new());
                Ok(content(own))
            }
            b'x' | b'g' | b'L' | b'K' if own > MAX_EXTENDED => {
                Err(Malformed("an extended header is too long"))
            }
            b'g' | b'L' | b'K' => Ok(content(own)),
            // Links, devices, directories and pipes have no content, whatever their size says.
            b'1'..=b'6' => {
                self.size = None;
                Ok(State::Header)
            }
            _ => {
                let size = self.size.take().unwrap_or(own);
                let is_sparse = kind == b'S' && header.get(257..265) == Some(b"ustar  \0");
                Ok(if is_sparse && is_set(header, 482) {
                    State::Sparse(size)
                } else {
                    content(size)
                })
            }
        }
    }

    /// After content and padding: an extended header says something about what follows.
    fn end_of_member(&mut self) -> Result<(), Malformed> {
        self.state = State::Header;
        if let Some(records) = self.extended.take() {
            self.size = extended_size(&records)?;
        }
        Ok(())
    }
}

impl<W: Write> Write for TarShape<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        if self.malformed.is_none() {
            self.malformed = self.watch(bytes.get(..written).unwrap_or_default()).err();
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// So many bytes, and what fills their last block.
fn content(size: u64) -> State {
    if size == 0 {
        return State::Header;
    }
    State::Content(size, size.wrapping_neg() % BLOCK as u64)
}

fn is_set(block: &[u8], at: usize) -> bool {
    block.get(at).is_some_and(|byte| *byte != 0)
}

/// The sum of all bytes with the checksum's own as blanks; old programs took them as signed.
pub(crate) fn checksum_fits(header: &[u8]) -> bool {
    let Some(expected) = header.get(148..156).and_then(number) else {
        return false;
    };
    let (mut unsigned, mut signed) = (0i64, 0i64);
    for (at, byte) in header.iter().enumerate() {
        let byte = if (148..156).contains(&at) {
            b' '
        } else {
            *byte
        };
        unsigned += i64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    i64::try_from(expected).is_ok_and(|expected| expected == unsigned || expected == signed)
}

/// Octal digits among blanks and zero bytes, or GNU's binary. No digits at all are 0.
pub(crate) fn number(field: &[u8]) -> Option<u64> {
    if let [first, rest @ ..] = field
        && first & 0x80 != 0
    {
        // Of a negative number all bits are set.
        if *first != 0x80 {
            return None;
        }
        return rest.iter().try_fold(0u64, |value, byte| {
            value.checked_mul(256)?.checked_add(u64::from(*byte))
        });
    }
    let blank = |byte: &u8| matches!(byte, b' ' | 0);
    let Some(start) = field.iter().position(|byte| !blank(byte)) else {
        return Some(0);
    };
    let digits = field.get(start..)?;
    let end = digits.iter().position(blank).unwrap_or(digits.len());
    let digits = str::from_utf8(digits.get(..end)?).ok()?;
    u64::from_str_radix(digits, 8).ok()
}

/// The `size` among the records of an extended header: `<length> <key>=<value>\n`.
fn extended_size(mut records: &[u8]) -> Result<Option<u64>, Malformed> {
    const WRONG: Malformed = Malformed("an extended header is none");
    let mut size = None;
    while !records.is_empty() {
        let blank = records.iter().position(|byte| *byte == b' ').ok_or(WRONG)?;
        let length = records.get(..blank).and_then(decimal).ok_or(WRONG)?;
        let length = usize::try_from(length).map_err(|_| WRONG)?;
        let record = records.get(blank + 1..length).ok_or(WRONG)?;
        let record = record.strip_suffix(b"\n").ok_or(WRONG)?;
        if let Some(value) = record.strip_prefix(b"size=") {
            size = Some(decimal(value).ok_or(WRONG)?);
        }
        records = records.get(length..).ok_or(WRONG)?;
    }
    Ok(size)
}

fn decimal(text: &[u8]) -> Option<u64> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// A stream that is no tar archive, or not all of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no whole tar archive: {0}")]
pub struct Malformed(&'static str);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All of `bytes`, in pieces of `piece`.
    fn watch(bytes: &[u8], piece: usize) -> Result<(), Malformed> {
        let mut shape = TarShape::new(io::sink());
        for piece in bytes.chunks(piece) {
            shape.watch(piece)?;
        }
        shape.finish().map(drop)
    }

    fn header(kind: u8, size: u64) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_path("x").unwrap();
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_size(size);
        header.set_cksum();
        header.as_bytes().to_vec()
    }

    fn zeros(blocks: usize) -> Vec<u8> {
        vec![0; blocks * BLOCK]
    }

    #[test]
    fn real_archives_have_the_shape() {
        let mut builder = tar::Builder::new(Vec::new());
        let long = "long/".repeat(60) + "name";
        for (path, size) in [("a", 0), ("b", 1), ("c", 512), (long.as_str(), 5000)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(size);
            let content = vec![7; usize::try_from(size).unwrap()];
            builder
                .append_data(&mut header, path, &content[..])
                .unwrap();
        }
        builder
            .append_pax_extensions([("path", "é".as_bytes())])
            .unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_size(3);
        builder.append_data(&mut header, "d", &b"abc"[..]).unwrap();
        let archive = builder.into_inner().unwrap();
        for piece in [1, 7, 512, 1000, archive.len()] {
            assert_eq!(watch(&archive, piece), Ok(()), "{piece}");
        }
        // The end is at the last header's content; all before is too short.
        let end = archive.len() - 2 * BLOCK;
        assert_eq!(watch(&archive[..end], 100), Ok(()));
        assert_eq!(watch(&archive[..end - BLOCK + 3], 100), Ok(()));
        assert!(watch(&archive[..end - BLOCK + 2], 100).is_err());
        assert!(watch(&archive[..100], 100).is_err());
    }

    #[test]
    fn nothing_and_zeros_are_archives_and_junk_is_none() {
        for good in [
            vec![],
            zeros(1),
            zeros(2),
            [zeros(2), b"behind the end".to_vec()].concat(),
            [header(b'5', 4096), header(b'0', 0)].concat(),
        ] {
            assert_eq!(watch(&good, 512), Ok(()));
        }
        for bad in [
            b"junk".repeat(1000),
            [zeros(1), header(b'0', 0)].concat(),
            header(b'0', 1),
            header(b'x', MAX_EXTENDED + 1),
            [header(b'x', 4), b"what".to_vec(), vec![0; 508]].concat(),
        ] {
            assert!(watch(&bad, 512).is_err(), "{:?}", &bad[..8]);
        }
    }

    #[test]
    fn an_extended_header_gives_the_size_of_the_next_member() {
        let extended = [
            header(b'x', 14),
            b"14 size=000513".to_vec(),
            vec![0; BLOCK - 14],
        ]
        .concat();
        assert!(watch(&extended, 512).is_err(), "a record without an end");
        let extended = [
            header(b'x', 12),
            b"12 size=513\n".to_vec(),
            vec![0; BLOCK - 12],
            header(b'0', 0),
        ]
        .concat();
        assert!(watch(&[&extended[..], &[7; 512]].concat(), 512).is_err());
        assert_eq!(watch(&[&extended[..], &[7; 1024]].concat(), 512), Ok(()));
    }

    #[test]
    fn the_map_of_a_sparse_file_may_go_on_for_blocks() {
        let mut sparse = header(b'S', 512);
        sparse[482] = 1;
        let sum: u64 = (0..BLOCK)
            .map(|at| {
                u64::from(if (148..156).contains(&at) {
                    b' '
                } else {
                    sparse[at]
                })
            })
            .sum();
        sparse[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut more = zeros(1);
        more[504] = 1;
        let whole = [sparse, more, zeros(1), vec![7; 512]].concat();
        assert_eq!(watch(&whole, 512), Ok(()));
        assert!(watch(&whole[..whole.len() - 512], 512).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_pass_or_are_refused_without_a_panic(bytes: Vec<u8>, kind: u8, size: u64) {
            let _ = watch(&bytes, 100);
            let _ = watch(&[header(kind, size), bytes].concat(), 100);
        }
    }
}
