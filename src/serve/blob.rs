//! A blob on disk, streamed in chunks, so that memory does not grow with its size. A chunk in the kernel's cache is read
//! at once; another thread, which may block, reads chunks from the disk.
//!
//! The client verifies the digest, as the specification demands. The server sends the file that it found at the start: if
//! the file was changed or replaced since, the server hashes it before it sends any byte. A response reads one open file
//! from beginning to end.

use std::fs::File;
use std::io;
#[cfg(target_os = "linux")]
use std::io::IoSliceMut;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::identity::Identity;
use crate::oci::digest::Digest;

/// The maximum size of a chunk (128 KiB): large enough for few system calls, small enough for a thousand connections.
pub(super) const CHUNK_SIZE: usize = 128 << 10;

/// A file, with the digest and the size of its descriptor.
#[derive(Debug)]
pub(super) struct Blob {
    path: PathBuf,
    digest: Digest,
    size: u64,
    known: Mutex<Known>,
}

/// The file that was last verified, and whether it has the digest of the blob.
#[derive(Clone, Copy, Debug)]
struct Known {
    identity: Identity,
    is_right: bool,
}

impl Blob {
    /// Creates a blob. Its file has `size` bytes, and its path contains no symbolic links.
    pub(super) fn new(path: PathBuf, digest: Digest, size: u64) -> io::Result<Self> {
        let known = Known {
            identity: Identity::of(&path.symlink_metadata()?),
            is_right: true,
        };
        Ok(Self {
            path,
            digest,
            size,
            known: Mutex::new(known),
        })
    }

    /// The digest.
    pub(super) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Opens the file for one response.
    pub(super) async fn open(self: &Arc<Self>) -> io::Result<OpenBlob> {
        let blob = Arc::clone(self);
        let file = blocking(move || blob.open_file()).await?;
        Ok(OpenBlob {
            blob: Arc::clone(self),
            file: Arc::new(file),
        })
    }

    /// Opens the file that was found at the start. It opens no link, pipe or file of other content that took its place
    /// since. Another file with the same content is fine: `nix-store --optimise` replaces files like this.
    fn open_file(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
        let mut file = File::from(open_without_links(&self.path, flags)?);
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() != self.size {
            return Err(another_file());
        }
        let identity = Identity::of(&metadata);
        // Other requests for this blob wait until the file is hashed.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.identity != identity {
            let found = self.digest.hasher().read(&mut file)?;
            *known = Known {
                identity,
                is_right: found == self.digest,
            };
        }
        if known.is_right {
            Ok(file)
        } else {
            Err(another_file())
        }
    }
}

/// An open file of a blob.
#[derive(Clone, Debug)]
pub(super) struct OpenBlob {
    pub(super) blob: Arc<Blob>,
    file: Arc<File>,
}

impl OpenBlob {
    /// Streams the bytes of `range`. A file that ends earlier is an error.
    pub(super) fn read(&self, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + use<> {
        chunks(Arc::clone(&self.file), range)
    }
}

fn another_file() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        "another file took the place of the blob",
    )
}

/// Streams the bytes of `range` in chunks.
fn chunks(file: Arc<File>, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((file, range), async |(file, range)| {
        if range.is_empty() {
            return Ok(None);
        }
        let chunk = match read_cached(&file, &range) {
            Some(chunk) => chunk,
            None => read_chunk(Arc::clone(&file), range.clone()).await?,
        };
        let done = range.start.saturating_add(chunk.len() as u64);
        Ok(Some((chunk, (file, done..range.end))))
    })
}

/// Opens a path, of which no component may be a symbolic link. If the kernel cannot check the directories, only the last
/// component is checked.
#[cfg(target_os = "linux")]
fn open_without_links(path: &Path, flags: OFlags) -> Result<std::os::fd::OwnedFd, Errno> {
    use rustix::fs::{CWD, ResolveFlags, openat2};
    match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        // Linux before 5.6, and sandboxes that do not know this system call.
        Err(Errno::NOSYS | Errno::PERM) => rustix::fs::open(path, flags, Mode::empty()),
        opened => opened,
    }
}

#[cfg(not(target_os = "linux"))]
fn open_without_links(path: &Path, flags: OFlags) -> Result<std::os::fd::OwnedFd, Errno> {
    rustix::fs::open(path, flags, Mode::empty())
}

/// Returns the first bytes of `range`, if they are in the kernel's cache. This never waits for a disk. Reading them in
/// another thread takes more than twice the processor time.
#[cfg(target_os = "linux")]
fn read_cached(file: &File, range: &Range<u64>) -> Option<Bytes> {
    use rustix::io::{ReadWriteFlags, preadv2};
    let mut chunk = empty_chunk(range);
    let mut slices = [IoSliceMut::new(&mut chunk)];
    let read = preadv2(file, &mut slices, range.start, ReadWriteFlags::NOWAIT).ok()?;
    chunk.truncate(read);
    // At the end of a file, `read_chunk` returns the error.
    (!chunk.is_empty()).then(|| chunk.into())
}

#[cfg(not(target_os = "linux"))]
fn read_cached(_: &File, _: &Range<u64>) -> Option<Bytes> {
    None
}

/// Reads the first bytes of `range`, which is not empty, in a thread that may wait for a disk.
async fn read_chunk(file: Arc<File>, range: Range<u64>) -> io::Result<Bytes> {
    blocking(move || {
        let mut chunk = empty_chunk(&range);
        let read = file.read_at(&mut chunk, range.start)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        chunk.truncate(read);
        Ok(chunk.into())
    })
    .await
}

/// Returns a buffer for the first bytes of `range`.
fn empty_chunk(range: &Range<u64>) -> Vec<u8> {
    let length = range.end.saturating_sub(range.start);
    vec![0; usize::try_from(length).map_or(CHUNK_SIZE, |length| length.min(CHUNK_SIZE))]
}

/// Runs work that may wait for a disk in a thread where no other task waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::TryStreamExt as _;
    use std::os::unix::fs::symlink;

    fn blob(content: &[u8]) -> (tempfile::TempDir, Blob) {
        let directory = tempfile::tempdir().unwrap();
        // Where temporary files are may be a link itself.
        let path = directory.path().canonicalize().unwrap().join("blob");
        std::fs::write(&path, content).unwrap();
        let size = content.len() as u64;
        (
            directory,
            Blob::new(path, Digest::of(content), size).unwrap(),
        )
    }

    async fn read(blob: &Blob, range: Range<u64>) -> io::Result<Vec<Bytes>> {
        chunks(Arc::new(blob.open_file()?), range)
            .try_collect()
            .await
    }

    #[tokio::test]
    async fn streams_any_range_in_bounded_chunks() {
        let content: Vec<u8> = (0..CHUNK_SIZE * 3 + 7)
            .map(|position| u8::try_from(position % 251).unwrap())
            .collect();
        let (_directory, blob) = blob(&content);
        for range in [0..content.len(), 1..2, 5..5, CHUNK_SIZE - 1..content.len()] {
            let chunks = read(&blob, range.start as u64..range.end as u64)
                .await
                .unwrap();
            assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK_SIZE));
            assert_eq!(chunks.concat(), &content[range]);
        }
    }

    #[tokio::test]
    async fn a_file_that_becomes_shorter_is_an_error_not_an_end() {
        let (_directory, blob) = blob(b"layer");
        let chunks = chunks(Arc::new(blob.open_file().unwrap()), 0..5);
        std::fs::write(&blob.path, b"").unwrap();
        let chunks: io::Result<Vec<Bytes>> = chunks.try_collect().await;
        assert_eq!(chunks.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn whatever_took_the_files_place_is_not_given_away() {
        let (directory, blob) = blob(b"layer");
        let secret = directory.path().join("secret");
        std::fs::write(&secret, b"12345").unwrap();

        std::fs::remove_file(&blob.path).unwrap();
        assert_eq!(
            read(&blob, 0..5).await.unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
        symlink(&secret, &blob.path).unwrap();
        assert!(read(&blob, 0..5).await.is_err(), "a link");
        std::fs::remove_file(&blob.path).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &blob.path,
            rustix::fs::FileType::Fifo,
            Mode::RUSR,
            0,
        )
        .unwrap();
        assert!(read(&blob, 0..5).await.is_err(), "a pipe");
        std::fs::remove_file(&blob.path).unwrap();
        std::fs::write(&blob.path, b"longer than it was").unwrap();
        assert!(read(&blob, 0..5).await.is_err(), "another file");
    }

    #[tokio::test]
    async fn a_file_of_the_same_size_that_took_its_place_goes_out_only_if_it_is_the_same_content() {
        let (directory, blob) = blob(b"layer");
        let other = directory.path().join("other");
        for (content, is_right) in [(b"LAYER", false), (b"layer", true), (b"Layer", false)] {
            std::fs::write(&other, content).unwrap();
            std::fs::rename(&other, &blob.path).unwrap();
            // A second request has the same result.
            for _ in 0..2 {
                let found = read(&blob, 0..5).await.map(|chunks| chunks.concat());
                match found {
                    Ok(found) => assert!(is_right && found == b"layer"),
                    Err(error) => {
                        assert!(!is_right);
                        assert_eq!(error.kind(), io::ErrorKind::NotFound);
                    }
                }
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_directory_that_became_a_link_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap();
        std::fs::create_dir(path.join("blobs")).unwrap();
        std::fs::create_dir(path.join("secrets")).unwrap();
        std::fs::write(path.join("secrets/blob"), b"12345").unwrap();
        std::fs::write(path.join("blobs/blob"), b"12345").unwrap();
        let blob = Blob::new(path.join("blobs/blob"), Digest::of(b"12345"), 5).unwrap();
        std::fs::remove_dir_all(path.join("blobs")).unwrap();
        symlink(path.join("secrets"), path.join("blobs")).unwrap();
        assert!(read(&blob, 0..5).await.is_err());
    }
}
