//! One connection: requests are read, looked up in the script, and answered, faults included.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::answer::{Answer, Body, Fault, Framing};
use super::request::Request;
use super::{PATIENCE, Shared};

/// Requests with longer heads are cut off.
const MAX_HEAD: usize = 64 << 10;

/// Bodies are written in pieces of this size, so that what was sent can be counted on the way.
const PIECE: usize = 64 << 10;

/// A connection, with TLS or without, and the socket under it.
trait Stream: Read + Write {
    fn socket(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Stream for StreamOwned<ServerConnection, TcpStream> {
    fn socket(&self) -> &TcpStream {
        &self.sock
    }
}

/// Talks over one connection until it ends.
pub(super) fn hold(
    socket: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    shared: &Shared,
) -> io::Result<()> {
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.set_nodelay(true)?;
    match tls {
        None => converse(socket, shared),
        Some(config) => {
            let connection = ServerConnection::new(config).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(connection, socket);
            while stream.conn.is_handshaking() {
                stream.conn.complete_io(&mut stream.sock)?;
            }
            let protocol = stream.conn.alpn_protocol().map(<[u8]>::to_vec);
            let identified = stream.conn.peer_certificates().is_some();
            {
                let mut state = shared.state();
                state.protocols.push(protocol);
                state.identified.push(identified);
            }
            converse(stream, shared)
        }
    }
}

fn converse(mut stream: impl Stream, shared: &Shared) -> io::Result<()> {
    while let Some(request) = read_request(&mut stream)? {
        let respond = {
            let mut state = shared.state();
            state.requests.push(request.clone());
            shared.changed.notify_all();
            let line = state
                .script
                .iter_mut()
                .find(|line| line.expect.admits(&request, line.served));
            if let Some(line) = line {
                line.served += 1;
                Some(Arc::clone(&line.respond))
            } else {
                state.unexpected.push(request.clone());
                None
            }
        };
        let answer = match respond {
            Some(respond) => respond(&request),
            None => Answer::error(418, "UNSCRIPTED"),
        };
        let address = stream.socket().peer_addr()?;
        let sent = send(&mut stream, &request, &answer, shared);
        if !matches!(sent, Ok(true)) {
            // The clone in the list would keep the connection open.
            shared
                .state()
                .connections
                .retain(|other| other.peer_addr().is_ok_and(|other| other != address));
            return sent.map(|_| ());
        }
    }
    Ok(())
}

fn read_request(stream: &mut impl Stream) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 || head.len() > MAX_HEAD {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut request = Request {
        method,
        target,
        at: Instant::now(),
        headers,
        body: Vec::new(),
    };
    if let Some(length) = request.header("content-length") {
        let length: usize = length.parse().map_err(io::Error::other)?;
        request.body = vec![0; length];
        stream.read_exact(&mut request.body)?;
    } else if request.header("transfer-encoding") == Some("chunked") {
        request.body = read_chunks(stream)?;
    }
    Ok(Some(request))
}

/// A body in chunks. One that is broken off is an error, and its request never came.
fn read_chunks(stream: &mut impl Stream) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let length = usize::from_str_radix(&read_line(stream)?, 16).map_err(io::Error::other)?;
        let start = body.len();
        body.resize(start + length, 0);
        stream.read_exact(&mut body[start..])?;
        read_line(stream)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

/// A line without its end.
fn read_line(stream: &mut impl Stream) -> io::Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    line.truncate(line.len() - 2);
    String::from_utf8(line).map_err(io::Error::other)
}

/// Sends the answer; false if the connection is over.
fn send(
    stream: &mut impl Stream,
    request: &Request,
    answer: &Answer,
    shared: &Shared,
) -> io::Result<bool> {
    match answer.fault {
        Fault::CloseBeforeHead => {
            stream.socket().shutdown(Shutdown::Both)?;
            return Ok(false);
        }
        Fault::ResetBeforeHead => return reset(stream),
        Fault::StallBeforeHead => {
            stall(shared);
            return Ok(false);
        }
        _ => stream.write_all(answer.head().as_bytes())?,
    }
    if request.method == "HEAD" {
        stream.flush()?;
        return Ok(true);
    }
    send_body(stream, answer, shared)?;
    match answer.fault {
        Fault::None => {
            if answer.framing == Framing::Chunked {
                stream.write_all(b"0\r\n\r\n")?;
            }
            stream.flush()?;
            let over = answer.framing == Framing::UntilClose || answer.content_length.is_some();
            if over {
                stream.socket().shutdown(Shutdown::Write)?;
            }
            Ok(!over)
        }
        Fault::ResetAfter(_) => reset(stream),
        Fault::StallAfter(_) | Fault::StallBeforeHead => {
            stall(shared);
            Ok(false)
        }
        Fault::CloseAfter(_) | Fault::CloseBeforeHead | Fault::ResetBeforeHead => {
            stream.socket().shutdown(Shutdown::Write)?;
            Ok(false)
        }
    }
}

fn send_body(stream: &mut impl Stream, answer: &Answer, shared: &Shared) -> io::Result<()> {
    let mut write = |piece: &[u8]| {
        write_piece(stream, answer.framing, piece)?;
        shared
            .body_bytes
            .fetch_add(piece.len() as u64, Ordering::Relaxed);
        Ok::<_, io::Error>(())
    };
    let limit = answer.fault.limit();
    match &answer.body {
        Body::Bytes(bytes) => {
            let bytes = &bytes[..limit.min(bytes.len())];
            let from = answer.drip.map_or(bytes.len(), |drip| drip.from);
            let (at_once, slowly) = bytes.split_at(from.min(bytes.len()));
            for piece in at_once.chunks(PIECE) {
                write(piece)?;
            }
            if let Some(drip) = answer.drip {
                for piece in slowly.chunks(drip.piece) {
                    if shared.state().stopping {
                        break;
                    }
                    // The speed of the answer is what is scripted here.
                    thread::sleep(drip.pause);
                    write(piece)?;
                }
            }
        }
        Body::Repeated(chunk, count) => {
            for _ in 0..*count {
                write(chunk)?;
            }
        }
    }
    stream.flush()
}

fn reset(stream: &impl Stream) -> io::Result<bool> {
    socket2::SockRef::from(stream.socket()).set_linger(Some(Duration::ZERO))?;
    Ok(false)
}

fn stall(shared: &Shared) {
    let mut state = shared.state();
    state.stalled += 1;
    shared.changed.notify_all();
    let patience = shared
        .changed
        .wait_timeout_while(state, PATIENCE, |state| !state.stopping);
    drop(patience);
}

fn write_piece(stream: &mut impl Stream, framing: Framing, piece: &[u8]) -> io::Result<()> {
    if framing == Framing::Chunked && !piece.is_empty() {
        write!(stream, "{:x}\r\n", piece.len())?;
        stream.write_all(piece)?;
        stream.write_all(b"\r\n")
    } else {
        stream.write_all(piece)
    }
}
