//! The members of a tar archive that may be wrong, read once from beginning to end. Names have a limit, so hostile
//! archives take little memory.
//!
//! Sources: POSIX.1-2017 `pax`; GNU tar's manual, "Basic Tar Format" (long names, binary sizes).

use std::io::{self, Read};

use tar::{EntryType, Header, PaxExtensions};

use super::Error;

const BLOCK: usize = 512;
/// The largest name, link or extended header in bytes.
const MAX_EXTENSION: u64 = 1 << 20;
/// The largest number of members.
const MAX_MEMBERS: usize = 200_000;

/// A reader of the members of an archive.
pub(super) struct Members<R> {
    input: R,
    /// The bytes that are left of the current member's content.
    left: u64,
    /// The zero bytes after the content.
    padding: u64,
    count: usize,
}

/// The header of a member.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) size: u64,
}

/// The kinds of members.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    /// A symbolic link, whose target is relative to the directory of the member.
    Symlink(String),
    /// A hard link to another member.
    HardLink(String),
    /// A directory or a device, which has no content.
    Other,
}

/// What the special members before a member say about it.
#[derive(Default)]
struct Extension {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

impl<R: Read> Members<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            left: 0,
            padding: 0,
            count: 0,
        }
    }

    /// Returns the next member, or `None` at the end. Skips the rest of the current one.
    pub(super) fn next_member(&mut self) -> Result<Option<Member>, Error> {
        let mut extension = Extension::default();
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            self.count += 1;
            if self.count > MAX_MEMBERS {
                return Err(Error::TooManyMembers { limit: MAX_MEMBERS });
            }
            let size = header.entry_size().map_err(Error::Tar)?;
            match header.entry_type() {
                EntryType::GNULongName => extension.name = Some(self.text(size)?),
                EntryType::GNULongLink => extension.link = Some(self.text(size)?),
                EntryType::XHeader => {
                    let records = self.extension(size)?;
                    extension.read(&records)?;
                }
                EntryType::XGlobalHeader => {
                    self.extension(size)?;
                }
                EntryType::GNUSparse => return Err(Error::Sparse),
                kind => {
                    let size = extension.size.unwrap_or(size);
                    return Ok(Some(self.member(&header, kind, size, extension)));
                }
            }
        }
    }

    /// Returns a reader of the current member's content. The archive may end before the content does: compare the
    /// number of bytes with the size.
    pub(super) fn content(&mut self) -> impl Read + '_ {
        Content { members: self }
    }

    /// Reads the input to its end, so that a program that writes it to a pipe does not fail.
    pub(super) fn drain(&mut self) -> Result<(), Error> {
        io::copy(&mut self.input, &mut io::sink())
            .map(drop)
            .map_err(Error::Tar)
    }

    fn member(
        &mut self,
        header: &Header,
        kind: EntryType,
        size: u64,
        extension: Extension,
    ) -> Member {
        let name = extension
            .name
            .unwrap_or_else(|| header.path_bytes().into_owned());
        let name = text(&name);
        let link = || {
            let link = header.link_name_bytes().unwrap_or_default();
            text(&extension.link.unwrap_or_else(|| link.into_owned()))
        };
        let (kind, size) = match kind {
            EntryType::Regular | EntryType::Continuous if name.ends_with('/') => {
                (Kind::Other, size)
            }
            EntryType::Regular | EntryType::Continuous => (Kind::File, size),
            EntryType::Symlink => (Kind::Symlink(link()), 0),
            EntryType::Link => (Kind::HardLink(link()), 0),
            EntryType::Directory | EntryType::Char | EntryType::Block | EntryType::Fifo => {
                (Kind::Other, 0)
            }
            _ => (Kind::Other, size),
        };
        self.begin(size);
        Member { name, kind, size }
    }

    fn begin(&mut self, size: u64) {
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    /// Reads the next header, or `None` at the end of the archive. Some programs write no blocks of zeros there.
    fn header(&mut self) -> Result<Option<Header>, Error> {
        let mut header = Header::new_old();
        let mut filled = 0;
        while filled < BLOCK {
            let rest = header.as_mut_bytes().get_mut(filled..).unwrap_or_default();
            match self.input.read(rest) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(Error::Tar(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Tar(error)),
            }
        }
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if !has_checksum(&header) {
            return Err(Error::NoTar);
        }
        Ok(Some(header))
    }

    /// Reads the content of a special member, a text that may end in a zero byte.
    fn text(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        let mut text = self.extension(size)?;
        if text.last() == Some(&0) {
            text.pop();
        }
        Ok(text)
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > MAX_EXTENSION {
            return Err(Error::LongName {
                size,
                limit: MAX_EXTENSION,
            });
        }
        self.begin(size);
        let mut bytes = Vec::new();
        let content = self.content().read_to_end(&mut bytes);
        content.map_err(Error::Tar)?;
        if (bytes.len() as u64) < size {
            return Err(Error::Tar(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(bytes)
    }

    /// Skips the rest of the current member.
    fn skip(&mut self) -> Result<(), Error> {
        let rest = self.left.saturating_add(self.padding);
        let skipped = io::copy(&mut (&mut self.input).take(rest), &mut io::sink());
        // The padding of the last member may be absent.
        if skipped.map_err(Error::Tar)? < self.left {
            return Err(Error::Tar(io::ErrorKind::UnexpectedEof.into()));
        }
        (self.left, self.padding) = (0, 0);
        Ok(())
    }
}

impl Extension {
    fn read(&mut self, records: &[u8]) -> Result<(), Error> {
        for record in PaxExtensions::new(records) {
            let record = record.map_err(Error::Tar)?;
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => self.name = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => {
                    let size = str::from_utf8(value)
                        .ok()
                        .and_then(|text| text.parse().ok());
                    self.size = Some(size.ok_or(Error::NoTar)?);
                }
                key if key.starts_with(b"GNU.sparse.") => return Err(Error::Sparse),
                _ => {}
            }
        }
        Ok(())
    }
}

struct Content<'m, R> {
    members: &'m mut Members<R>,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = usize::try_from(self.members.left).unwrap_or(usize::MAX);
        let limit = buffer.len().min(limit);
        // A decoder may take an empty buffer for a lack of progress.
        if limit == 0 {
            return Ok(0);
        }
        let count = self
            .members
            .input
            .read(buffer.get_mut(..limit).unwrap_or_default())?;
        self.members.left -= count as u64;
        Ok(count)
    }
}

/// Returns a name. What is not UTF-8 is read as in JSON, so that `manifest.json` can name the member.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns whether a block is the header of a member.
pub(super) fn is_header(block: &[u8; BLOCK]) -> bool {
    has_checksum(Header::from_byte_slice(block))
}

fn has_checksum(header: &Header) -> bool {
    let field = header.as_old().cksum;
    let sum: u32 = header
        .as_bytes()
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(*byte)
            }
        })
        .sum();
    // An archive without any member is no header: it begins with zeros.
    !field.iter().all(|byte| *byte == 0) && header.cksum().is_ok_and(|stated| stated == sum)
}
