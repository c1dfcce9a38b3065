//! The contents of files on their way into an image: whole blocks are written at once, one file behind the other. Bytes
//! that will stand behind an inode wait in a temporary file, because inodes are written last.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use tempfile::SpooledTempFile;

use super::error::Error;
use super::format::BLOCK;
use super::tar::Segment;
use crate::archive::plain_layer::LayerError;
use crate::compression::TooLarge;

/// The temporary file stays in memory up to this size in bytes.
const SPOOL_MEMORY: usize = 1 << 20;

/// Contents that stay in memory have at most this size in bytes.
const MAX_KEPT: u64 = 1 << 20;

/// The size of buffers in bytes.
const BUFFER: usize = 256 << 10;

/// The largest image in blocks. Addresses of blocks have 32 bits, and the last is not a block's.
const MAX_BLOCKS: u64 = (1 << 32) - 2;

/// The number of a content: that of its entry, counted over all layers of an image.
pub(super) type Number = u64;

/// The contents that were written, by their numbers.
pub(super) type Written = HashMap<Number, Content>;

/// Where the content of an inode is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// The size in bytes.
    pub(super) size: u64,
    /// The first block, if there are whole blocks.
    pub(super) block: u32,
    /// Where the bytes behind the last whole block are in the temporary file. They are to stand behind the inode.
    pub(super) tail: Option<u64>,
}

impl Content {
    /// The number of bytes that stand behind the inode.
    pub(super) fn tail_size(&self) -> usize {
        match self.tail {
            // Less than a block.
            Some(_) => usize::try_from(self.size % BLOCK as u64).unwrap_or_default(),
            None => 0,
        }
    }
}

/// The area of contents of an image, while it grows.
pub(super) struct Contents<'f> {
    image: Sequential<'f>,
    written: Written,
    /// The contents that stay in memory, too.
    kept: HashMap<Number, Vec<u8>>,
    /// The first byte behind all contents.
    end: u64,
    tails: BufWriter<SpooledTempFile>,
    tails_size: u64,
    /// How many bytes holes may have, all together.
    holes: u64,
    holes_limit: u64,
}

/// A content that is being written.
#[derive(Debug)]
struct Current {
    content: Content,
    /// The number of bytes in whole blocks.
    in_blocks: u64,
    /// The number of bytes that were taken.
    taken: u64,
}

impl<'f> Contents<'f> {
    /// Starts behind the first block of `image`, which is empty. The temporary file has no name, and is in `directory`.
    pub(super) fn new(image: &'f File, directory: &Path, holes_limit: u64) -> Self {
        let spool = SpooledTempFile::new_in(SPOOL_MEMORY, directory);
        Self {
            image: Sequential::new(image),
            written: Written::new(),
            kept: HashMap::new(),
            end: BLOCK as u64,
            tails: BufWriter::with_capacity(BUFFER, spool),
            tails_size: 0,
            holes: 0,
            holes_limit,
        }
    }

    /// Writes the content of a file. `room` bytes fit behind its inode. `read` passes on the bytes of a segment.
    pub(super) fn file(
        &mut self,
        number: Number,
        size: u64,
        room: usize,
        segments: &[Segment],
        mut read: impl FnMut(u64, &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut current = self.begin(size, room)?;
        let mut kept = self.kept.remove(&number);
        for segment in segments {
            self.hole(&mut current, segment.offset)?;
            read(segment.length, &mut |bytes| {
                if let Some(kept) = kept.as_mut().filter(|_| size <= MAX_KEPT) {
                    kept.extend_from_slice(bytes);
                }
                self.take(&mut current, bytes)
            })?;
        }
        self.kept.extend(kept.map(|bytes| (number, bytes)));
        self.hole(&mut current, size)?;
        self.end += current.in_blocks.next_multiple_of(BLOCK as u64);
        self.written.insert(number, current.content);
        Ok(())
    }

    /// Writes a content that is in memory.
    pub(super) fn bytes(&mut self, number: Number, bytes: &[u8], room: usize) -> Result<(), Error> {
        let length = bytes.len() as u64;
        let all = [Segment { offset: 0, length }];
        self.file(number, length, room, &all, |_, take| take(bytes))
    }

    /// Lets the contents with these numbers stay in memory, too. Holes are left out, and large contents are empty.
    pub(super) fn keep(&mut self, numbers: impl Iterator<Item = Number>) {
        self.kept = numbers.map(|number| (number, Vec::new())).collect();
    }

    /// Takes the contents that stayed in memory.
    pub(super) fn take_kept(&mut self) -> HashMap<Number, Vec<u8>> {
        std::mem::take(&mut self.kept)
    }

    /// Takes the places of all contents so far.
    pub(super) fn take_written(&mut self) -> Written {
        std::mem::take(&mut self.written)
    }

    /// Reserves whole blocks, and returns the first.
    pub(super) fn reserve(&mut self, blocks: u64) -> Result<u32, Error> {
        let first = self.blocks()?;
        self.end += blocks * BLOCK as u64;
        self.blocks()?;
        Ok(first)
    }

    /// Ends the contents. Returns what else is written to the image, and the bytes that stand behind inodes.
    pub(super) fn finish(self) -> Result<(Sequential<'f>, Tails), Error> {
        let tails = self.tails.into_inner();
        let tails = tails.map_err(|error| Error::Write(error.into_error()))?;
        Ok((self.image, Tails::new(tails)?))
    }

    /// The number of blocks so far.
    fn blocks(&self) -> Result<u32, Error> {
        let blocks = self.end / BLOCK as u64;
        let blocks = Some(blocks).filter(|blocks| *blocks <= MAX_BLOCKS);
        blocks
            .and_then(|blocks| u32::try_from(blocks).ok())
            .ok_or(Error::ImageSize)
    }

    fn begin(&mut self, size: u64, room: usize) -> Result<Current, Error> {
        let rest = size % BLOCK as u64;
        let is_inline = rest > 0 && rest <= room as u64;
        let in_blocks = if is_inline { size - rest } else { size };
        let free = MAX_BLOCKS * BLOCK as u64 - self.end;
        if in_blocks > free {
            return Err(Error::ImageSize);
        }
        let content = Content {
            size,
            block: if in_blocks > 0 { self.blocks()? } else { 0 },
            tail: is_inline.then_some(self.tails_size),
        };
        Ok(Current {
            content,
            in_blocks,
            taken: 0,
        })
    }

    fn take(&mut self, current: &mut Current, bytes: &[u8]) -> Result<(), Error> {
        let left = current.in_blocks.saturating_sub(current.taken);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let (blocks, tail) = bytes.split_at(count);
        self.image
            .write(self.end + current.taken, blocks)
            .map_err(Error::Write)?;
        self.tails.write_all(tail).map_err(Error::Write)?;
        self.tails_size += tail.len() as u64;
        current.taken += bytes.len() as u64;
        Ok(())
    }

    /// Leaves a hole up to `offset`: the image has zeros where nothing is written.
    fn hole(&mut self, current: &mut Current, offset: u64) -> Result<(), Error> {
        let length = offset.saturating_sub(current.taken);
        self.holes = self.holes.saturating_add(length);
        if self.holes > self.holes_limit {
            return Err(LayerError::TooLarge(TooLarge {
                limit: self.holes_limit,
            })
            .into());
        }
        let in_tail = offset.saturating_sub(current.taken.max(current.in_blocks));
        // Less than a block.
        let zeros = vec![0; usize::try_from(in_tail).unwrap_or_default()];
        self.tails.write_all(&zeros).map_err(Error::Write)?;
        self.tails_size += in_tail;
        current.taken += length;
        Ok(())
    }
}

/// A file that is written mostly from its beginning to its end.
#[derive(Debug)]
pub(super) struct Sequential<'f> {
    file: &'f File,
    buffer: Vec<u8>,
    /// Where the buffer begins in the file.
    start: u64,
}

impl<'f> Sequential<'f> {
    fn new(file: &'f File) -> Self {
        Self {
            file,
            buffer: Vec::with_capacity(BUFFER),
            start: 0,
        }
    }

    /// Writes bytes at an offset.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let is_next = offset == self.start + self.buffer.len() as u64;
        if !is_next || self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
            self.start = offset;
        }
        if bytes.len() >= BUFFER / 4 && self.buffer.is_empty() {
            self.start = offset + bytes.len() as u64;
            return self.file.write_all_at(bytes, offset);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes what is in the buffer, and gives the file its size in bytes.
    pub(super) fn finish(mut self, size: u64) -> io::Result<()> {
        self.flush()?;
        self.file.set_len(size)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.buffer, self.start)?;
        self.start += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// The bytes that stand behind inodes, for reading.
pub(super) struct Tails {
    spool: BufReader<SpooledTempFile>,
    at: u64,
}

impl Tails {
    fn new(mut spool: SpooledTempFile) -> Result<Self, Error> {
        spool.seek(SeekFrom::Start(0)).map_err(Error::Write)?;
        Ok(Self {
            spool: BufReader::with_capacity(BUFFER, spool),
            at: 0,
        })
    }

    /// Reads `bytes` bytes at an offset that is behind all that were read before.
    pub(super) fn read(&mut self, offset: u64, bytes: usize) -> Result<Vec<u8>, Error> {
        let skipped = i64::try_from(offset - self.at).unwrap_or(i64::MAX);
        let mut tail = vec![0; bytes];
        self.spool
            .seek_relative(skipped)
            .and_then(|()| self.spool.read_exact(&mut tail))
            .map_err(Error::Write)?;
        self.at = offset + bytes as u64;
        Ok(tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = BLOCK - 64;

    /// Writes files of these sizes, and returns where they are.
    fn write(contents: &mut Contents<'_>, sizes: &[usize]) -> Vec<Content> {
        for (number, size) in (0..).zip(sizes) {
            contents.bytes(number, &vec![7; *size], ROOM).unwrap();
        }
        let written = contents.take_written();
        (0..sizes.len() as u64)
            .map(|number| written[&number])
            .collect()
    }

    #[test]
    fn whole_blocks_are_in_the_image_and_the_rest_behind_the_inode() {
        let image = tempfile::tempfile().unwrap();
        let mut contents = Contents::new(&image, Path::new("/tmp"), 0);
        let written = write(
            &mut contents,
            &[0, 3, BLOCK, BLOCK + 5, ROOM, ROOM + 1, 300_000],
        );
        let expected = [
            (0, None),
            (0, Some(0)),
            (1, None),
            (2, Some(3)),
            (0, Some(8)),
            (3, None),
            (4, Some(8 + ROOM as u64)),
        ];
        let places = written.iter().map(|content| (content.block, content.tail));
        assert_eq!(places.collect::<Vec<_>>(), expected);
        assert_eq!(contents.reserve(1).unwrap(), 4 + 73);
        let (output, mut tails) = contents.finish().unwrap();
        output.finish(80 * BLOCK as u64).unwrap();
        assert_eq!(tails.read(3, 5).unwrap(), [7; 5]);
        assert_eq!(tails.read(8 + ROOM as u64, 992).unwrap(), [7; 992]);
        let mut block = [0; BLOCK];
        for (number, filled) in [
            (0, 0),
            (1, BLOCK),
            (2, BLOCK),
            (3, ROOM + 1),
            (76, BLOCK),
            (77, 0),
        ] {
            image
                .read_exact_at(&mut block, number * BLOCK as u64)
                .unwrap();
            let end = block.iter().position(|byte| *byte != 7).unwrap_or(BLOCK);
            assert_eq!(end, filled, "{number}");
        }
    }

    #[test]
    fn holes_are_zeros_and_have_a_limit() {
        let image = tempfile::tempfile().unwrap();
        let mut contents = Contents::new(&image, Path::new("/tmp"), 10_000);
        let segment = |offset, length| Segment { offset, length };
        let size = BLOCK as u64 + 100;
        let segments = [segment(10, 10), segment(BLOCK as u64 + 50, 10)];
        let mut file = |size| contents.file(0, size, ROOM, &segments, |_, take| take(&[7; 10]));
        file(size).unwrap();
        assert!(matches!(
            file(size + 6000),
            Err(Error::Layer(LayerError::TooLarge(_)))
        ));
        let content = contents.take_written()[&0];
        let (output, mut tails) = contents.finish().unwrap();
        output.finish(3 * BLOCK as u64).unwrap();
        let tail = tails
            .read(content.tail.unwrap(), content.tail_size())
            .unwrap();
        let expected = [&[0; 50][..], &[7; 10], &[0; 40]];
        assert_eq!(tail, expected.concat());
        let mut block = [0; BLOCK];
        image.read_exact_at(&mut block, BLOCK as u64).unwrap();
        assert_eq!(block[..30], [&[0; 10][..], &[7; 10], &[0; 10]].concat());
    }
}
