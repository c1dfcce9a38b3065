//! An archive in a file, whose members get their places before their contents: these can then come in any
//! order, several at a time, straight to where they belong.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use rustix::fs::copy_file_range;
use rustix::io::Errno;

use super::header::{END, Error, header, padding};

/// What is copied at once where the kernel does not do it.
const BUFFER: usize = 256 << 10;

/// An archive that is being laid out in a file, which must be empty.
#[derive(Debug)]
pub struct Placed<'f> {
    file: &'f File,
    /// Where the next member begins.
    position: u64,
}

impl<'f> Placed<'f> {
    /// Begins an archive.
    #[must_use]
    pub fn new(file: &'f File) -> Self {
        Self { file, position: 0 }
    }

    /// Writes a member that is at hand.
    pub fn bytes(&mut self, name: &str, content: &[u8]) -> Result<(), Error> {
        let offset = self.reserve(name, content.len() as u64)?;
        self.write(content, offset)
    }

    /// Where the content of the next member belongs if it gets this name, whatever its size.
    pub fn next_content(&self, name: &str) -> Result<u64, Error> {
        Ok(self.position + header(name, 0)?.len() as u64)
    }

    /// Makes a member of `size` bytes the next one, and says where its content belongs.
    pub fn reserve(&mut self, name: &str, size: u64) -> Result<u64, Error> {
        let header = header(name, size)?;
        self.write(&header, self.position)?;
        let offset = self.position + header.len() as u64;
        self.position = offset + size + padding(size);
        Ok(offset)
    }

    /// Makes the first `size` bytes of a file the next member. They are copied in the kernel where it can.
    pub fn file(&mut self, name: &str, source: &File, size: u64) -> Result<(), Error> {
        let offset = self.reserve(name, size)?;
        let failed = |source| Error::Copy {
            name: name.to_owned(),
            source,
        };
        let copied = copy(source, self.file, offset, size).map_err(failed)?;
        if copied < size {
            return Err(Error::Short {
                name: name.to_owned(),
                size,
                copied,
            });
        }
        Ok(())
    }

    /// Ends the archive. The padding that nobody wrote is zeros, as the file grew over it.
    pub fn finish(self) -> Result<(), Error> {
        self.write(&END, self.position)
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        self.file.write_all_at(bytes, offset).map_err(Error::Write)
    }
}

/// Copies the first `size` bytes of a file to a place in another, and says how many there were.
fn copy(source: &File, target: &File, offset: u64, size: u64) -> io::Result<u64> {
    let mut copied = 0;
    while copied < size {
        let (mut from, mut to) = (copied, offset + copied);
        let rest = usize::try_from(size - copied).unwrap_or(usize::MAX);
        match copy_file_range(source, Some(&mut from), target, Some(&mut to), rest) {
            Ok(0) => break,
            Ok(count) => copied += count as u64,
            Err(Errno::INTR) => {}
            // Not every filesystem has it, and a sandbox may not let it pass. A real failure comes again.
            Err(_) => return copy_by_hand(source, target, offset, size, copied),
        }
    }
    Ok(copied)
}

fn copy_by_hand(
    source: &File,
    target: &File,
    offset: u64,
    size: u64,
    mut copied: u64,
) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER];
    while copied < size {
        let limit = usize::try_from(size - copied).map_or(BUFFER, |rest| rest.min(BUFFER));
        let count = source.read_at(buffer.get_mut(..limit).unwrap_or_default(), copied)?;
        if count == 0 {
            break;
        }
        target.write_all_at(buffer.get(..count).unwrap_or_default(), offset + copied)?;
        copied += count as u64;
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::header::Members;
    use std::io::{Read as _, Seek as _};

    #[test]
    fn the_order_of_writing_makes_no_difference() {
        let long = "n".repeat(141);
        let contents = [(long.as_str(), vec![7; 700]), ("b", vec![8; 512])];
        let mut members = Members::new(Vec::new());
        members.bytes("first", b"{}").unwrap();
        for (name, content) in &contents {
            members.bytes(name, content).unwrap();
        }
        let in_order = members.finish().unwrap();

        let file = tempfile::tempfile().unwrap();
        let mut placed = Placed::new(&file);
        placed.bytes("first", b"{}").unwrap();
        let offsets = contents.each_ref().map(|(name, content)| {
            let expected = placed.next_content(name).unwrap();
            let offset = placed.reserve(name, content.len() as u64).unwrap();
            assert_eq!(offset, expected);
            offset
        });
        placed.finish().unwrap();
        for ((_, content), offset) in contents.iter().zip(offsets).rev() {
            file.write_all_at(content, offset).unwrap();
        }
        let mut bytes = Vec::new();
        let mut file = &file;
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        assert!(bytes == in_order);
    }

    #[test]
    fn files_are_copied_whole_or_not_at_all() {
        let source = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..=250).cycle().take(2 * BUFFER + 7).collect();
        source.write_all_at(&content, 0).unwrap();
        let size = content.len() as u64;
        let target = tempfile::tempfile().unwrap();
        assert_eq!(copy(&source, &target, 5, size).unwrap(), size);
        let by_hand = tempfile::tempfile().unwrap();
        assert_eq!(copy_by_hand(&source, &by_hand, 5, size, 3).unwrap(), size);
        for (target, from) in [(target, 0), (by_hand, 3)] {
            let mut copy = vec![0; content.len() - from];
            target.read_exact_at(&mut copy, 5 + from as u64).unwrap();
            assert!(copy == content[from..]);
        }
        let target = tempfile::tempfile().unwrap();
        let error = Placed::new(&target).file("x", &source, size + 1);
        assert!(matches!(error, Err(Error::Short { .. })));
    }
}
