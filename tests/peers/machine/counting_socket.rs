//! A socket in front of a daemon's: counts what clients send, and lets the test do something at a moment of its
//! choice before more is passed on.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

/// What a test does in between, once. It gets what the client sends.
type Action = Box<dyn FnOnce(&str) + Send>;

/// The paths by which daemons are asked to fetch an image.
const PULLS: [&str; 2] = ["/libpod/images/pull?", "/images/create?"];

#[derive(Default)]
struct Shared {
    sent: AtomicU64,
    stopping: AtomicBool,
    refuses_pulls: AtomicBool,
    action: Mutex<Option<(Moment, Action)>>,
}

/// When something is done.
enum Moment {
    /// When so many bytes have been sent.
    Sent(u64),
    /// When this is asked for.
    Asked(&'static str),
}

impl Moment {
    fn has_come(&self, sent: u64, bytes: &[u8]) -> bool {
        match self {
            Self::Sent(count) => sent >= *count,
            Self::Asked(text) => String::from_utf8_lossy(bytes).contains(text),
        }
    }
}

/// The socket. Its threads end with their connections.
pub(crate) struct CountingSocket {
    path: PathBuf,
    shared: Arc<Shared>,
    _directory: TempDir,
}

impl CountingSocket {
    /// Begins to pass on to the daemon.
    pub(crate) fn before(daemon: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let shared = Arc::<Shared>::default();
        let daemon = daemon.to_owned();
        thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for client in listener.incoming() {
                    if shared.stopping.load(Ordering::Relaxed) {
                        return;
                    }
                    let (shared, daemon) = (Arc::clone(&shared), daemon.clone());
                    thread::spawn(move || {
                        // How a connection ends is what clients are tested with.
                        let _ = pass(&client.unwrap(), &daemon, &shared);
                    });
                }
            }
        });
        Self {
            path,
            shared,
            _directory: directory,
        }
    }

    /// The same, but requests that let the daemon fetch an image break off.
    pub(crate) fn without_pulls(daemon: &Path) -> Self {
        let socket = Self::before(daemon);
        socket.shared.refuses_pulls.store(true, Ordering::SeqCst);
        socket
    }

    /// Its address.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// The bytes that clients have sent since this was asked last.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.swap(0, Ordering::SeqCst)
    }

    /// Does something when so many more bytes have been sent, and before these are passed on.
    pub(crate) fn after(&self, bytes: u64, action: impl FnOnce() + Send + 'static) {
        self.shared.sent.store(0, Ordering::SeqCst);
        let action = Box::new(|_: &str| action());
        *self.shared.action.lock().unwrap() = Some((Moment::Sent(bytes), action));
    }

    /// Does something with a request that names this, before it is passed on.
    pub(crate) fn before_request(
        &self,
        path: &'static str,
        action: impl FnOnce(&str) + Send + 'static,
    ) {
        *self.shared.action.lock().unwrap() = Some((Moment::Asked(path), Box::new(action)));
    }
}

impl Drop for CountingSocket {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        let _ = UnixStream::connect(&self.path);
    }
}

fn pass(client: &UnixStream, daemon: &Path, shared: &Shared) -> io::Result<()> {
    let server = UnixStream::connect(daemon)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut from, mut to) = (&server, client);
            let _ = io::copy(&mut from, &mut to);
            let _ = client.shutdown(Shutdown::Both);
        });
        let _ = requests(client, &server, shared);
        // The daemon may still be answering what it got.
        let _ = server.shutdown(Shutdown::Write);
    });
    Ok(())
}

fn requests(mut client: &UnixStream, mut server: &UnixStream, shared: &Shared) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let sent = shared.sent.fetch_add(count as u64, Ordering::SeqCst) + count as u64;
        let due = {
            let mut action = shared.action.lock().unwrap();
            match &*action {
                Some((moment, _)) if moment.has_come(sent, &buffer[..count]) => action.take(),
                _ => None,
            }
        };
        let text = String::from_utf8_lossy(&buffer[..count]);
        if let Some((_, action)) = due {
            action(&text);
        }
        if shared.refuses_pulls.load(Ordering::SeqCst)
            && PULLS.iter().any(|path| text.contains(path))
        {
            return Ok(());
        }
        server.write_all(&buffer[..count])?;
    }
}
