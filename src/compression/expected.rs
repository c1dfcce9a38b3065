//! What the end of a compressed stream lets expect of its plain size, before it is decompressed. Nothing holds the
//! stream to it.

use crate::media_type::Compression;

/// So many last bytes tell the most.
pub const END: usize = 4;

/// A layer that is this small may be all zeros.
const ALWAYS: u64 = 1 << 20;
/// Beyond that, layers expand to no more than so many times their size.
const TIMES: u64 = 32;

/// The size in bytes that a layer probably has when plain: one of `compressed` bytes that ends with `end`.
///
/// A gzip member ends with its length modulo 2³² (RFC 1952, section 2.3.1). Of several members only the last one's is
/// seen. Where it is nothing, as in eStargz, or cannot be that of them all, there is no telling; nor is there for
/// zstd, whose frames begin with a size if with any.
#[must_use]
pub fn expected_size(compression: Compression, compressed: u64, end: [u8; END]) -> Option<u64> {
    let length = u64::from(u32::from_le_bytes(end));
    match compression {
        Compression::None => Some(compressed),
        Compression::Zstd => None,
        Compression::Gzip if length == 0 => None,
        Compression::Gzip => {
            // What cannot be compressed grows: with fixed codes, some bytes take nine bits (RFC 1951, section 3.2.6).
            let least = compressed.saturating_sub(compressed / 8 + 64);
            let wraps = least.saturating_sub(length).div_ceil(1 << 32);
            let size = length.checked_add(wraps.checked_mul(1 << 32)?)?;
            let most = compressed.saturating_mul(TIMES).max(ALWAYS);
            (size <= most).then_some(size)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression as Level;
    use std::io::Write as _;

    fn gzip(plain: &[u8], level: Level) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn of(blob: &[u8]) -> Option<u64> {
        let end = blob[blob.len() - END..].try_into().unwrap();
        expected_size(Compression::Gzip, blob.len() as u64, end)
    }

    #[test]
    fn one_member_tells_its_length() {
        let mut random = vec![0; 300_000];
        fastrand::Rng::with_seed(7).fill(&mut random);
        for plain in [
            &random[..],
            &random[..1],
            &vec![0; 300_000],
            &b"layer".repeat(9),
        ] {
            for level in [Level::none(), Level::fast(), Level::best()] {
                assert_eq!(of(&gzip(plain, level)), Some(plain.len() as u64));
            }
        }
    }

    #[test]
    fn a_length_that_cannot_be_tells_nothing() {
        let mut random = vec![0; 300_000];
        fastrand::Rng::with_seed(7).fill(&mut random);
        let large = gzip(&random, Level::fast());
        for last in [&b""[..], b"x"] {
            let members = [large.clone(), gzip(last, Level::fast())].concat();
            assert_eq!(of(&members), None);
        }
    }

    #[test]
    fn lengths_beyond_4_gib_come_around() {
        let gzip = |compressed, length: u32| {
            expected_size(Compression::Gzip, compressed, length.to_le_bytes())
        };
        assert_eq!(gzip(2 << 30, 1 << 30), Some(5 << 30));
        assert_eq!(gzip(2 << 30, 3 << 30), Some(3 << 30));
        assert_eq!(gzip(10 << 30, 1), Some((12 << 30) + 1));
        assert_eq!(gzip(100 << 20, 1), None);
    }

    #[test]
    fn a_plain_layer_is_as_large_as_it_is() {
        assert_eq!(expected_size(Compression::None, 7, [0; END]), Some(7));
        assert_eq!(expected_size(Compression::Zstd, 7, [1; END]), None);
    }
}
