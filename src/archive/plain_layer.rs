//! The decompression and verification of a layer: the content has at most the permitted size, and has the diff ID.

use std::io::{self, Write};

use crate::class::Class;
use crate::compression::{Limit, LimitedWriter, Sniffed, TooLarge, UnsupportedCompression};
use crate::oci::digest::DiffId;
use crate::verify::{self, VerifyingWriter};

/// A writer that takes the blob of a layer, in any compression, and writes the decompressed layer to `W`.
pub struct PlainLayer<W: Write> {
    decompressor: Sniffed<LimitedWriter<VerifyingWriter<W>>>,
}

impl<W: Write> PlainLayer<W> {
    /// Creates a writer for a blob of `size` bytes, whose content must have the diff ID `diff_id`.
    pub fn new(diff_id: &DiffId, size: u64, limit: Limit, output: W) -> Self {
        let plain = VerifyingWriter::new(*diff_id.digest(), output);
        Self {
            decompressor: Sniffed::new(LimitedWriter::new(limit.for_layer(size), plain)),
        }
    }

    /// Ends the blob, and returns the inner writer and the number of bytes that it got.
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

/// A layer is not what the image names.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The blob cannot be decompressed, or the output cannot be written.
    #[error("cannot decompress the layer")]
    Decompress(#[source] io::Error),
    /// The content is larger than the limit.
    #[error(transparent)]
    TooLarge(TooLarge),
    /// The blob or the content has another digest or size.
    #[error(transparent)]
    Content(#[from] verify::Error),
}

impl LayerError {
    /// Returns [`Class::Integrity`]: the layer is not what the image names, or expands beyond the limit. A layer in a
    /// compression that hocker does not decompress is unsupported.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Content(error) => error.class(),
            Self::Decompress(error) if UnsupportedCompression::of(error).is_some() => {
                Class::Unsupported
            }
            Self::Decompress(_) | Self::TooLarge(_) => Class::Integrity,
        }
    }
}

impl LayerError {
    /// Converts the error of a write to a [`PlainLayer`].
    #[must_use]
    pub fn of_write(error: io::Error) -> Self {
        match TooLarge::of(&error) {
            Some(too_large) => Self::TooLarge(too_large),
            None => Self::Decompress(error),
        }
    }

    /// Returns the error of the output, such as a full disk. Only such errors have an error number of the operating
    /// system; the errors of a decoder do not.
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
    fn a_layer_in_any_compression_is_decompressed() {
        let mut members = Members::new(Vec::new());
        members.bytes("etc/hostname", b"x\n").unwrap();
        let tar = members.finish().unwrap();
        let zstd = zstd::stream::encode_all(&tar[..], 1).unwrap();
        for blob in [gzip(&tar), zstd, tar.clone()] {
            assert_eq!(plain(&blob, &tar, Limit::default()).unwrap(), tar);
        }
    }

    #[test]
    fn a_layer_in_an_unsupported_compression_is_not_called_wrong() {
        let error = plain(b"BZh91AY&SY and more", b"", Limit::default()).unwrap_err();
        assert_eq!(error.class(), Class::Unsupported);
    }

    #[test]
    fn refuses_a_layer_that_is_too_large_different_cut_off_or_no_archive() {
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
