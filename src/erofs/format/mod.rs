//! The structures of an EROFS image as types. Each has a `to_bytes`; numbers are little-endian.
//!
//! Source: Linux, `fs/erofs/erofs_fs.h`.

mod directory;
mod inode;
mod superblock;

pub(super) use self::directory::{Directory, Entry, FileType};
pub(super) use self::inode::{Inode, Layout};
pub(super) use self::superblock::Superblock;

/// The size of a block in bytes, as a power of two.
const BLOCK_BITS: u8 = 12;

/// The size of a block in bytes.
pub(super) const BLOCK: usize = 1 << BLOCK_BITS;

/// The unit of an inode's address in bytes.
pub(super) const SLOT: usize = 32;

/// A time as seconds and nanoseconds since 1970. The seconds may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time {
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
}

/// A device number as Linux writes it on disk (`new_encode_dev`): twelve bits for the driver, twenty for the device.
/// `None` if the numbers have more bits.
pub(super) fn device_number(major: u64, minor: u64) -> Option<u32> {
    let major = u32::try_from(major).ok().filter(|major| *major < 1 << 12)?;
    let minor = u32::try_from(minor).ok().filter(|minor| *minor < 1 << 20)?;
    Some(minor & 0xff | major << 8 | (minor & !0xff) << 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_numbers_are_those_of_linux() {
        for (major, minor, number) in [
            (0, 0, Some(0)),
            (1, 3, Some(0x103)),
            (8, 256, Some(0x0010_0800)),
            (4095, (1 << 20) - 1, Some(u32::MAX)),
            (4096, 0, None),
            (0, 1 << 20, None),
            (u64::MAX, 0, None),
        ] {
            assert_eq!(device_number(major, minor), number, "{major}:{minor}");
        }
    }
}
