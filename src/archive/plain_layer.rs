//! A layer on its way from the blob that a registry has to the archive of files that an image means: what comes
//! out is no more than the limit allows, and has the diff id.

use std::io::{self, Write};

use crate::class::Class;
use crate::compression::{Limit, LimitedWriter, Sniffed, TooLarge};
use crate::oci::digest::DiffId;
use crate::verify::{self, VerifyingWriter};

/// Takes a layer's blob, compressed in whatever way its first bytes say, and writes the plain layer to `W`.
pub struct PlainLayer<W: Write> {
    decompressor: Sniffed<LimitedWriter<VerifyingWriter<W>>>,
}

impl<W: Write> PlainLayer<W> {
    /// Expects a blob of `size` bytes that decompresses to the content of `diff_id`.
    pub fn new(diff_id: &DiffId, size: u64, limit: Limit, output: W) -> Self {
        let plain = VerifyingWriter::new(*diff_id.digest(), output);
        Self {
            decompressor: Sniffed::new(LimitedWriter::new(limit.for_layer(size), plain)),
        }
    }

    /// Accepts the end of the blob, and gives the writer back with the number of bytes that it took.
    pub fn finish(self) -> Result<(W, u64), LayerError> {
        let plain = self.decompressor.finish().map_err(LayerError::of_write)?;
        Ok(plain.into_inner().finish()?)
    }
}

impl<W: Write> Write for PlainLayer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.decompressor.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.decompressor.flush()
    }
}

/// What is wrong with a layer.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// It does not decompress, or its writer does not take it.
    #[error("it cannot be decompressed")]
    Decompress(#[source] io::Error),
    /// It decompresses to too much.
    #[error(transparent)]
    TooLarge(TooLarge),
    /// It, or what it decompresses to, is something else.
    #[error(transparent)]
    Content(#[from] verify::Error),
}

impl LayerError {
    /// [`Class::Integrity`]: the layer is not what the image says, or decompresses to more than the limit.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Content(error) => error.class(),
            Self::Decompress(_) | Self::TooLarge(_) => Class::Integrity,
        }
    }
}

impl LayerError {
    /// What a write to a [`PlainLayer`] returned.
    #[must_use]
    pub fn of_write(error: io::Error) -> Self {
        match TooLarge::of(&error) {
            Some(too_large) => Self::TooLarge(too_large),
            None => Self::Decompress(error),
        }
    }

    /// The writer's own error: what a decoder says of the content has no number of the operating system's, and
    /// a full disk has.
    pub fn into_system_error(self) -> Result<io::Error, Self> {
        match self {
            Self::Decompress(error) if error.raw_os_error().is_some() => Ok(error),
            other => Err(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::header::Members;
    use crate::compression::fixture::gzip;
    use crate::oci::digest::Digest;

    fn plain(blob: &[u8], diff_id_of: &[u8], limit: Limit) -> Result<Vec<u8>, LayerError> {
        let diff_id = DiffId::new(Digest::of(diff_id_of));
        let mut layer = PlainLayer::new(&diff_id, blob.len() as u64, limit, Vec::new());
        layer.write_all(blob).map_err(LayerError::of_write)?;
        let (out, size) = layer.finish()?;
        assert_eq!(out.len() as u64, size);
        Ok(out)
    }

    #[test]
    fn a_layer_comes_out_plain_however_it_is_compressed() {
        let mut members = Members::new(Vec::new());
        members.bytes("etc/hostname", b"x\n").unwrap();
        let tar = members.finish().unwrap();
        let zstd = zstd::stream::encode_all(&tar[..], 1).unwrap();
        for blob in [gzip(&tar), zstd, tar.clone()] {
            assert_eq!(plain(&blob, &tar, Limit::default()).unwrap(), tar);
        }
    }

    #[test]
    fn refuses_what_is_too_much_or_other_or_cut_off() {
        let mut members = Members::new(Vec::new());
        members.bytes("zeros", &[0; 4096]).unwrap();
        let tar = members.finish().unwrap();
        let blob = gzip(&tar);
        let refused =
            |blob: &[u8], diff_id_of: &[u8], limit| plain(blob, diff_id_of, limit).unwrap_err();
        let any = Limit::default();
        assert!(matches!(
            refused(&blob, &tar, Limit::of_bytes(1000)),
            LayerError::TooLarge(TooLarge { limit: 1000 })
        ));
        assert!(matches!(refused(&blob, b"", any), LayerError::Content(_)));
        assert!(matches!(
            refused(&blob[..blob.len() - 9], &tar, any),
            LayerError::Decompress(_)
        ));
    }
}
