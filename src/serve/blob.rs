//! A blob on disk, streamed in chunks, so that memory does not grow with its size. Its digest is for the client
//! to check, as the specification asks of every client.

use std::io::{self, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

/// Enough to keep system calls rare, small enough that a hundred connections stay small.
const CHUNK_SIZE: usize = 128 << 10;

/// A file, with the size that its descriptor says.
#[derive(Debug)]
pub(super) struct Blob {
    path: PathBuf,
    size: u64,
}

impl Blob {
    /// A blob whose file was seen to have `size` bytes.
    pub(super) fn new(path: PathBuf, size: u64) -> Self {
        Self { path, size }
    }

    /// The length in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Opens the file.
    pub(super) async fn open(&self) -> io::Result<File> {
        File::open(&self.path).await
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

    fn blob(content: &[u8]) -> (tempfile::NamedTempFile, Blob) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let blob = Blob::new(file.path().to_owned(), content.len() as u64);
        (file, blob)
    }

    #[tokio::test]
    async fn streams_any_range_in_bounded_chunks() {
        let content: Vec<u8> = (0..CHUNK_SIZE * 3 + 7)
            .map(|position| u8::try_from(position % 251).unwrap())
            .collect();
        let (_file, blob) = blob(&content);
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
    async fn a_file_that_became_shorter_is_an_error_not_an_end() {
        let (path, blob) = blob(b"layer");
        let file = blob.open().await.unwrap();
        std::fs::write(path.path(), b"lay").unwrap();
        let read: io::Result<Vec<Bytes>> = read(file, 0..5).await.unwrap().try_collect().await;
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
