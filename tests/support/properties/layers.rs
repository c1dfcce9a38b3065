//! Layers that become file system images.

use std::io::{Read as _, Seek as _};
use std::path::Path;

use hocker::compression::Limit;
use hocker::erofs::{self, Error, Source};

use super::erofs_image::{self, Image};

/// Enough for layers that are made in memory.
const LIMIT: u64 = 1 << 20;

/// What is accepted becomes an image that a suspicious reader reads, and the same one again. Headers get right
/// checksums before, since a fuzzer does not guess them.
pub fn layer(bytes: &[u8]) {
    let bytes = with_checksums(bytes);
    let Ok(image) = convert(&bytes) else {
        return;
    };
    let _ = erofs_image::read(&image);
    assert!(convert(&bytes).unwrap() == image);
}

/// The same with right checksums in all blocks that look like headers.
pub(super) fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let (blocks, _) = bytes.as_chunks_mut::<512>();
    for block in blocks {
        if block[257..262] == *b"ustar" {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().copied().map(u32::from).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}

/// The bytes of the image of a layer.
pub fn convert(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut image = tempfile::tempfile().unwrap();
    let source = Source {
        layer: bytes,
        size: Some(bytes.len() as u64),
        diff_id: None,
        limit: Limit::of_bytes(LIMIT),
    };
    let converted = erofs::convert(source, &image, Path::new("/tmp"))?;
    let mut bytes = Vec::new();
    image.rewind().unwrap();
    image.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, converted.size);
    Ok(bytes)
}

/// The image of a layer, read.
pub fn read(bytes: &[u8]) -> Result<Image, Error> {
    convert(bytes).map(|image| erofs_image::read(&image))
}
