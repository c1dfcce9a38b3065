//! Tar members that depend only on their name and content: no times, no owners, and one mode.
//!
//! Source: POSIX.1-2017 `pax`, "ustar Interchange Format", with GNU's binary sizes from 8 GiB on and GNU's
//! long names beyond 100 bytes, which SHA-512 needs.

use crate::class::Class;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Write};

use tar::{EntryType, Header};

/// The size of a block of tar in bytes.
const BLOCK: u64 = 512;
/// The longest name that fits into the header itself, in bytes.
const SHORT_NAME: usize = 100;
/// The name of GNU's special member whose content is the name of the next member.
const LONG_NAME: &str = "././@LongLink";
/// The bytes after the last member.
pub(super) const END: [u8; 1024] = [0; 1024];
/// The size of the copy buffer in bytes, used if the kernel cannot copy.
const BUFFER: usize = 256 << 10;

/// A writer of members, one after another.
#[derive(Debug)]
pub(crate) struct Members<W> {
    out: W,
}

impl<W: Write> Members<W> {
    /// Starts an archive.
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes a member from memory.
    pub(crate) fn bytes(&mut self, name: &str, content: &[u8]) -> Result<(), Error> {
        let size = content.len() as u64;
        self.begin(name, size)?;
        self.out.write_all(content).map_err(Error::Write)?;
        self.end(size)
    }

    /// Starts a member of `size` bytes. Write the content with [`content`](Self::content), then call [`end`](Self::end)
    /// after exactly `size` bytes.
    pub(crate) fn begin(&mut self, name: &str, size: u64) -> Result<(), Error> {
        self.out
            .write_all(&header(name, size)?)
            .map_err(Error::Write)
    }

    /// Writes the next bytes of a member's content.
    pub(crate) fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// Ends a member of `size` bytes.
    pub(crate) fn end(&mut self, size: u64) -> Result<(), Error> {
        io::copy(&mut io::repeat(0).take(padding(size)), &mut self.out)
            .map(drop)
            .map_err(Error::Write)
    }

    /// Writes a member from the rest of a file, which must have exactly `size` bytes. The kernel copies it if the
    /// standard library supports that.
    pub(crate) fn file(&mut self, name: &str, file: &File, size: u64) -> Result<(), Error> {
        self.begin(name, size)?;
        // `io::copy` has a fast path for a file behind a buffered reader, and uses the buffer of the reader if the
        // output is a pipe. It needs these concrete types.
        let copied = io::copy(&mut BufReader::with_capacity(BUFFER, file), &mut self.out);
        if self.copied(name, size, copied)? > size {
            return Err(Error::Long {
                name: name.to_owned(),
                size,
            });
        }
        Ok(())
    }

    /// Ends the archive, flushes the output and returns it.
    pub(crate) fn finish(mut self) -> Result<W, Error> {
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

/// Returns the bytes before the content of a regular file.
pub(super) fn header(name: &str, size: u64) -> Result<Vec<u8>, Error> {
    let Some(short) = name.get(..SHORT_NAME).filter(|short| *short != name) else {
        return block(name, EntryType::Regular, size);
    };
    // GNU tar ends the name with a zero byte.
    let content = [name.as_bytes(), b"\0"].concat();
    let length = content.len() as u64;
    let mut header = block(LONG_NAME, EntryType::GNULongName, length)?;
    header.extend(content);
    header.extend((0..padding(length)).map(|_| 0));
    header.extend(block(short, EntryType::Regular, size)?);
    Ok(header)
}

/// Returns the number of bytes before the content of a regular file.
pub(super) fn header_size(name: &str) -> Result<u64, Error> {
    Ok(header(name, 0)?.len() as u64)
}

/// Returns the number of zero bytes after a content of `size` bytes.
pub(super) fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK
}

fn block(name: &str, kind: EntryType, size: u64) -> Result<Vec<u8>, Error> {
    let mut header = Header::new_gnu();
    // `set_path` would remove the superfluous dots from the name of the special member.
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

/// A member cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name is empty or longer than a header permits.
    #[error("the archive cannot have a member named `{name}`")]
    Name {
        /// The member.
        name: String,
    },
    /// The output cannot be written.
    #[error("cannot write the archive")]
    Write(#[source] io::Error),
    /// A file cannot be copied into the archive.
    #[error("cannot copy `{name}` into the archive")]
    Copy {
        /// The member.
        name: String,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// The content is shorter than `size`.
    #[error("`{name}` ends after {copied} of {size} bytes")]
    Short {
        /// The member.
        name: String,
        /// The size in its header.
        size: u64,
        /// The size of the content.
        copied: u64,
    },
    /// The content is longer than `size`.
    #[error("`{name}` is longer than {size} bytes")]
    Long {
        /// The member.
        name: String,
        /// The size in its header.
        size: u64,
    },
}

impl Error {
    /// Returns the class of the failure: [`Class::Integrity`] if a member is longer or shorter than its header states.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Short { .. } | Self::Long { .. } => Class::Integrity,
            Self::Name { .. } => Class::Unsupported,
            Self::Write(_) | Self::Copy { .. } => Class::Other,
        }
    }

    /// Returns the operating system's error, if there is one. The caller does not report a closed pipe as a failure.
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
    fn members_contain_nothing_of_the_machine() {
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
            (6, Some("`x` ends after 5 of 6 bytes")),
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
