//! The layers of an image, as files that are verified whenever they are read.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

use super::source::Source;
use crate::archive::composition::{self, Composition};
use crate::compression::Limit;
use crate::input;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::DiffId;
use crate::verify::VerifyingReader;

/// A layer of an image in a file.
#[derive(Debug)]
pub struct LayerFile {
    /// The file.
    pub file: File,
    /// The digest and the size that the file must have.
    pub descriptor: Descriptor,
    /// The digest that the decompressed layer must have.
    pub diff_id: DiffId,
}

impl LayerFile {
    /// Opens the layers of an image, the lowest first. Verifies the config, and that it belongs to the manifest.
    pub fn all_of(image: &Composition) -> Result<Vec<Self>, composition::Error> {
        let config = image.image_config()?;
        // The first file is the config.
        let layers = image.files().skip(1).zip(config.diff_ids());
        let open = |((descriptor, path), diff_id): ((&Descriptor, &std::path::Path), &DiffId)| {
            let file = input::open(path).map_err(|source| composition::Error::Read {
                path: path.to_owned(),
                source,
            })?;
            Ok(Self {
                file,
                descriptor: descriptor.clone(),
                diff_id: *diff_id,
            })
        };
        layers.map(open).collect()
    }

    /// The layer from its beginning. Other content than that of the descriptor and the diff ID is an error.
    #[must_use]
    pub fn source(&self, limit: Limit) -> Source<impl Read + '_> {
        let (digest, size) = (self.descriptor.digest, self.descriptor.size);
        let start = Positioned {
            file: &self.file,
            offset: 0,
        };
        Source {
            layer: VerifyingReader::new(digest, size, start),
            size: Some(size),
            diff_id: Some(self.diff_id),
            limit,
        }
    }
}

/// A reader with a position of its own.
struct Positioned<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for Positioned<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(into, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}
