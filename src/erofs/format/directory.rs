//! Directories: blocks of entries, sorted by name, each block with the names of its entries behind them.

use super::BLOCK;

/// The size of an entry in bytes, without its name.
const ENTRY: usize = 12;

/// The type of an inode, as directory entries state it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::erofs) enum FileType {
    Regular = 1,
    Directory = 2,
    CharacterDevice = 3,
    BlockDevice = 4,
    Fifo = 5,
    SymbolicLink = 7,
}

/// A directory entry.
#[derive(Clone, Copy, Debug)]
pub(in crate::erofs) struct Entry<'n> {
    /// Neither empty nor longer than 255 bytes.
    pub(in crate::erofs) name: &'n [u8],
    /// The address of the inode in slots, from the start of the metadata.
    pub(in crate::erofs) inode: u64,
    pub(in crate::erofs) file_type: FileType,
}

/// The entries of a directory in their blocks. `.` and `..` are among them.
#[derive(Debug)]
pub(in crate::erofs) struct Directory<'n> {
    blocks: Vec<Vec<Entry<'n>>>,
    /// The number of bytes in the last block.
    last: usize,
}

impl<'n> Directory<'n> {
    /// Distributes the entries over blocks.
    pub(in crate::erofs) fn new(mut entries: Vec<Entry<'n>>) -> Self {
        entries.sort_unstable_by_key(|entry| entry.name);
        let mut blocks = Vec::new();
        let mut block = Vec::new();
        let mut last = 0;
        for entry in entries {
            let bytes = ENTRY + entry.name.len();
            if last + bytes > BLOCK {
                blocks.push(std::mem::take(&mut block));
                last = 0;
            }
            block.push(entry);
            last += bytes;
        }
        blocks.push(block);
        Self { blocks, last }
    }

    /// The size in bytes.
    pub(in crate::erofs) fn size(&self) -> usize {
        (self.blocks.len() - 1) * BLOCK + self.last
    }

    /// The content: whole blocks, and of the last one what it has.
    pub(in crate::erofs) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size());
        for block in &self.blocks {
            // The last block stays as long as its content.
            bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
            let mut name_at = block.len() * ENTRY;
            for entry in block {
                bytes.extend(entry.inode.to_le_bytes());
                // Less than a block.
                bytes.extend(u16::try_from(name_at).unwrap_or(u16::MAX).to_le_bytes());
                bytes.extend([entry.file_type as u8, 0]);
                name_at += entry.name.len();
            }
            for entry in block {
                bytes.extend(entry.name);
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &[u8], inode: u64) -> Entry<'_> {
        Entry {
            name,
            inode,
            file_type: FileType::Regular,
        }
    }

    #[test]
    fn entries_are_sorted_by_bytes_with_their_names_behind_them() {
        let directory = Directory::new(vec![
            entry(b"b", 3),
            entry(b"..", 1),
            entry(b"!", 2),
            entry(b".", 1),
        ]);
        let expected = [
            &[2, 0, 0, 0, 0, 0, 0, 0, 48, 0, 1, 0][..],
            &[1, 0, 0, 0, 0, 0, 0, 0, 49, 0, 1, 0],
            &[1, 0, 0, 0, 0, 0, 0, 0, 50, 0, 1, 0],
            &[3, 0, 0, 0, 0, 0, 0, 0, 52, 0, 1, 0],
            b"!...b",
        ];
        assert_eq!(directory.to_bytes(), expected.concat());
        assert_eq!(directory.size(), 53);
    }

    #[test]
    fn blocks_are_filled_and_the_last_one_ends_with_its_content() {
        // 16 entries of 256 bytes fill a block.
        let names: Vec<_> = (0..33).map(|n| format!("{n:0244}")).collect();
        let entries = names.iter().map(|name| entry(name.as_bytes(), 9));
        let directory = Directory::new(entries.collect());
        assert_eq!(directory.size(), 2 * BLOCK + 256);
        let bytes = directory.to_bytes();
        assert_eq!(bytes.len(), directory.size());
        assert_eq!(bytes[BLOCK - 244..BLOCK], *names[15].as_bytes());
        assert_eq!(bytes[BLOCK + 8..BLOCK + 10], (16 * 12u16).to_le_bytes());
        assert_eq!(bytes[2 * BLOCK + 12..], *names[32].as_bytes());
    }
}
