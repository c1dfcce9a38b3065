//! A bad line: passes bytes on between clients and one server, cuts each connection after so many bytes of
//! answers, and may be slow.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How bad the line is.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    /// Each connection is cut after so many bytes.
    pub(crate) cut_after: u64,
    /// Each connection brings so many bytes a second.
    pub(crate) rate: Option<u64>,
}

/// The line. Its threads end with their connections.
pub(crate) struct Cutter {
    port: u16,
    sent: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
    stopping: Arc<AtomicBool>,
}

impl Cutter {
    /// A line to a port of this machine.
    pub(crate) fn start(upstream: u16, line: Line) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cutter = Self {
            port: listener.local_addr().unwrap().port(),
            sent: Arc::default(),
            connections: Arc::default(),
            stopping: Arc::default(),
        };
        let (sent, connections, stopping) = (
            Arc::clone(&cutter.sent),
            Arc::clone(&cutter.connections),
            Arc::clone(&cutter.stopping),
        );
        thread::spawn(move || {
            for client in listener.incoming() {
                if stopping.load(Ordering::Relaxed) {
                    break;
                }
                let (Ok(client), Ok(server)) =
                    (client, TcpStream::connect(("127.0.0.1", upstream)))
                else {
                    continue;
                };
                connections.fetch_add(1, Ordering::Relaxed);
                let sent = Arc::clone(&sent);
                thread::spawn(move || pass(&client, &server, line, &sent));
            }
        });
        cutter
    }

    /// `localhost:port`
    pub(crate) fn name(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The bytes that were sent to clients.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The number of connections so far.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Ends when either side does, or the line is cut.
fn pass(client: &TcpStream, server: &TcpStream, line: Line, sent: &AtomicU64) {
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut client_end, mut server_end) = (client, server);
            let _ = io::copy(&mut client_end, &mut server_end);
            let _ = server.shutdown(Shutdown::Both);
        });
        let _ = answers(client, server, line, sent);
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    });
}

fn answers(
    mut client: &TcpStream,
    mut server: &TcpStream,
    line: Line,
    sent: &AtomicU64,
) -> io::Result<()> {
    // Little is on its way at a time, as on a real line.
    socket2::SockRef::from(client).set_send_buffer_size(256 << 10)?;
    let began = Instant::now();
    let mut buffer = vec![0; 64 << 10];
    let mut passed = 0;
    while passed < line.cut_after {
        let limit = usize::try_from(line.cut_after - passed)
            .map_or(buffer.len(), |rest| rest.min(buffer.len()));
        let count = server.read(&mut buffer[..limit])?;
        if count == 0 {
            break;
        }
        client.write_all(&buffer[..count])?;
        passed += count as u64;
        sent.fetch_add(count as u64, Ordering::Relaxed);
        if let Some(rate) = line.rate {
            let due = Duration::from_micros(passed * 1_000_000 / rate);
            // The speed of the line is what is simulated here.
            thread::sleep(due.saturating_sub(began.elapsed()));
        }
    }
    Ok(())
}
