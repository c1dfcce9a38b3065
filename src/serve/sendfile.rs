//! Parts of files that the kernel itself copies to a client, so that their bytes never come through this process: that
//! takes less than half the processor time.
//!
//! hyper writes what bodies give it, and knows of no files. So a body gives it a stand-in: as many bytes of a
//! memory that holds nothing, and that is used for nothing else. The socket below knows that memory by its address,
//! and in place of it sends the file's part that was announced with it. Vectored writes are what hands the address
//! through (`writev(true)`): without them hyper would copy the nothing.
//!
//! Source: sendfile(2).

use std::fs::File;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// The longest part. Many clients at once take turns of this length.
pub(super) const PART_SIZE: usize = 512 << 10;

/// hyper has one or two of them in hand. Were it to copy stand-ins, what was announced would never be asked for: then
/// the answer breaks off here, rather than to go on with nothing.
const MOST_ANNOUNCED: usize = 16;

/// Nobody reads or writes it, and so the kernel gives it no memory.
static NOTHING: LazyLock<Bytes> = LazyLock::new(|| vec![0; PART_SIZE].into());

/// A part of a file, as far as it is still to be sent.
#[derive(Debug)]
struct Part {
    file: Arc<File>,
    range: Range<u64>,
}

/// Where the bodies of one connection announce what stands behind their stand-ins.
#[derive(Clone, Debug)]
pub(super) struct Announcements(SyncSender<Part>);

impl Announcements {
    /// What to give hyper so that the socket sends the beginning of `range` of the file. Stand-ins must be given to it
    /// in the order in which they were made, and each one whole.
    pub(super) fn stand_in(&self, file: Arc<File>, range: &Range<u64>) -> io::Result<Bytes> {
        let length = length_of(range).min(NOTHING.len());
        let range = range.start..range.start.saturating_add(length as u64);
        match self.0.try_send(Part { file, range }) {
            // If the socket is gone, nobody will miss it.
            Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(NOTHING.slice(..length)),
            Err(full @ TrySendError::Full(_)) => Err(io::Error::other(full)),
        }
    }
}

fn length_of(range: &Range<u64>) -> usize {
    usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX)
}

/// A connection to a client that sends files' parts for their stand-ins.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    announced: Receiver<Part>,
    current: Option<Part>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> (Self, Announcements) {
        let (sender, announced) = sync_channel(MOST_ANNOUNCED);
        let socket = Self {
            stream,
            announced,
            current: None,
        };
        (socket, Announcements(sender))
    }

    /// Sends some of what a stand-in of this length stands for.
    fn poll_send(&mut self, context: &mut Context<'_>, length: usize) -> Poll<io::Result<usize>> {
        let part = match self.current.take() {
            Some(part) => part,
            None => self.announced.try_recv().map_err(io::Error::other)?,
        };
        let part = self.current.insert(part);
        let sent = loop {
            ready!(self.stream.poll_write_ready(context))?;
            let attempt = || send(&self.stream, part, length);
            match self.stream.try_io(Interest::WRITABLE, attempt) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => break sent?,
            }
        };
        part.range.start = part.range.start.saturating_add(sent as u64);
        if part.range.is_empty() {
            self.current = None;
        }
        Poll::Ready(Ok(sent))
    }
}

/// Sends at most so many bytes from the beginning of a part.
fn send(stream: &TcpStream, part: &Part, length: usize) -> io::Result<usize> {
    let length = length.min(length_of(&part.range));
    let sent = match by_kernel(stream, part, length) {
        // Some file systems, and sandboxes that allow what they know.
        Err(error) if is_unsupported(&error) => copy(stream, part, length),
        sent => sent,
    };
    match sent {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        sent => sent,
    }
}

#[cfg(target_os = "linux")]
fn by_kernel(stream: &TcpStream, part: &Part, length: usize) -> io::Result<usize> {
    let mut position = part.range.start;
    Ok(rustix::fs::sendfile(
        stream,
        &part.file,
        Some(&mut position),
        length,
    )?)
}

#[cfg(not(target_os = "linux"))]
fn by_kernel(_: &TcpStream, _: &Part, _: usize) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

fn is_unsupported(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported)
}

/// Reads some bytes and writes as many of them as fit. What does not is read again.
fn copy(stream: &TcpStream, part: &Part, length: usize) -> io::Result<usize> {
    let mut bytes = [0; 16 << 10];
    let length = length.min(bytes.len());
    let bytes = bytes.get_mut(..length).unwrap_or_default();
    let read = part.file.read_at(bytes, part.range.start)?;
    let bytes = bytes.get(..read).unwrap_or_default();
    stream.try_write(bytes)
}

fn is_stand_in(slice: &IoSlice<'_>) -> bool {
    // Where an empty slice lies means nothing.
    !slice.is_empty() && NOTHING.as_ptr_range().contains(&slice.as_ptr())
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut slices = slices;
        while let [first, rest @ ..] = slices
            && first.is_empty()
        {
            slices = rest;
        }
        let bytes = slices
            .iter()
            .take_while(|slice| !is_stand_in(slice))
            .count();
        match slices {
            [stand_in, ..] if bytes == 0 => self.poll_send(context, stand_in.len()),
            _ => {
                let slices = slices.get(..bytes).unwrap_or_default();
                Pin::new(&mut self.stream).poll_write_vectored(context, slices)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Two ends of a connection.
    async fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await;
        (client.unwrap(), listener.accept().await.unwrap().0)
    }

    fn file(content: &[u8]) -> Arc<File> {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(content, 0).unwrap();
        Arc::new(file)
    }

    /// Writes as hyper does, and gives what arrives.
    async fn received(mut socket: Socket, client: TcpStream, mut bufs: Vec<Bytes>) -> Vec<u8> {
        let mut client = client;
        let reading = tokio::spawn(async move {
            let mut received = Vec::new();
            client.read_to_end(&mut received).await.unwrap();
            received
        });
        while !bufs.is_empty() {
            let slices: Vec<IoSlice<'_>> = bufs.iter().map(|buf| IoSlice::new(buf)).collect();
            let mut written = socket.write_vectored(&slices).await.unwrap();
            while let Some(first) = bufs.first_mut() {
                let of_first = written.min(first.len());
                written -= of_first;
                drop(first.split_to(of_first));
                if !first.is_empty() {
                    break;
                }
                bufs.remove(0);
            }
        }
        drop(socket);
        reading.await.unwrap()
    }

    #[tokio::test]
    async fn files_parts_arrive_in_place_of_their_stand_ins_and_other_bytes_as_they_are() {
        let content: Vec<u8> = (0..PART_SIZE * 3)
            .map(|position| u8::try_from(position % 251).unwrap())
            .collect();
        let (client, server) = connected().await;
        let (socket, announcements) = Socket::new(server);
        let file = file(&content);
        let stand_in = |range: Range<usize>| {
            let range = range.start as u64..range.end as u64;
            announcements.stand_in(Arc::clone(&file), &range).unwrap()
        };
        let sent = vec![
            Bytes::new(),
            Bytes::from_static(b"head"),
            stand_in(7..20),
            // No more than a part of it.
            stand_in(1..content.len()),
            Bytes::new(),
            Bytes::from_static(b"between"),
            stand_in(0..1),
        ];
        let expected = [
            b"head",
            &content[7..20],
            &content[1..=PART_SIZE],
            b"between",
            &content[..1],
        ];
        assert!(received(socket, client, sent).await == expected.concat());
    }

    #[tokio::test]
    async fn what_the_kernel_cannot_send_is_copied() {
        // A file that says nothing of its size and, since Linux 5.10, cannot be spliced.
        let path = "/proc/self/cmdline";
        let content = std::fs::read(path).unwrap();
        let (client, server) = connected().await;
        let (socket, announcements) = Socket::new(server);
        let file = Arc::new(File::open(path).unwrap());
        let stand_in = announcements
            .stand_in(file, &(1..content.len() as u64))
            .unwrap();
        assert_eq!(received(socket, client, vec![stand_in]).await, content[1..]);
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_is_an_error_not_an_end() {
        let (_client, server) = connected().await;
        let (mut socket, announcements) = Socket::new(server);
        let file = file(b"layer");
        let stand_in = announcements.stand_in(Arc::clone(&file), &(2..5)).unwrap();
        file.set_len(2).unwrap();
        let error = socket.write(&stand_in).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn stand_ins_that_nobody_asks_for_end_the_answer() {
        let (_client, server) = connected().await;
        let (_socket, announcements) = Socket::new(server);
        let file = file(b"layer");
        let stand_in = || announcements.stand_in(Arc::clone(&file), &(0..5));
        for _ in 0..MOST_ANNOUNCED {
            stand_in().unwrap();
        }
        assert!(stand_in().is_err());
    }
}
