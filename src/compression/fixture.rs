//! Compressed bytes, for tests.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// One gzip member.
pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    gzip_at(Compression::fast(), plain)
}

/// One gzip member, compressed as far as this.
pub(crate) fn gzip_at(level: Compression, plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}
