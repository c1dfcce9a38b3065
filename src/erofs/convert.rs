//! A layer on its way into an image of its own, by one pass.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::contents::Contents;
use super::error::Error;
use super::source::Source;
use super::{image, unpack};
use crate::oci::digest::DiffId;

/// What became of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The digest of the decompressed layer.
    pub diff_id: DiffId,
    /// The size of the image in bytes.
    pub size: u64,
}

/// Writes the EROFS image of a layer to `image`, which is empty and can be written at any offset. A temporary file
/// without a name in `directory` holds the ends of files.
///
/// On an error the content of `image` means nothing.
pub fn convert<R: Read>(
    source: Source<R>,
    image: &File,
    directory: &Path,
) -> Result<Converted, Error> {
    let holes = source.limit.for_layer(source.size.unwrap_or(0));
    let mut contents = Contents::new(image, directory, holes);
    let (diff_id, tree) = source.pass(|layer| unpack::unpack(layer, &mut contents))?;
    let size = image::finish(&tree, contents, diff_id.digest())?;
    Ok(Converted { diff_id, size })
}
