//! The superblock.

use super::{BLOCK, BLOCK_BITS, Time};

/// The address of the superblock in bytes.
const OFFSET: usize = 1024;

const MAGIC: u32 = 0xe0f5_e1e2;

/// The superblock has a checksum.
const CHECKSUM: u32 = 1;
/// Times of inodes are those of their last modification.
const MTIME: u32 = 2;

/// What the superblock states of the image.
#[derive(Debug)]
pub(in crate::erofs) struct Superblock {
    /// The address of the root directory's inode in slots, from the start of the metadata.
    pub(in crate::erofs) root: u16,
    /// The number of inodes.
    pub(in crate::erofs) inodes: u64,
    /// The time of all compact inodes.
    pub(in crate::erofs) time: Time,
    /// The size of the image in blocks.
    pub(in crate::erofs) blocks: u32,
    /// The first block of the metadata.
    pub(in crate::erofs) metadata: u32,
    pub(in crate::erofs) uuid: [u8; 16],
}

impl Superblock {
    /// The first block of the image. The checksum is over all of it behind the boot sector.
    pub(in crate::erofs) fn to_bytes(&self) -> Vec<u8> {
        let unsigned = self.with_checksum(0);
        self.with_checksum(crc32c(unsigned.get(OFFSET..).unwrap_or_default()))
    }

    /// Reads the first block of an image that this module wrote. `None` for every other block.
    pub(in crate::erofs) fn parse(block: &[u8]) -> Option<Self> {
        let fields = block.get(OFFSET..)?;
        let number = |at: usize| Some(u32::from_le_bytes(*fields.get(at..)?.first_chunk()?));
        let long = |at: usize| Some(u64::from_le_bytes(*fields.get(at..)?.first_chunk()?));
        let parsed = Self {
            root: u16::from_le_bytes(*fields.get(14..)?.first_chunk()?),
            inodes: long(16)?,
            time: Time {
                seconds: long(24)?.cast_signed(),
                nanoseconds: number(32)?,
            },
            blocks: number(36)?,
            metadata: number(40)?,
            uuid: *fields.get(48..)?.first_chunk()?,
        };
        // This compares the magic number, the checksum and the features, too.
        (parsed.to_bytes() == block).then_some(parsed)
    }

    fn with_checksum(&self, checksum: u32) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BLOCK);
        bytes.resize(OFFSET, 0);
        bytes.extend(MAGIC.to_le_bytes());
        bytes.extend(checksum.to_le_bytes());
        bytes.extend((CHECKSUM | MTIME).to_le_bytes());
        // No extension slots.
        bytes.extend([BLOCK_BITS, 0]);
        bytes.extend(self.root.to_le_bytes());
        bytes.extend(self.inodes.to_le_bytes());
        bytes.extend(self.time.seconds.to_le_bytes());
        bytes.extend(self.time.nanoseconds.to_le_bytes());
        bytes.extend(self.blocks.to_le_bytes());
        bytes.extend(self.metadata.to_le_bytes());
        // No shared extended attributes.
        bytes.extend(0u32.to_le_bytes());
        bytes.extend(self.uuid);
        // No volume name, no incompatible feature, no further device, no compression.
        bytes.resize(BLOCK, 0);
        bytes
    }
}

/// CRC-32C as the kernel computes it: the register starts with all bits set, and is not inverted at the end.
///
/// Source: RFC 3720, section 12.1 (the polynomial).
fn crc32c(bytes: &[u8]) -> u32 {
    const REVERSED_POLYNOMIAL: u32 = 0x82f6_3b78;
    bytes.iter().fold(u32::MAX, |register, byte| {
        (0..8).fold(register ^ u32::from(*byte), |register, _| {
            let is_odd = register & 1 == 1;
            register >> 1 ^ if is_odd { REVERSED_POLYNOMIAL } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: RFC 3720, appendix B.4, whose values are inverted at the end.
    #[test]
    fn checksums_are_those_that_the_standard_lists() {
        let ascending: Vec<u8> = (0..32).collect();
        for (bytes, checksum) in [
            (vec![0; 32], 0x8a91_36aa),
            (vec![0xff; 32], 0x62a8_ab43),
            (ascending, 0x46dd_794e),
        ] {
            assert_eq!(!crc32c(&bytes), checksum);
        }
    }

    #[test]
    fn fields_are_where_the_kernel_reads_them() {
        let block = Superblock {
            root: 0x0102,
            inodes: 3,
            time: Time {
                seconds: -4,
                nanoseconds: 5,
            },
            blocks: 6,
            metadata: 7,
            uuid: [8; 16],
        }
        .to_bytes();
        assert_eq!(block.len(), BLOCK);
        assert!(block[..1024].iter().all(|byte| *byte == 0));
        let superblock = &block[1024..];
        assert_eq!(superblock[..4], [0xe2, 0xe1, 0xf5, 0xe0]);
        assert_eq!(superblock[8..16], [3, 0, 0, 0, 12, 0, 2, 1]);
        assert_eq!(superblock[16..24], 3u64.to_le_bytes());
        assert_eq!(superblock[24..32], (-4i64).to_le_bytes());
        assert_eq!(superblock[32..36], 5u32.to_le_bytes());
        assert_eq!(superblock[36..40], 6u32.to_le_bytes());
        assert_eq!(superblock[40..44], 7u32.to_le_bytes());
        assert_eq!(superblock[48..64], [8; 16]);
        assert!(superblock[64..].iter().all(|byte| *byte == 0));
        let mut unsigned = superblock.to_vec();
        unsigned[4..8].fill(0);
        assert_eq!(superblock[4..8], crc32c(&unsigned).to_le_bytes());
    }
}
