//! `hocker serve` in the background, and raw requests to it.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::hocker::{Outcome, Running, hocker};

/// Nobody waits longer for a byte.
const PATIENCE: Duration = Duration::from_secs(60);

/// A registry of images on disk. It is killed if it is dropped before it is stopped.
pub(crate) struct Serving {
    running: Running,
    address: SocketAddr,
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The status line and the fields, in lowercase.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Serving {
    /// `hocker serve ARGUMENT…` on a free port of loopback.
    pub(crate) fn start<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Self {
        let run = hocker(["serve", "--listen", "127.0.0.1:0"]).arguments(arguments);
        let mut running = run.start();
        let line = running.first_line();
        let Some(address) = line.strip_prefix("http://") else {
            panic!("it does not listen: {}", running.finish());
        };
        Self {
            address: address.parse().unwrap(),
            running,
        }
    }

    /// `127.0.0.1:port`, the registry's name in a reference.
    pub(crate) fn name(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// A connection.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends bytes and reads whatever comes until the server closes the connection.
    pub(crate) fn send(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        // The server may have seen enough before it has read everything.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    /// One request, with these further fields.
    pub(crate) fn ask(&self, method: &str, target: &str, fields: &str) -> Reply {
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{fields}\r\n",
            self.address
        );
        Reply::parse(&self.send(request.as_bytes()))
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn stop(self) -> Outcome {
        self.running.terminate();
        self.running.finish()
    }
}

impl Reply {
    /// Splits an answer.
    pub(crate) fn parse(answer: &[u8]) -> Self {
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(answer)));
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_ascii_lowercase(),
            body: answer[end + 4..].to_vec(),
        }
    }

    /// A field's value.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}
