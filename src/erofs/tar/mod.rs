//! The entries of a layer's archive, as Go's `archive/tar` reads them, since that is what container engines use: ustar,
//! GNU and PAX, with long names, extended attributes, times before 1970 and sparse files of all forms. Records for all
//! members (`g`) are ignored, as engines do.
//!
//! Sources: POSIX.1-2017 `pax`; GNU tar's manual, "Basic Tar Format" and "Storing Sparse Files"; Go,
//! `archive/tar/reader.go`.

mod header;
mod number;
mod records;
mod sparse;

use std::io::{self, BufRead};

use self::header::Header;
use self::records::Records;
pub(crate) use self::sparse::Segment;
use super::error::Error;
use super::format::Time;
use super::name::MAX_PATH;

/// The size of a block of an archive in bytes.
const BLOCK: usize = 512;

/// Longer extended headers are refused, by Go too.
const MAX_EXTENDED: u64 = 1 << 20;

const TRUNCATED: Error = Error::Archive("it ends in the middle of an entry");

/// One entry, without its content.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    /// The target of a link.
    pub(crate) link: Vec<u8>,
    /// The type flag of the header: `0` for a regular file, `5` for a directory.
    pub(crate) kind: u8,
    /// The permissions, with set-user-ID, set-group-ID and sticky bits.
    pub(super) mode: u16,
    pub(super) user: u64,
    pub(super) group: u64,
    pub(super) time: Time,
    pub(super) major: u64,
    pub(super) minor: u64,
    /// Extended attributes, in the order of the archive.
    pub(super) attributes: Vec<(Vec<u8>, Vec<u8>)>,
    /// The size of the file in bytes, with its holes.
    pub(super) size: u64,
    /// The parts of the file that are not holes, in ascending order. The archive has their bytes one after the other.
    pub(crate) segments: Vec<Segment>,
}

/// An archive that is read from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Archive<R> {
    input: R,
    /// The bytes of the current entry that were not read yet.
    content: u64,
    /// The bytes behind the content that fill its last block.
    padding: u64,
    ended: bool,
}

impl<R: BufRead> Archive<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            content: 0,
            padding: 0,
            ended: false,
        }
    }

    /// The next entry. The rest of the current one is skipped.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Error> {
        let (mut name, mut link, mut records) = (Vec::new(), Vec::new(), Records::default());
        let mut is_described = false;
        while let Some(header) = self.header()? {
            is_described = true;
            match header.kind() {
                b'x' => records = Records::parse(&self.extended(&header)?)?,
                b'L' => name = text(&self.extended(&header)?).to_vec(),
                b'K' => link = text(&self.extended(&header)?).to_vec(),
                b'g' => {
                    drop(self.extended(&header)?);
                    (name, link, records) = Default::default();
                    is_described = false;
                }
                _ => return self.entry(&header, name, link, records).map(Some),
            }
        }
        if is_described {
            return Err(TRUNCATED);
        }
        Ok(None)
    }

    /// Passes on `length` bytes of the current entry's content, piece by piece.
    pub(crate) fn content(
        &mut self,
        length: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut left = length;
        while left > 0 {
            let bytes = available(&mut self.input)?;
            let count = usize::try_from(left.min(self.content)).unwrap_or(usize::MAX);
            let piece = bytes.get(..count).unwrap_or(bytes);
            if piece.is_empty() {
                return Err(TRUNCATED);
            }
            take(piece)?;
            let taken = piece.len();
            self.input.consume(taken);
            left -= taken as u64;
            self.content -= taken as u64;
        }
        Ok(())
    }

    /// Reads what follows the end of the archive, and gives the input back.
    pub(crate) fn finish(mut self) -> Result<R, Error> {
        loop {
            let count = available(&mut self.input)?.len();
            if count == 0 {
                return Ok(self.input);
            }
            self.input.consume(count);
        }
    }

    fn entry(
        &mut self,
        header: &Header,
        name: Vec<u8>,
        link: Vec<u8>,
        records: Records,
    ) -> Result<Entry, Error> {
        let mut entry = header.entry()?;
        records.apply(&mut entry)?;
        if !name.is_empty() {
            entry.name = name;
        }
        if !link.is_empty() {
            entry.link = link;
        }
        if entry.kind == 0 {
            entry.kind = if entry.name.ends_with(b"/") {
                b'5'
            } else {
                b'0'
            };
        }
        // Links, directories, devices and FIFOs have no content, whatever the header states.
        if matches!(entry.kind, b'1'..=b'6') {
            entry.size = 0;
        }
        self.begin(entry.size);
        if entry.kind == b'S' {
            entry.segments = self.old_map(header, &mut entry.size)?;
            entry.kind = b'0';
        } else if let Some(form) = records.sparse()? {
            records.apply_sparse(&mut entry)?;
            entry.segments = match form {
                sparse::Form::InRecords => records.sparse_map()?,
                sparse::Form::InContent => self.content_map()?,
            };
        } else {
            entry.segments = vec![Segment {
                offset: 0,
                length: entry.size,
            }];
        }
        sparse::check(&entry.segments, entry.size, self.content)?;
        entry.attributes = records.into_attributes();
        Ok(entry)
    }

    /// The next header; `None` at the end.
    fn header(&mut self) -> Result<Option<Header>, Error> {
        if self.ended {
            return Ok(None);
        }
        self.skip()?;
        let Some(block) = self.block()? else {
            self.ended = true;
            return Ok(None);
        };
        if block.iter().any(|byte| *byte != 0) {
            return Header::parse(&block).map(Some);
        }
        // Two blocks of zeros are the end, and so is the end of the input.
        self.ended = true;
        match self.block()? {
            Some(block) if block.iter().any(|byte| *byte != 0) => {
                Err(Error::Archive("something follows its end"))
            }
            _ => Ok(None),
        }
    }

    /// The content of an extended header.
    fn extended(&mut self, header: &Header) -> Result<Vec<u8>, Error> {
        let size = header.size()?;
        if size > MAX_EXTENDED {
            return Err(Error::Archive("an extended header is too long"));
        }
        self.begin(size);
        let mut bytes = Vec::new();
        self.content(size, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    fn begin(&mut self, size: u64) {
        self.content = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    /// Skips the rest of the current entry. The padding of the last one may be missing.
    fn skip(&mut self) -> Result<(), Error> {
        self.content(self.content, |_| Ok(()))?;
        while self.padding > 0 {
            let bytes = available(&mut self.input)?.len() as u64;
            let count = bytes.min(self.padding);
            if count == 0 {
                self.padding = 0;
            }
            self.padding -= count;
            self.input
                .consume(usize::try_from(count).unwrap_or_default());
        }
        Ok(())
    }

    /// The next block; `None` at the end of the input.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Error> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(TRUNCATED),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Read(error)),
            }
        }
        Ok(Some(block))
    }

    /// The map of a sparse file of GNU's old form, in the header and in the blocks behind it.
    fn old_map(&mut self, header: &Header, size: &mut u64) -> Result<Vec<Segment>, Error> {
        let mut map = sparse::OldMap::of_header(header.as_bytes(), size)?;
        while map.goes_on() {
            map.extend(&self.block()?.ok_or(TRUNCATED)?)?;
        }
        Ok(map.into_segments())
    }

    /// The map of a sparse file of PAX form 1.0, at the start of the content.
    fn content_map(&mut self) -> Result<Vec<Segment>, Error> {
        let mut map = sparse::ContentMap::default();
        while !map.is_complete() {
            self.content(BLOCK as u64, |piece| map.extend(piece))?;
        }
        map.into_segments()
    }
}

/// The bytes that are at hand; none at the end of the input.
fn available(input: &mut impl BufRead) -> Result<&[u8], Error> {
    // The borrow of what is returned begins after the loop.
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::Read(error)),
        }
    }
    input.fill_buf().map_err(Error::Read)
}

/// The bytes before the first zero byte.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A path that is longer than any that Linux takes is cut: it is refused anyway, and need not stay in memory.
fn bounded(path: &[u8]) -> Vec<u8> {
    path.get(..=MAX_PATH).unwrap_or(path).to_vec()
}

#[cfg(test)]
mod tests;
