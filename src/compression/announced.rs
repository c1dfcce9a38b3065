//! The decompressed size that a compressed layer announces, known before the decompression. The announcement may be
//! wrong.
//!
//! Sources: RFC 1952, section 2.3.1 (`ISIZE`); RFC 8878, section 3.1.1.1.4 (`Frame_Content_Size`).

use std::io::{self, Read, Seek, SeekFrom};

use super::{SNIFFED, sniff};
use crate::oci::media_type::Compression;

/// A gzip member ends with its length modulo 2³², in this number of bytes.
const END: usize = 4;

/// The largest header of a zstd frame, in bytes.
const ZSTD_HEADER: u64 = 18;
/// A compressed layer exceeds its content by at most one byte in eight, since deflate's fixed code has at most nine
/// bits for a byte (RFC 1951, section 3.2.6), and by [`HEADERS`].
const GROWTH: u64 = 8;
/// The bytes of headers, names and checksums in a compressed layer, at most.
const HEADERS: u64 = 1 << 10;

/// Returns the decompressed size that a file of `size` bytes announces, in bytes.
///
/// If the file decompresses without error, its content is never shorter than the announced size. It may be longer: gzip
/// states the length of the last member, modulo 2³², and zstd that of the first frame. The function returns `None` if
/// the file announces no size, or one that is too small to be that of the whole content.
pub fn announced_size(mut file: impl Read + Seek, size: u64) -> io::Result<Option<u64>> {
    let mut start = Vec::new();
    file.by_ref().take(ZSTD_HEADER).read_to_end(&mut start)?;
    let announced = match sniff(start.get(..SNIFFED).unwrap_or(&start)) {
        Compression::None => return Ok(Some(size)),
        Compression::Gzip => {
            let Some(at) = file.seek(SeekFrom::End(0))?.checked_sub(END as u64) else {
                return Ok(None);
            };
            file.seek(SeekFrom::Start(at))?;
            let mut end = [0; END];
            file.read_exact(&mut end)?;
            Some(u32::from_le_bytes(end).into())
        }
        Compression::Zstd => zstd::zstd_safe::get_frame_content_size(&start)
            .ok()
            .flatten(),
    };
    Ok(announced.filter(|announced| *announced >= least(size)))
}

/// Returns the least size of the content of `compressed` bytes.
fn least(compressed: u64) -> u64 {
    compressed.saturating_sub(compressed / GROWTH + HEADERS)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::gzip;
    use super::*;
    use std::io::{Cursor, Write as _};

    fn announced(packed: &[u8]) -> Option<u64> {
        announced_size(Cursor::new(packed), packed.len() as u64).unwrap()
    }

    #[test]
    fn a_file_of_one_piece_announces_its_size() {
        let mut noise = vec![0; 100_000];
        let mut random = fastrand::Rng::with_seed(1);
        random.fill(&mut noise);
        for plain in [&b""[..], b"x", &b"layer".repeat(10_000), &noise] {
            let size = Some(plain.len() as u64);
            assert_eq!(announced(plain), size);
            assert_eq!(announced(&gzip(plain)), size);
            assert_eq!(announced(&zstd::bulk::compress(plain, 1).unwrap()), size);
        }
    }

    #[test]
    fn a_file_of_several_pieces_announces_no_more_than_its_size() {
        let (one, two) = (vec![1; 10], vec![2; 5000]);
        assert_eq!(
            announced(&[gzip(&one), gzip(&two)].concat()),
            Some(two.len() as u64)
        );
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
        let frame = zstd::bulk::compress(&one, 1).unwrap();
        assert_eq!(announced(&[&frame[..], &frame].concat()), Some(10));
        assert_eq!(announced(&[&skippable[..], &frame].concat()), Some(0));
    }

    #[test]
    fn an_announcement_that_is_absent_or_too_small_is_ignored() {
        let mut noise = vec![0; 100_000];
        let mut random = fastrand::Rng::with_seed(1);
        random.fill(&mut noise);
        // eStargz ends in a member without content.
        assert_eq!(announced(&[gzip(&noise), gzip(b"")].concat()), None);
        // A stream whose size was not known in advance.
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        encoder.write_all(&noise).unwrap();
        assert_eq!(announced(&encoder.finish().unwrap()), None);
        assert_eq!(announced(&[0x28, 0xb5, 0x2f, 0xfd]), None);
    }

    #[test]
    fn a_truncated_header_causes_no_panic() {
        for junk in [&b"\x1f\x8b"[..], b"\x1f\x8b\x08", b"\x28\xb5\x2f"] {
            assert!(announced_size(Cursor::new(junk), junk.len() as u64).is_ok());
        }
    }
}
