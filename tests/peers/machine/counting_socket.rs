//! A socket in front of a daemon's: counts what clients send, and lets the test do something at a moment of its
//! choice before more is passed on.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::server::{wait_at_most, wait_until};

/// What a test does in between, once. It gets what the client sends.
type Action = Box<dyn FnOnce(&str) + Send>;

/// The paths by which daemons are asked to fetch an image.
const PULLS: [&str; 2] = ["/libpod/images/pull?", "/images/create?"];

/// After this time, a request that nobody waits for counts as stuck.
const STUCK: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Shared {
    sent: AtomicU64,
    stopping: AtomicBool,
    refuses_pulls: AtomicBool,
    /// The number of connections whose daemon still answers.
    open: AtomicUsize,
    action: Mutex<Option<(Moment, Action)>>,
}

/// When something is done.
enum Moment {
    /// When so many bytes have been sent.
    Sent(u64),
    /// When this is asked for.
    Asked(&'static str),
    /// When what this is asked for is answered with this.
    Answered(&'static str, &'static str),
}

impl Moment {
    fn has_come_to_ask(&self, sent: u64, request: &str) -> bool {
        match self {
            Self::Sent(count) => sent >= *count,
            Self::Asked(text) => request.contains(text),
            Self::Answered(..) => false,
        }
    }

    fn has_come_to_answer(&self, request: &str, answer: &str) -> bool {
        match self {
            Self::Answered(asked, text) => request.contains(asked) && answer.contains(text),
            Self::Sent(_) | Self::Asked(_) => false,
        }
    }
}

impl Shared {
    /// Does what is due, once.
    fn act(&self, text: &str, is_due: impl FnOnce(&Moment) -> bool) {
        let due = {
            let mut action = self.action.lock().unwrap();
            match &*action {
                Some((moment, _)) if is_due(moment) => action.take(),
                _ => None,
            }
        };
        if let Some((_, action)) = due {
            action(text);
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
                        shared.open.fetch_add(1, Ordering::SeqCst);
                        // How a connection ends is what clients are tested with.
                        let _ = pass(&client.unwrap(), &daemon, &shared);
                        shared.open.fetch_sub(1, Ordering::SeqCst);
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

    /// Does something with an answer that contains this, to a request that names that, before it is passed on.
    pub(crate) fn before_answer(
        &self,
        path: &'static str,
        answer: &'static str,
        action: impl FnOnce(&str) + Send + 'static,
    ) {
        let moment = Moment::Answered(path, answer);
        *self.shared.action.lock().unwrap() = Some((moment, Box::new(action)));
    }

    /// Waits until the daemon has ended all that it was asked to do.
    pub(crate) fn wait_until_idle(&self) {
        wait_until(|| self.is_idle()).unwrap();
    }

    /// The same for a daemon that may not end it. On a busy machine, podman 4.3 sometimes kept the answer to a pull open
    /// for more than a minute after its client had gone.
    pub(crate) fn wait_until_idle_or_stuck(&self) {
        let _ = wait_at_most(STUCK, || self.is_idle());
    }

    fn is_idle(&self) -> bool {
        self.shared.open.load(Ordering::SeqCst) == 0
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
    let last_request = Mutex::default();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = answers(client, &server, shared, &last_request);
            let _ = client.shutdown(Shutdown::Both);
        });
        let _ = requests(client, &server, shared, &last_request);
        // The daemon may still be answering what it got.
        let _ = server.shutdown(Shutdown::Write);
    });
    Ok(())
}

fn answers(
    mut client: &UnixStream,
    mut server: &UnixStream,
    shared: &Shared,
    last_request: &Mutex<String>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let mut is_wanted = true;
    loop {
        let count = server.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let request = last_request.lock().unwrap().clone();
        let text = String::from_utf8_lossy(&buffer[..count]);
        shared.act(&text, |moment| moment.has_come_to_answer(&request, &text));
        // What nobody reads any more shows when the daemon has ended its work.
        is_wanted = is_wanted && client.write_all(&buffer[..count]).is_ok();
        if !is_wanted {
            let _ = client.shutdown(Shutdown::Both);
        }
    }
}

fn requests(
    mut client: &UnixStream,
    mut server: &UnixStream,
    shared: &Shared,
    last_request: &Mutex<String>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let sent = shared.sent.fetch_add(count as u64, Ordering::SeqCst) + count as u64;
        let text = String::from_utf8_lossy(&buffer[..count]);
        shared.act(&text, |moment| moment.has_come_to_ask(sent, &text));
        if shared.refuses_pulls.load(Ordering::SeqCst)
            && PULLS.iter().any(|path| text.contains(path))
        {
            return Ok(());
        }
        if let Some((head, _)) = text.split_once(" HTTP/1.1\r\n") {
            head.clone_into(&mut last_request.lock().unwrap());
        }
        server.write_all(&buffer[..count])?;
    }
}
