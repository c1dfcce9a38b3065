//! Compressions that layers of a registry do not have: hocker recognises them, and decompresses them only in archives.
//!
//! Sources: The .xz File Format, section 2.1.1.1; bzip2's format, whose blocks start with the digits of π.

use std::fmt;
use std::io;

/// The number of first bytes that tell these compressions from other content.
pub(super) const LENGTH: usize = 10;

/// A compression that hocker does not decompress in layers of a registry or a layout. A decoder returns this error inside of an
/// [`io::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsupportedCompression {
    /// xz, which Docker and podman read.
    Xz,
    /// bzip2, which Docker and podman read.
    Bzip2,
}

impl UnsupportedCompression {
    /// Recognises the compression from the first bytes. Ten are enough.
    #[must_use]
    pub fn sniff(start: &[u8]) -> Option<Self> {
        match start {
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            // The second magic number is that of a block, the third that of the end, which an empty stream has at once.
            [
                b'B',
                b'Z',
                b'h',
                b'1'..=b'9',
                0x31,
                0x41,
                0x59,
                0x26,
                0x53,
                0x59,
                ..,
            ]
            | [
                b'B',
                b'Z',
                b'h',
                b'1'..=b'9',
                0x17,
                0x72,
                0x45,
                0x38,
                0x50,
                0x90,
                ..,
            ] => Some(Self::Bzip2),
            _ => None,
        }
    }

    /// Finds this error inside of an error that a decoder returned.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<UnsupportedCompression> for io::Error {
    fn from(error: UnsupportedCompression) -> Self {
        Self::new(io::ErrorKind::Unsupported, error)
    }
}

impl fmt::Display for UnsupportedCompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        };
        write!(f, "the compression is {name}; hocker reads gzip and zstd")
    }
}

impl std::error::Error for UnsupportedCompression {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::Sniffed;
    use std::io::Write as _;

    const XZ: &[u8] = b"\xfd7zXZ\x00\x00\x04\xe6\xd6";
    const BZIP2: &[u8] = b"BZh91AY&SY";

    #[test]
    fn xz_and_bzip2_are_named_and_not_taken_for_plain_layers() {
        for (start, expected) in [
            (XZ, UnsupportedCompression::Xz),
            (BZIP2, UnsupportedCompression::Bzip2),
            (
                b"BZh9\x17\x72\x45\x38\x50\x90",
                UnsupportedCompression::Bzip2,
            ),
        ] {
            let mut sniffed = Sniffed::new(Vec::new());
            let error = sniffed.write_all(start).unwrap_err();
            assert_eq!(UnsupportedCompression::of(&error), Some(expected));
        }
    }

    #[test]
    fn a_tar_whose_first_member_is_named_like_a_compression_is_plain() {
        for start in [&b"BZh9.txt\0\0\0"[..], b"BZh9", b"BZh01AY&SY", b"\xfd7zXZ"] {
            assert_eq!(UnsupportedCompression::sniff(start), None);
        }
    }
}
