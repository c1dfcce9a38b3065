//! A layer to convert, which is read once.

use std::io::{self, Read};

use super::error::Error;
use crate::archive::layer_pass::{self, Blob, Expected, Plain, Stop};
use crate::compression::Limit;
use crate::oci::digest::DiffId;

/// What is read at once, in bytes.
const READ: usize = 128 << 10;

/// A layer to convert.
#[derive(Debug)]
pub struct Source<R> {
    /// The layer: a tar archive, plain or compressed with gzip or zstd.
    pub layer: R,
    /// The size of the layer in bytes, as it is read, if that is known.
    pub size: Option<u64>,
    /// The digest that the decompressed layer must have, if that is known.
    pub diff_id: Option<DiffId>,
    /// How large the layer may become when it is decompressed. Holes of sparse files may have this size again.
    pub limit: Limit,
}

impl<R: Read> Source<R> {
    /// Lets `work` read the whole decompressed layer once. Verifies the diff ID afterwards, and returns it with the
    /// result.
    pub(super) fn pass<T: Send>(
        self,
        work: impl FnOnce(Plain) -> Result<(Plain, T), Error> + Send,
    ) -> Result<(DiffId, T), Error> {
        let expected = Expected {
            size: self.size,
            diff_id: self.diff_id,
            limit: self.limit,
        };
        layer_pass::pass(expected, |blob| feed(self.layer, blob), work)
    }
}

/// Reads a layer to its end.
fn feed(mut layer: impl Read, blob: &mut Blob) -> Result<(), Stop<Error>> {
    let mut buffer = vec![0; READ];
    loop {
        let count = match layer.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::of_read(error).into()),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        blob.push(bytes)?;
    }
}
