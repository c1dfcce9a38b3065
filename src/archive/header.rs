//! Tar members that depend on nothing but their name and content: no times, no owners, one mode.
//!
//! Source: POSIX.1-2017 `pax`, "ustar Interchange Format", with GNU's binary sizes from 8 GiB on and GNU's
//! long names beyond 100 bytes, which SHA-512 needs.

use crate::class::Class;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Write};

use tar::{EntryType, Header};

/// Tar's unit.
const BLOCK: u64 = 512;
/// The longest name that fits the header itself, in bytes.
const SHORT_NAME: usize = 100;
/// The name of a member whose content is the name of the next.
const LONG_NAME: &str = "././@LongLink";
/// What follows the last member.
pub(super) const END: [u8; 1024] = [0; 1024];
/// What is copied at once where the kernel does not do it.
const BUFFER: usize = 256 << 10;

/// Writes members one after the other.
#[derive(Debug)]
pub struct Members<W> {
    out: W,
}

impl<W: Write> Members<W> {
    /// Begins an archive.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes a member that is at hand.
    pub fn bytes(&mut self, name: &str, content: &[u8]) -> Result<(), Error> {
        let size = content.len() as u64;
        self.begin(name, size)?;
        self.out.write_all(content).map_err(Error::Write)?;
        self.end(size)
    }

    /// Begins a member whose content comes piece by piece, each by [`content`](Self::content). After exactly
    /// `size` bytes, [`end`](Self::end) ends it.
    pub fn begin(&mut self, name: &str, size: u64) -> Result<(), Error> {
        self.out
            .write_all(&header(name, size)?)
            .map_err(Error::Write)
    }

    /// Writes the next bytes of a member's content.
    pub fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// Ends a member of `size` bytes.
    pub fn end(&mut self, size: u64) -> Result<(), Error> {
        io::copy(&mut io::repeat(0).take(padding(size)), &mut self.out)
            .map(drop)
            .map_err(Error::Write)
    }

    /// Copies the rest of a file, in the kernel where the standard library can. It must have exactly `size`
    /// bytes.
    pub fn file(&mut self, name: &str, file: &File, size: u64) -> Result<(), Error> {
        self.begin(name, size)?;
        // The types stay concrete: `io::copy` has a fast path for files behind a buffered reader, and takes
        // the reader's buffer where the output is a pipe.
        let copied = io::copy(&mut BufReader::with_capacity(BUFFER, file), &mut self.out);
        if self.copied(name, size, copied)? > size {
            return Err(Error::Long {
                name: name.to_owned(),
                size,
            });
        }
        Ok(())
    }

    /// Ends the archive and gives the output back, flushed.
    pub fn finish(mut self) -> Result<W, Error> {
        self.out.write_all(&END).map_err(Error::Write)?;
        self.out.flush().map_err(Error::Write)?;
        Ok(self.out)
    }

    fn copied(&mut self, name: &str, size: u64, copied: io::Result<u64>) -> Result<u64, Error> {
        let copied = copied.map_err(|source| Error::Copy {
            name: name.to_owned(),
            source,
        })?;
        if copied < size {
            return Err(Error::Short {
                name: name.to_owned(),
                size,
                copied,
            });
        }
        self.end(size)?;
        Ok(copied)
    }
}

/// What stands before the content of a regular file.
pub(super) fn header(name: &str, size: u64) -> Result<Vec<u8>, Error> {
    let Some(short) = name.get(..SHORT_NAME).filter(|short| *short != name) else {
        return block(name, EntryType::Regular, size);
    };
    // The name has a terminating zero, as GNU tar writes it.
    let content = [name.as_bytes(), b"\0"].concat();
    let length = content.len() as u64;
    let mut header = block(LONG_NAME, EntryType::GNULongName, length)?;
    header.extend(content);
    header.extend((0..padding(length)).map(|_| 0));
    header.extend(block(short, EntryType::Regular, size)?);
    Ok(header)
}

/// The size of what stands before the content of a regular file.
pub(super) fn header_size(name: &str) -> Result<u64, Error> {
    Ok(header(name, 0)?.len() as u64)
}

/// The zeros after a content of `size` bytes.
pub(super) fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK
}

fn block(name: &str, kind: EntryType, size: u64) -> Result<Vec<u8>, Error> {
    let mut header = Header::new_gnu();
    // Not `set_path`, which takes the name of a long name for one with a superfluous dot.
    let wrong = || Error::Name {
        name: name.to_owned(),
    };
    header
        .as_old_mut()
        .name
        .get_mut(..name.len())
        .filter(|_| !name.is_empty())
        .ok_or_else(wrong)?
        .copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header.as_bytes().to_vec())
}

/// A member that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name does not fit a header.
    #[error("the archive cannot have a member named `{name}`")]
    Name {
        /// The member.
        name: String,
    },
    /// The output does not take it.
    #[error("writing the archive")]
    Write(#[source] io::Error),
    /// Reading or writing failed on the way.
    #[error("copying the archive's member `{name}`")]
    Copy {
        /// The member.
        name: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The content ended early.
    #[error("`{name}` ended after {copied} of {size} bytes")]
    Short {
        /// The member.
        name: String,
        /// The size in its header.
        size: u64,
        /// What there was.
        copied: u64,
    },
    /// There was more than the header says.
    #[error("`{name}` is longer than {size} bytes")]
    Long {
        /// The member.
        name: String,
        /// The size in its header.
        size: u64,
    },
}

impl Error {
    /// The kind of failure: a member that is longer or shorter than its header says is [`Class::Integrity`].
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Short { .. } | Self::Long { .. } => Class::Integrity,
            Self::Name { .. } => Class::Unsupported,
            Self::Write(_) | Self::Copy { .. } => Class::Other,
        }
    }

    /// The system's error, where there is one: a closed pipe is not a failure.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        match self {
            Self::Copy { source, .. } | Self::Write(source) => Some(source),
            Self::Name { .. } | Self::Short { .. } | Self::Long { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_read_back_with_nothing_of_the_machine_in_them() {
        let mut members = Members::new(Vec::new());
        members.bytes("a.json", b"{}").unwrap();
        members.bytes("blobs/sha256/b", &[7; 512]).unwrap();
        members.bytes("empty", b"").unwrap();
        let bytes = members.finish().unwrap();
        assert_eq!(bytes.len() % 512, 0);
        let mut archive = tar::Archive::new(&bytes[..]);
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(header.entry_type(), EntryType::Regular);
            assert_eq!(
                (header.mode().unwrap(), header.mtime().unwrap()),
                (0o644, 0)
            );
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            seen.push((entry.path().unwrap().display().to_string(), entry.size()));
        }
        let expected = [("a.json", 2), ("blobs/sha256/b", 512), ("empty", 0)];
        assert_eq!(seen, expected.map(|(name, size)| (name.to_owned(), size)));
    }

    #[test]
    fn refuses_files_that_are_shorter_or_longer_than_their_headers() {
        let mut source = tempfile::tempfile().unwrap();
        source.write_all(b"hello").unwrap();
        for (size, expected) in [
            (4, Some("`x` is longer than 4 bytes")),
            (5, None),
            (6, Some("`x` ended after 5 of 6 bytes")),
        ] {
            io::Seek::rewind(&mut source).unwrap();
            let mut members = Members::new(tempfile::tempfile().unwrap());
            let error = members.file("x", &source, size).err();
            assert_eq!(error.map(|error| error.to_string()).as_deref(), expected);
        }
    }

    #[test]
    fn sizes_beyond_8_gib_survive_the_header() {
        let size = (8 << 30) + 1;
        let header = header("x", size).unwrap();
        let mut archive = tar::Archive::new(&header[..]);
        let entry = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(entry.header().size().unwrap(), size);
    }

    #[test]
    fn names_beyond_100_bytes_survive_the_header() {
        for length in [1, 99, 100, 101, 141, 511, 512, 600] {
            let name = "n".repeat(length);
            let mut members = Members::new(Vec::new());
            members.bytes(&name, b"content").unwrap();
            members.bytes("next", b"").unwrap();
            let bytes = members.finish().unwrap();
            let mut archive = tar::Archive::new(&bytes[..]);
            let seen: Vec<_> = archive
                .entries()
                .unwrap()
                .map(|entry| {
                    let entry = entry.unwrap();
                    (entry.path().unwrap().display().to_string(), entry.size())
                })
                .collect();
            assert_eq!(seen, [(name, 7), ("next".to_owned(), 0)], "{length}");
        }
    }
}
