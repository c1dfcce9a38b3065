//! What a compressed layer says of its own plain size, which is known before it is decompressed. Nothing holds the layer
//! to it.
//!
//! Sources: RFC 1952, section 2.3.1 (`ISIZE`); RFC 8878, section 3.1.1.1.4 (`Frame_Content_Size`).

use std::io::{self, Read, Seek, SeekFrom};

use super::{SNIFFED, sniff};
use crate::oci::media_type::Compression;

/// So many last bytes tell the most: a gzip member ends with its length modulo 2³².
pub const END: usize = 4;

/// Enough for the header of a zstd frame.
const ZSTD_HEADER: u64 = 18;
/// A layer is longer than what is in it by no more than one byte in so many, as the fixed code of deflate has nine bits
/// for a byte at worst (RFC 1951, section 3.2.6), and
const GROWTH: u64 = 8;
/// by so many more for names and the like.
const HEADERS: u64 = 1 << 10;
/// A layer that is this small may be all zeros.
const ALWAYS: u64 = 1 << 20;
/// Beyond that, layers are not expected to expand to more than so many times their size.
const TIMES: u64 = 32;

/// The number of bytes that a file of `size` bytes seems to decompress to, where it says so.
///
/// Of a file that decompresses well, this is the whole or the beginning, and never more: gzip tells the length of the
/// last member, modulo 2³², and zstd that of the first frame. What cannot be the whole is not given.
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

/// The size in bytes that a layer probably has when plain: one of `compressed` bytes that ends with `end`. It may be
/// more than there is.
///
/// Of several gzip members only the last one's length is seen. Where it is nothing, as in eStargz, or cannot be that of
/// them all, there is no telling; nor is there for zstd, whose frames begin with a size if with any.
#[must_use]
pub fn expected_size(compression: Compression, compressed: u64, end: [u8; END]) -> Option<u64> {
    let length = u64::from(u32::from_le_bytes(end));
    match compression {
        Compression::None => Some(compressed),
        Compression::Zstd => None,
        Compression::Gzip if length == 0 => None,
        Compression::Gzip => {
            let wraps = least(compressed).saturating_sub(length).div_ceil(1 << 32);
            let size = length.checked_add(wraps.checked_mul(1 << 32)?)?;
            let most = compressed.saturating_mul(TIMES).max(ALWAYS);
            (size <= most).then_some(size)
        }
    }
}

/// What so many bytes decompress to at least.
fn least(compressed: u64) -> u64 {
    compressed.saturating_sub(compressed / GROWTH + HEADERS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression as Level;
    use std::io::{Cursor, Write as _};

    fn gzip(plain: &[u8], level: Level) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn expected(blob: &[u8]) -> Option<u64> {
        let end = blob[blob.len() - END..].try_into().unwrap();
        expected_size(Compression::Gzip, blob.len() as u64, end)
    }

    #[test]
    fn one_member_lets_its_length_be_expected() {
        let mut random = vec![0; 300_000];
        fastrand::Rng::with_seed(7).fill(&mut random);
        for plain in [
            &random[..],
            &random[..1],
            &vec![0; 300_000],
            &b"layer".repeat(9),
        ] {
            for level in [Level::none(), Level::fast(), Level::best()] {
                assert_eq!(expected(&gzip(plain, level)), Some(plain.len() as u64));
            }
        }
    }

    #[test]
    fn a_length_that_cannot_be_lets_nothing_be_expected() {
        let mut random = vec![0; 300_000];
        fastrand::Rng::with_seed(7).fill(&mut random);
        let large = gzip(&random, Level::fast());
        for last in [&b""[..], b"x"] {
            let members = [large.clone(), gzip(last, Level::fast())].concat();
            assert_eq!(expected(&members), None);
        }
    }

    #[test]
    fn lengths_beyond_4_gib_are_expected_to_come_around() {
        let wrapped = |compressed, length: u32| {
            expected_size(Compression::Gzip, compressed, length.to_le_bytes())
        };
        assert_eq!(wrapped(2 << 30, 1 << 30), Some(5 << 30));
        assert_eq!(wrapped(2 << 30, 3 << 30), Some(3 << 30));
        assert_eq!(wrapped(10 << 30, 1), Some((12 << 30) + 1));
        assert_eq!(wrapped(100 << 20, 1), None);
    }

    #[test]
    fn a_plain_layer_is_expected_to_be_as_large_as_it_is() {
        assert_eq!(expected_size(Compression::None, 7, [0; END]), Some(7));
        assert_eq!(expected_size(Compression::Zstd, 7, [1; END]), None);
    }

    fn announced(packed: &[u8]) -> Option<u64> {
        announced_size(Cursor::new(packed), packed.len() as u64).unwrap()
    }

    #[test]
    fn what_is_in_one_piece_tells_its_size() {
        let mut noise = vec![0; 100_000];
        let mut random = fastrand::Rng::with_seed(1);
        random.fill(&mut noise);
        for plain in [&b""[..], b"x", &b"layer".repeat(10_000), &noise] {
            let size = Some(plain.len() as u64);
            assert_eq!(announced(plain), size);
            assert_eq!(announced(&gzip(plain, Level::fast())), size);
            assert_eq!(announced(&zstd::bulk::compress(plain, 1).unwrap()), size);
        }
    }

    #[test]
    fn what_is_in_several_pieces_tells_no_more_than_there_is() {
        let (one, two) = (vec![1; 10], vec![2; 5000]);
        assert_eq!(
            announced(&[gzip(&one, Level::fast()), gzip(&two, Level::fast())].concat()),
            Some(two.len() as u64)
        );
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
        let frame = zstd::bulk::compress(&one, 1).unwrap();
        assert_eq!(announced(&[&frame[..], &frame].concat()), Some(10));
        assert_eq!(announced(&[&skippable[..], &frame].concat()), Some(0));
    }

    #[test]
    fn what_tells_nothing_or_too_little_is_not_believed() {
        let mut noise = vec![0; 100_000];
        let mut random = fastrand::Rng::with_seed(1);
        random.fill(&mut noise);
        // eStargz ends in a member without content.
        assert_eq!(
            announced(&[gzip(&noise, Level::fast()), gzip(b"", Level::fast())].concat()),
            None
        );
        // Written as a stream, whose size nobody knew.
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        encoder.write_all(&noise).unwrap();
        assert_eq!(announced(&encoder.finish().unwrap()), None);
        assert_eq!(announced(&[0x28, 0xb5, 0x2f, 0xfd]), None);
    }

    #[test]
    fn a_file_that_is_hardly_one_is_no_panic() {
        for junk in [&b"\x1f\x8b"[..], b"\x1f\x8b\x08", b"\x28\xb5\x2f"] {
            assert!(announced_size(Cursor::new(junk), junk.len() as u64).is_ok());
        }
    }
}
