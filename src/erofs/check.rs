//! Whether a file is the image of a layer.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::format::{BLOCK, Superblock};
use super::image::uuid;
use crate::class::Class;
use crate::oci::digest::DiffId;

/// Checks that a file is the image that [`convert`](super::convert) made of the layer with this diff ID, and returns its
/// size in bytes. It reads the superblock alone: 122 bits of the digest of what was converted stand there.
pub fn check(image: &File, diff_id: &DiffId) -> Result<u64, CheckError> {
    let size = image.metadata()?.len();
    let mut block = vec![0; BLOCK];
    match image.read_exact_at(&mut block, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(CheckError::NotAnImage);
        }
        read => read?,
    }
    let superblock = Superblock::parse(&block).ok_or(CheckError::NotAnImage)?;
    let described = u64::from(superblock.blocks) * BLOCK as u64;
    if superblock.uuid != uuid(diff_id.digest()) {
        return Err(CheckError::OtherLayer(Box::new(*diff_id)));
    }
    if described != size {
        return Err(CheckError::Size { described, size });
    }
    Ok(size)
}

/// A file is not the image of a layer.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The file cannot be read.
    #[error("cannot read the image")]
    Read(#[from] io::Error),
    /// No superblock of hocker's.
    #[error("not a file system image that hocker made of a layer")]
    NotAnImage,
    /// It is the image of another layer.
    #[error("not the image of the layer with the diff ID {0}")]
    OtherLayer(Box<DiffId>),
    /// The file is cut off, or longer than the image.
    #[error("size mismatch: expected {described} bytes, got {size}")]
    Size {
        /// The size in the superblock, in bytes.
        described: u64,
        /// The size of the file in bytes.
        size: u64,
    },
}

impl CheckError {
    /// The class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Read(_) => Class::Other,
            Self::NotAnImage | Self::OtherLayer(_) | Self::Size { .. } => Class::Integrity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Source, convert};
    use super::*;
    use crate::compression::Limit;
    use crate::oci::digest::Digest;

    /// The image of a layer without files, and the diff ID of the layer.
    fn image() -> (File, DiffId) {
        let layer = vec![0; 1024];
        let diff_id = DiffId::new(Digest::of(&layer));
        let image = tempfile::tempfile().unwrap();
        let source = Source {
            layer: &layer[..],
            size: None,
            diff_id: None,
            limit: Limit::default(),
        };
        convert(source, &image, &std::env::temp_dir()).unwrap();
        (image, diff_id)
    }

    #[test]
    fn an_image_belongs_to_its_layer_alone() {
        let (image, diff_id) = image();
        assert_eq!(
            check(&image, &diff_id).unwrap(),
            image.metadata().unwrap().len()
        );
        let other = DiffId::new(Digest::of(b"other"));
        let error = check(&image, &other).unwrap_err();
        assert!(matches!(error, CheckError::OtherLayer(_)), "{error}");
    }

    #[test]
    fn refuses_a_file_that_is_cut_off_longer_or_something_else() {
        let (image, diff_id) = image();
        let size = image.metadata().unwrap().len();
        for other in [size - BLOCK as u64, size + 1] {
            image.set_len(other).unwrap();
            let error = check(&image, &diff_id).unwrap_err();
            assert!(
                matches!(error, CheckError::Size { .. } | CheckError::NotAnImage),
                "{error}"
            );
        }
        image.set_len(size).unwrap();
        for offset in [0, 1024, 1028, 1032, 1060, 1100, 2000] {
            let mut byte = [0];
            image.read_exact_at(&mut byte, offset).unwrap();
            image.write_all_at(&[byte[0] ^ 1], offset).unwrap();
            let error = check(&image, &diff_id).unwrap_err();
            assert!(matches!(error, CheckError::NotAnImage), "{offset}: {error}");
            image.write_all_at(&byte, offset).unwrap();
        }
        assert!(check(&image, &diff_id).is_ok());
    }
}
