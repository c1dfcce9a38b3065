//! A blob in a file that may be wrong. The file is verified against its descriptor while it is read, and its last bytes
//! are returned only after the verification. So the verified bytes are the returned bytes, even if the file changes
//! meanwhile.

use std::cmp::Ordering;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::composition::Error;
use crate::input;
use crate::oci::descriptor::Descriptor;
use crate::verify::{self, Verifier};

/// The size of the buffer in bytes.
const BUFFER: usize = 256 << 10;

/// A reader for the file of a blob.
pub(crate) struct BlobFile {
    path: PathBuf,
    file: File,
    /// Absent after the end was reached.
    verifier: Option<Verifier>,
    /// The number of bytes that are still to be read.
    left: u64,
    buffer: Vec<u8>,
}

impl BlobFile {
    /// Opens the file of the blob that `descriptor` names. Fails if the file has another size.
    pub(crate) fn open(descriptor: &Descriptor, path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        let file = input::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        // No bytes are returned from a file that cannot be the blob.
        check_size(descriptor, path, size)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            verifier: Some(Verifier::new(descriptor.digest, Some(descriptor.size))),
            left: descriptor.size,
            buffer: vec![0; BUFFER],
        })
    }

    /// Returns the next bytes, or `None` after the last. If the content is wrong, the error replaces the last bytes.
    pub(crate) fn next_bytes(&mut self) -> Result<Option<&[u8]>, Error> {
        let Some(mut verifier) = self.verifier.take() else {
            return Ok(None);
        };
        let limit = usize::try_from(self.left).map_or(BUFFER, |left| left.min(BUFFER));
        let count = self.read(limit)?;
        self.left -= count as u64;
        let wrong = |source| Error::Content {
            path: self.path.clone(),
            source,
        };
        let bytes = self.buffer.get(..count).unwrap_or_default();
        verifier.update(bytes).map_err(wrong)?;
        if count > 0 && self.left > 0 {
            self.verifier = Some(verifier);
            return Ok(Some(bytes));
        }
        let mut more = [0];
        let longer = self.file.read(&mut more).map_err(|source| Error::Read {
            path: self.path.clone(),
            source,
        })?;
        verifier
            .update(more.get(..longer).unwrap_or_default())
            .and_then(|()| verifier.finish())
            .map_err(wrong)?;
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// Fills the buffer with at most `limit` bytes, and returns their number.
    fn read(&mut self, limit: usize) -> Result<usize, Error> {
        let buffer = self.buffer.get_mut(..limit).unwrap_or_default();
        self.file.read(buffer).map_err(|source| Error::Read {
            path: self.path.clone(),
            source,
        })
    }
}

/// Fails if the file has another size than the blob.
pub(super) fn check_size(descriptor: &Descriptor, path: &Path, found: u64) -> Result<(), Error> {
    let (expected, size) = (descriptor.digest, descriptor.size);
    let source = match found.cmp(&size) {
        Ordering::Equal => return Ok(()),
        Ordering::Greater => verify::Error::TooLong { expected, size },
        Ordering::Less => verify::Error::TooShort {
            expected,
            size,
            seen: found,
        },
    };
    Err(Error::Content {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::digest::Digest;
    use crate::oci::media_type::MediaType;

    /// Reads a file that should hold `promised`. Returns the bytes, and the error that replaced the last of them.
    fn read(promised: &[u8], found: &[u8]) -> (Vec<u8>, Result<(), String>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("blob");
        std::fs::write(&path, found).unwrap();
        let digest = Digest::of(promised);
        let descriptor = Descriptor::new(MediaType::OCI_LAYER, digest, promised.len() as u64);
        let mut out = Vec::new();
        let result = BlobFile::open(&descriptor, &path)
            .and_then(|blob| read_to_end(blob, &mut out))
            .map_err(|error| std::error::Error::source(&error).unwrap().to_string());
        (out, result)
    }

    fn read_to_end(mut blob: BlobFile, out: &mut Vec<u8>) -> Result<(), Error> {
        while let Some(bytes) = blob.next_bytes()? {
            out.extend_from_slice(bytes);
        }
        Ok(())
    }

    #[test]
    fn returns_the_whole_content_of_the_promised_blob() {
        for size in [0, 1, BUFFER - 1, BUFFER, BUFFER + 1, 3 * BUFFER] {
            let content = vec![7; size];
            assert_eq!(read(&content, &content), (content, Ok(())), "{size}");
        }
    }

    #[test]
    fn never_returns_the_end_of_other_content() {
        for size in [1, BUFFER, BUFFER + 1] {
            let promised = vec![7; size];
            let other = [&promised[1..], &[8]].concat();
            let longer = [&promised[..], &[7]].concat();
            for (found, reason) in [
                (&other[..], "digest mismatch"),
                (&longer, "bytes, got more"),
                (&promised[1..], "size mismatch"),
            ] {
                let (out, result) = read(&promised, found);
                assert!(out.len() < size, "{size} {reason}");
                let error = result.unwrap_err();
                assert!(error.contains(reason), "{error}");
            }
        }
        assert!(read(b"", b"x").1.is_err());
    }

    #[test]
    fn returns_nothing_from_a_file_of_another_size() {
        let promised = vec![7; 3 * BUFFER];
        for found in [&promised[1..], &[&promised[..], &[7]].concat()] {
            assert_eq!(read(&promised, found).0, b"");
        }
    }

    #[test]
    fn detects_a_file_that_changes_while_it_is_read() {
        let promised = vec![7; 3 * BUFFER];
        let descriptor = Descriptor::new(
            MediaType::OCI_LAYER,
            Digest::of(&promised),
            promised.len() as u64,
        );
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("blob");
        for (change, reason) in [
            (vec![8; promised.len()], "digest mismatch"),
            (promised[1..].to_vec(), "size mismatch"),
            ([&promised[..], &[7]].concat(), "bytes, got more"),
        ] {
            std::fs::write(&path, &promised).unwrap();
            let mut blob = BlobFile::open(&descriptor, &path).unwrap();
            blob.next_bytes().unwrap().unwrap();
            std::fs::write(&path, change).unwrap();
            let mut out = Vec::new();
            let error = read_to_end(blob, &mut out).unwrap_err();
            let error = std::error::Error::source(&error).unwrap().to_string();
            assert!(error.contains(reason), "{error}");
            assert!(out.len() < 2 * BUFFER);
        }
    }
}
