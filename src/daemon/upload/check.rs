//! The verification of a layer: size and digest of the blob, diff ID, and the size limit.

use std::io::{self, Read as _, Write};
use std::path::PathBuf;

use super::UploadError;
use super::pipe::StopSignal;
use crate::archive::plain_layer::{LayerError, PlainLayer};
use crate::compression::{Limit, LimitedWriter, Sniffed, announced_size};
use crate::input;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::{DiffId, Digest};
use crate::verify::Verifier;

/// The size of the read buffer in bytes.
const BUFFER: usize = 256 << 10;

/// A layer to verify.
#[derive(Clone, Debug)]
pub(in crate::daemon) struct LayerCheck {
    pub(super) path: PathBuf,
    pub(super) blob: Box<Descriptor>,
    pub(super) diff_id: DiffId,
    pub(super) limit: Limit,
}

impl LayerCheck {
    /// Returns the digest of the layer.
    pub(in crate::daemon) fn layer(&self) -> Digest {
        self.blob.digest
    }

    /// Returns the diff ID of the layer.
    pub(in crate::daemon) fn diff_id(&self) -> &DiffId {
        &self.diff_id
    }

    /// Reads and verifies the layer.
    pub(in crate::daemon) fn run(&self, stop: &StopSignal) -> Result<(), UploadError> {
        self.write(stop, io::sink(), |_| ()).map(drop)
    }

    /// Verifies the layer and writes its decompressed content to `output`. Returns the size of the content in bytes.
    /// `read` is called with the number of bytes that were read of the blob. After a failure the output is invalid.
    pub(super) fn write<W: Write>(
        &self,
        stop: &StopSignal,
        output: W,
        read: impl Fn(u64),
    ) -> Result<u64, UploadError> {
        let mut blob = Verifier::new(self.blob.digest, Some(self.blob.size));
        let mut plain = PlainLayer::new(&self.diff_id, self.blob.size, self.limit, output);
        self.read(stop, |bytes| {
            blob.update(bytes)?;
            plain.write_all(bytes).map_err(LayerError::of_write)?;
            read(bytes.len() as u64);
            Ok(())
        })?;
        // This error is more precise than that of the decompression, which fails for a blob that was cut off, too.
        blob.finish().map_err(|error| self.wrong(error.into()))?;
        let (_, size) = plain.finish().map_err(|error| self.wrong(error))?;
        Ok(size)
    }

    /// Returns the decompressed size that the layer announces, in bytes ([`announced_size`]), unless it exceeds the
    /// limit.
    pub(super) fn announced_size(&self) -> Result<Option<u64>, UploadError> {
        let size = input::open(&self.path)
            .and_then(|file| announced_size(file, self.blob.size))
            .map_err(|error| self.unreadable(error))?;
        Ok(size.filter(|size| *size <= self.limit.for_layer(self.blob.size)))
    }

    /// Decompresses the layer to determine the size of its content in bytes. Verifies nothing else.
    pub(super) fn measure(&self, stop: &StopSignal) -> Result<u64, UploadError> {
        let output = LimitedWriter::new(self.limit.for_layer(self.blob.size), Count(0));
        let mut plain = Sniffed::new(output);
        self.read(stop, |bytes| {
            plain.write_all(bytes).map_err(LayerError::of_write)
        })?;
        let output = plain.finish().map_err(LayerError::of_write);
        let Count(size) = output.map_err(|error| self.wrong(error))?.into_inner();
        Ok(size)
    }

    fn read(
        &self,
        stop: &StopSignal,
        mut each: impl FnMut(&[u8]) -> Result<(), LayerError>,
    ) -> Result<(), UploadError> {
        let mut file = input::open(&self.path).map_err(|error| self.unreadable(error))?;
        let mut buffer = vec![0; BUFFER];
        loop {
            if stop.is_set() {
                return Err(UploadError::Stopped);
            }
            let count = match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.unreadable(error)),
            };
            each(buffer.get(..count).unwrap_or_default()).map_err(|error| self.wrong(error))?;
        }
    }

    fn wrong(&self, source: LayerError) -> UploadError {
        match source {
            // The layer is correct, but the reader of the output stopped.
            LayerError::Decompress(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                UploadError::Stopped
            }
            source => UploadError::Layer {
                layer: self.blob.digest,
                source,
            },
        }
    }

    fn unreadable(&self, source: io::Error) -> UploadError {
        UploadError::Read {
            path: self.path.clone(),
            source,
        }
    }
}

/// A writer that counts bytes.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::Class;
    use crate::compression::TooLarge;
    use crate::compression::fixture::gzip;
    use crate::oci::media_type::MediaType;

    fn blob_of(content: &[u8]) -> Descriptor {
        let media_type = MediaType::OCI_LAYER;
        Descriptor::new(media_type, Digest::of(content), content.len() as u64)
    }

    fn check(
        blob: &[u8],
        digest_of: &[u8],
        diff_id_of: &[u8],
        limit: Limit,
    ) -> Result<u64, UploadError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), blob).unwrap();
        let check = LayerCheck {
            path: file.path().to_owned(),
            blob: Box::new(blob_of(digest_of)),
            diff_id: DiffId::new(Digest::of(diff_id_of)),
            limit,
        };
        let mut plain = Vec::new();
        let size = check.write(&StopSignal::default(), &mut plain, |_| ())?;
        assert_eq!(size, plain.len() as u64);
        assert_eq!(check.measure(&StopSignal::default()).unwrap(), size);
        Ok(size)
    }

    #[test]
    fn a_valid_layer_has_a_size() {
        let plain = vec![0; 1 << 20];
        let zstd = zstd::stream::encode_all(&plain[..], 1).unwrap();
        for blob in [gzip(&plain), zstd, plain.clone()] {
            assert_eq!(
                check(&blob, &blob, &plain, Limit::default()).unwrap(),
                1 << 20
            );
        }
        assert_eq!(check(b"", b"", b"", Limit::default()).unwrap(), 0);
    }

    #[test]
    fn refuses_wrong_content_and_content_beyond_the_limit() {
        let plain = vec![0; 1 << 20];
        let blob = gzip(&plain);
        let cut = &blob[..blob.len() - 9];
        for (blob, digest_of, diff_id_of) in [
            (&blob[..], &b"other"[..], &plain[..]),
            (&blob, &blob, b"other"),
            (cut, &blob, &plain),
            (cut, cut, &plain),
        ] {
            let error = check(blob, digest_of, diff_id_of, Limit::default()).unwrap_err();
            assert_eq!(error.class(), Class::Integrity, "{error}");
        }
        let error = check(&blob, &blob, &plain, Limit::of_bytes(1000)).unwrap_err();
        let UploadError::Layer {
            source: LayerError::TooLarge(TooLarge { limit }),
            ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!(limit, 1000);
    }

    #[test]
    fn stops_after_a_stop_signal() {
        let stop = StopSignal::default();
        stop.set();
        let file = tempfile::NamedTempFile::new().unwrap();
        let check = LayerCheck {
            path: file.path().to_owned(),
            blob: Box::new(blob_of(b"")),
            diff_id: DiffId::new(Digest::of(b"")),
            limit: Limit::default(),
        };
        assert!(matches!(check.run(&stop), Err(UploadError::Stopped)));
        assert!(matches!(check.measure(&stop), Err(UploadError::Stopped)));
    }
}
