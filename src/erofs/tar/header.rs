//! The header of an entry: one block.

use super::number::{has_right_checksum, number, signed};
use super::{BLOCK, Entry, bounded, text};
use crate::erofs::error::Error;
use crate::erofs::format::Time;

/// Where the fields are.
const NAME: (usize, usize) = (0, 100);
const MODE: (usize, usize) = (100, 8);
const USER: (usize, usize) = (108, 8);
const GROUP: (usize, usize) = (116, 8);
const SIZE: (usize, usize) = (124, 12);
const TIME: (usize, usize) = (136, 12);
const KIND: usize = 156;
const LINK: (usize, usize) = (157, 100);
const MAGIC: (usize, usize) = (257, 8);
const MAJOR: (usize, usize) = (329, 8);
const MINOR: (usize, usize) = (337, 8);
const PREFIX: (usize, usize) = (345, 155);
/// The prefix of `star`, which has times behind it.
const STAR_PREFIX: (usize, usize) = (345, 131);
const STAR_TRAILER: (usize, usize) = (508, 4);

const PERMISSIONS: u64 = 0o7777;

/// The header of an entry, whose checksum is right.
#[derive(Debug)]
pub(super) struct Header {
    block: [u8; BLOCK],
}

/// Which fields a header has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Unix V7's: no device numbers.
    Old,
    /// POSIX.1-1988's: with a prefix of the name.
    Ustar,
    Star,
    Gnu,
}

impl Header {
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, Error> {
        if !has_right_checksum(block) {
            return Err(Error::Archive("the checksum of a header is wrong"));
        }
        Ok(Self { block: *block })
    }

    pub(super) fn as_bytes(&self) -> &[u8; BLOCK] {
        &self.block
    }

    /// The type flag.
    pub(super) fn kind(&self) -> u8 {
        self.block.get(KIND).copied().unwrap_or_default()
    }

    /// The size that the header itself states.
    pub(super) fn size(&self) -> Result<u64, Error> {
        self.number(SIZE)
    }

    /// Whether the fields are those of GNU tar.
    pub(super) fn is_gnu(block: &[u8; BLOCK]) -> bool {
        field(block, MAGIC) == b"ustar  \0"
    }

    /// What the header itself states of its entry.
    pub(super) fn entry(&self) -> Result<Entry, Error> {
        let form = self.form();
        let mut entry = Entry {
            name: text(self.field(NAME)).to_vec(),
            link: bounded(text(self.field(LINK))),
            kind: self.kind(),
            // The mask leaves twelve bits.
            mode: u16::try_from(self.number(MODE)? & PERMISSIONS).unwrap_or_default(),
            user: self.number(USER)?,
            group: self.number(GROUP)?,
            time: Time {
                seconds: signed(self.field(TIME)).ok_or(WRONG)?,
                nanoseconds: 0,
            },
            size: self.number(SIZE)?,
            ..Entry::default()
        };
        if form != Form::Old {
            entry.major = self.number(MAJOR)?;
            entry.minor = self.number(MINOR)?;
        }
        let prefix = match form {
            Form::Ustar => text(self.field(PREFIX)),
            Form::Star => text(self.field(STAR_PREFIX)),
            Form::Old | Form::Gnu => b"",
        };
        if !prefix.is_empty() {
            entry.name = [prefix, b"/", &entry.name].concat();
        }
        Ok(entry)
    }

    fn form(&self) -> Form {
        if Self::is_gnu(&self.block) {
            Form::Gnu
        } else if !self.field(MAGIC).starts_with(b"ustar\0") {
            Form::Old
        } else if self.field(STAR_TRAILER) == b"tar\0" {
            Form::Star
        } else {
            Form::Ustar
        }
    }

    fn field(&self, at: (usize, usize)) -> &[u8] {
        field(&self.block, at)
    }

    fn number(&self, at: (usize, usize)) -> Result<u64, Error> {
        number(self.field(at)).ok_or(WRONG)
    }
}

const WRONG: Error = Error::Archive("a field of a header is not a number");

pub(super) fn field(block: &[u8; BLOCK], (start, length): (usize, usize)) -> &[u8] {
    block.get(start..start + length).unwrap_or_default()
}
