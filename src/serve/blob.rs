//! A blob on disk: checked once before the first byte leaves, then streamed in chunks, so that memory does not
//! grow with its size.

use std::io::{self, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::sync::OnceCell;

use crate::digest::Digest;

/// Enough to keep system calls rare, small enough that a hundred connections stay small.
const CHUNK_SIZE: usize = 128 << 10;

/// A file that must have a certain digest and size.
#[derive(Debug)]
pub(super) struct Blob {
    path: PathBuf,
    digest: Digest,
    size: u64,
    verified: OnceCell<()>,
}

impl Blob {
    /// A blob whose file was seen to have `size` bytes.
    pub(super) fn new(path: PathBuf, digest: Digest, size: u64) -> Self {
        Self {
            path,
            digest,
            size,
            verified: OnceCell::new(),
        }
    }

    /// The length in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The file, once its digest is known to be right. A layout's blobs may be links, and one that leads to some
    /// other file must not give that file away, not even in part.
    pub(super) async fn open(&self) -> io::Result<File> {
        self.verified.get_or_try_init(|| self.verify()).await?;
        File::open(&self.path).await
    }

    async fn verify(&self) -> io::Result<()> {
        let mut file = File::open(&self.path).await?;
        let mut hasher = self.digest.hasher();
        let mut chunk = BytesMut::with_capacity(CHUNK_SIZE);
        // A digest of more than `size` bytes is wrong anyway, and the file may be growing.
        let mut rest = (&mut file).take(self.size.saturating_add(1));
        while rest.read_buf(&mut chunk).await? != 0 {
            hasher.update(&chunk);
            chunk.clear();
        }
        if hasher.finish() == self.digest {
            Ok(())
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "{} does not have the digest {}",
                    self.path.display(),
                    self.digest
                ),
            ))
        }
    }
}

/// The bytes of `range`, an error where the file ends before it does.
pub(super) async fn read(
    mut file: File,
    range: Range<u64>,
) -> io::Result<impl Stream<Item = io::Result<Bytes>>> {
    file.seek(SeekFrom::Start(range.start)).await?;
    let remaining = range.end.saturating_sub(range.start);
    Ok(stream::try_unfold(
        (file, remaining),
        |(mut file, remaining)| async move {
            if remaining == 0 {
                return Ok(None);
            }
            let mut chunk = BytesMut::with_capacity(
                usize::try_from(remaining)
                    .map_or(CHUNK_SIZE, |remaining| remaining.min(CHUNK_SIZE)),
            );
            let read = (&mut file).take(remaining).read_buf(&mut chunk).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let remaining = remaining.saturating_sub(read as u64);
            Ok(Some((chunk.freeze(), (file, remaining))))
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::TryStreamExt as _;

    fn blob(content: &[u8], digest: Digest) -> (tempfile::NamedTempFile, Blob) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let blob = Blob::new(file.path().to_owned(), digest, content.len() as u64);
        (file, blob)
    }

    #[tokio::test]
    async fn streams_any_range_in_bounded_chunks() {
        let content: Vec<u8> = (0..CHUNK_SIZE * 3 + 7)
            .map(|position| u8::try_from(position % 251).unwrap())
            .collect();
        let (_file, blob) = blob(&content, Digest::of(&content));
        for range in [0..content.len(), 1..2, 5..5, CHUNK_SIZE - 1..content.len()] {
            let file = blob.open().await.unwrap();
            let chunks: Vec<Bytes> = read(file, range.start as u64..range.end as u64)
                .await
                .unwrap()
                .try_collect()
                .await
                .unwrap();
            assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK_SIZE));
            assert_eq!(chunks.concat(), &content[range]);
        }
    }

    #[tokio::test]
    async fn a_file_with_another_digest_is_never_opened() {
        let (_file, blob) = blob(b"root:x:0:0", Digest::of(b"layer"));
        let error = blob.open().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(
            error.to_string().contains("does not have the digest"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_is_an_error_not_an_end() {
        let (path, blob) = blob(b"layer", Digest::of(b"layer"));
        let file = blob.open().await.unwrap();
        std::fs::write(path.path(), b"lay").unwrap();
        let read: io::Result<Vec<Bytes>> = read(file, 0..5).await.unwrap().try_collect().await;
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
