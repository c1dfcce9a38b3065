//! An archive in a file, whose members have their positions before their contents. The contents can be written in any
//! order, and several at a time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::header::{END, Error, header, header_size, padding};

/// The size of the copy buffer in bytes, used if the kernel cannot copy.
const BUFFER: usize = 256 << 10;

/// A writer of an archive in a file, which must be empty.
#[derive(Debug)]
pub(crate) struct Placed<'f> {
    file: &'f File,
    /// The offset of the next member in bytes.
    position: u64,
}

impl<'f> Placed<'f> {
    /// Starts an archive.
    #[must_use]
    pub(crate) fn new(file: &'f File) -> Self {
        Self { file, position: 0 }
    }

    /// Writes a member from memory.
    pub(crate) fn bytes(&mut self, name: &str, content: &[u8]) -> Result<(), Error> {
        let offset = self.reserve(name, content.len() as u64)?;
        self.write(content, offset)
    }

    /// Returns the offset in bytes of the content of the next member, if that member has this name.
    pub(crate) fn next_content(&self, name: &str) -> Result<u64, Error> {
        Ok(self.position + header_size(name)?)
    }

    /// Adds a member of `size` bytes, and returns the offset of its content in bytes. Writes everything except the
    /// content.
    pub(crate) fn reserve(&mut self, name: &str, size: u64) -> Result<u64, Error> {
        let header = header(name, size)?;
        self.write(&header, self.position)?;
        let offset = self.position + header.len() as u64;
        self.position = offset + size + padding(size);
        let zeros = (offset + size..self.position).map(|_| 0);
        self.write(&zeros.collect::<Vec<_>>(), offset + size)?;
        Ok(offset)
    }

    /// Adds a member with the first `size` bytes of a file. The kernel copies them if it can.
    pub(crate) fn file(&mut self, name: &str, source: &File, size: u64) -> Result<(), Error> {
        let offset = self.reserve(name, size)?;
        let failed = |source| Error::Copy {
            name: name.to_owned(),
            source,
        };
        let copied = copy((source, 0), (self.file, offset), size).map_err(failed)?;
        if copied < size {
            return Err(Error::Short {
                name: name.to_owned(),
                size,
                copied,
            });
        }
        Ok(())
    }

    /// Ends the archive, and removes all bytes of the file behind its end.
    pub(crate) fn finish(self) -> Result<(), Error> {
        self.write(&END, self.position)?;
        let end = self.position + END.len() as u64;
        let length = self.file.metadata().map_err(Error::Write)?.len();
        if length > end {
            self.file.set_len(end).map_err(Error::Write)?;
        }
        Ok(())
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        self.file.write_all_at(bytes, offset).map_err(Error::Write)
    }
}

/// Copies `size` bytes from an offset in a file to an offset in another, and returns the number of copied bytes. It is
/// smaller if the source ends early.
fn copy(source: (&File, u64), target: (&File, u64), size: u64) -> io::Result<u64> {
    let copied = copy_in_kernel(source, target, size);
    copy_by_hand(source, target, size, copied)
}

/// Copies as many bytes as the kernel can, and returns their number. Some filesystems do not support it, and a sandbox
/// may forbid it. If there is a real failure, the copy by hand reports it.
#[cfg(target_os = "linux")]
fn copy_in_kernel(source: (&File, u64), target: (&File, u64), size: u64) -> u64 {
    use rustix::fs::copy_file_range;
    use rustix::io::Errno;
    let mut copied = 0;
    while copied < size {
        let (mut from, mut to) = (source.1 + copied, target.1 + copied);
        let rest = usize::try_from(size - copied).unwrap_or(usize::MAX);
        match copy_file_range(source.0, Some(&mut from), target.0, Some(&mut to), rest) {
            Ok(count) if count > 0 => copied += count as u64,
            Err(Errno::INTR) => {}
            Ok(_) | Err(_) => break,
        }
    }
    copied
}

/// Other kernels have no such system call.
#[cfg(not(target_os = "linux"))]
fn copy_in_kernel(_: (&File, u64), _: (&File, u64), _: u64) -> u64 {
    0
}

fn copy_by_hand(
    (source, from): (&File, u64),
    (target, to): (&File, u64),
    size: u64,
    mut copied: u64,
) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER];
    while copied < size {
        let limit = usize::try_from(size - copied).map_or(BUFFER, |rest| rest.min(BUFFER));
        let count = source.read_at(buffer.get_mut(..limit).unwrap_or_default(), from + copied)?;
        if count == 0 {
            break;
        }
        target.write_all_at(buffer.get(..count).unwrap_or_default(), to + copied)?;
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
        source.write_all_at(&content, 3).unwrap();
        let size = content.len() as u64;
        let target = tempfile::tempfile().unwrap();
        assert_eq!(copy((&source, 3), (&target, 5), size).unwrap(), size);
        let by_hand = tempfile::tempfile().unwrap();
        let copied = copy_by_hand((&source, 3), (&by_hand, 5), size, 3).unwrap();
        assert_eq!(copied, size);
        for (target, from) in [(target, 0), (by_hand, 3)] {
            let mut copy = vec![0; content.len() - from];
            target.read_exact_at(&mut copy, 5 + from as u64).unwrap();
            assert!(copy == content[from..]);
        }
        let target = tempfile::tempfile().unwrap();
        let error = Placed::new(&target).file("x", &source, size + 4);
        assert!(matches!(error, Err(Error::Short { .. })));
    }

    #[test]
    fn previous_bytes_of_the_file_do_not_remain() {
        let archive = |file: File| {
            let mut placed = Placed::new(&file);
            let offset = placed.reserve("x", 5).unwrap();
            file.write_all_at(b"hello", offset).unwrap();
            placed.finish().unwrap();
            let mut bytes = Vec::new();
            (&file).rewind().unwrap();
            (&file).read_to_end(&mut bytes).unwrap();
            bytes
        };
        let used = tempfile::tempfile().unwrap();
        used.write_all_at(&[255; 10_000], 0).unwrap();
        assert!(archive(used) == archive(tempfile::tempfile().unwrap()));
    }
}
