//! A registry whose conversation is written down beforehand. It listens on loopback, on plain threads and raw
//! sockets, because truncation, resets and lies about lengths are what an HTTP library keeps one from sending.
//!
//! A test says which requests it expects and what each is answered. Dropping the registry fails the test if an
//! expected request never came or one came that nobody expected.

mod answer;
mod conversation;
mod request;

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::ServerConfig;
use socket2::{Domain, SockRef, Socket, Type};

pub(crate) use self::answer::Answer;
pub(crate) use self::request::{Expect, Request, delete, get, head, post};

/// No socket operation waits longer, so that a test never hangs.
const PATIENCE: Duration = Duration::from_secs(20);

type Respond = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

struct Line {
    expect: Expect,
    respond: Respond,
    served: usize,
}

#[derive(Default)]
struct State {
    script: Vec<Line>,
    requests: Vec<Request>,
    unexpected: Vec<Request>,
    connections: Vec<TcpStream>,
    /// What each TLS connection agreed to speak.
    protocols: Vec<Option<Vec<u8>>>,
    /// Whether the client of each showed a certificate.
    identified: Vec<bool>,
    accepted: usize,
    stalled: usize,
    stopping: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    body_bytes: AtomicU64,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The registry. It stops when it is dropped.
pub(crate) struct Registry {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    /// Until it listens.
    closed: Option<TcpListener>,
    acceptor: Option<JoinHandle<()>>,
}

impl Registry {
    /// Starts to listen on a free port of 127.0.0.1.
    pub(crate) fn start() -> Self {
        Self::listen("127.0.0.1:0", None)
    }

    /// The same on another address.
    pub(crate) fn start_at(address: &str) -> Self {
        Self::listen(address, None)
    }

    /// The same by https.
    pub(crate) fn start_with_tls(config: Arc<ServerConfig>) -> Self {
        Self::listen("127.0.0.1:0", Some(config))
    }

    /// One that is not there yet: its port is taken, so that nobody else gets it, and refuses connections.
    pub(crate) fn closed() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        socket.bind(&any.into()).unwrap();
        Self::of(socket.into(), "http")
    }

    /// Begins to listen.
    pub(crate) fn open(&mut self) {
        let listener = self.closed.take().unwrap();
        SockRef::from(&listener).listen(128).unwrap();
        self.accept(listener, None);
    }

    fn listen(address: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let mut registry = Self::of(TcpListener::bind(address).unwrap(), scheme);
        let listener = registry.closed.take().unwrap();
        registry.accept(listener, tls);
        registry
    }

    fn of(listener: TcpListener, scheme: &'static str) -> Self {
        Self {
            address: listener.local_addr().unwrap(),
            scheme,
            shared: Arc::default(),
            closed: Some(listener),
            acceptor: None,
        }
    }

    fn accept(&mut self, listener: TcpListener, tls: Option<Arc<ServerConfig>>) {
        let shared = Arc::clone(&self.shared);
        self.acceptor = Some(thread::spawn(move || {
            accept(&listener, tls.as_ref(), &shared);
        }));
    }

    /// `127.0.0.1:port`, the registry's name in a reference.
    pub(crate) fn name(&self) -> String {
        self.address.to_string()
    }

    /// `http://127.0.0.1:port/v2/`, what the classic `--registry` takes.
    pub(crate) fn url(&self) -> String {
        self.at("/v2/")
    }

    /// An address on this server.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// Adds a request to the script. Of several lines that a request matches, the first that is not used up counts.
    pub(crate) fn on(&self, expect: Expect, answer: Answer) -> &Self {
        self.on_each(expect, move |_| answer.clone())
    }

    /// Adds a request whose answer depends on it.
    pub(crate) fn on_each(
        &self,
        expect: Expect,
        respond: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> &Self {
        self.shared.state().script.push(Line {
            expect,
            respond: Arc::new(respond),
            served: 0,
        });
        self
    }

    /// The requests so far, in the order in which they came.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// The number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.state().accepted
    }

    /// What each TLS connection so far agreed to speak, by ALPN.
    pub(crate) fn protocols(&self) -> Vec<Option<Vec<u8>>> {
        self.shared.state().protocols.clone()
    }

    /// Whether the client of each TLS connection so far showed a certificate.
    pub(crate) fn identified(&self) -> Vec<bool> {
        self.shared.state().identified.clone()
    }

    /// The bytes of bodies that were sent so far.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.shared.body_bytes.load(Ordering::Relaxed)
    }

    /// Waits until an answer has stalled.
    pub(crate) fn wait_for_stall(&self) {
        self.wait_until("no answer stalled", |state| state.stalled > 0);
    }

    /// Waits until so many requests have come.
    pub(crate) fn wait_for_requests(&self, count: usize) {
        self.wait_until("too few requests", |state| state.requests.len() >= count);
    }

    fn wait_until(&self, complaint: &str, holds: impl Fn(&State) -> bool) {
        let (state, timeout) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.state(), PATIENCE, |state| !holds(state))
            .unwrap();
        assert!(
            !timeout.timed_out(),
            "{complaint}; requests so far: {:?}",
            lines(&state.requests)
        );
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        {
            let mut state = self.shared.state();
            state.stopping = true;
            for connection in &state.connections {
                let _ = connection.shutdown(Shutdown::Both);
            }
        }
        self.shared.changed.notify_all();
        // Wakes the acceptor, which then sees that it must stop.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        if thread::panicking() {
            return;
        }
        let state = self.shared.state();
        let missing: Vec<String> = state
            .script
            .iter()
            .filter(|line| line.expect.misses(line.served))
            .map(|line| format!("{:?}", line.expect))
            .collect();
        assert!(
            missing.is_empty(),
            "expected requests never came: {missing:#?}\nwhat came: {:#?}",
            lines(&state.requests)
        );
        assert!(
            state.unexpected.is_empty(),
            "unexpected requests came: {:#?}",
            state.unexpected
        );
    }
}

fn lines(requests: &[Request]) -> Vec<String> {
    requests.iter().map(Request::line).collect()
}

fn accept(listener: &TcpListener, tls: Option<&Arc<ServerConfig>>, shared: &Arc<Shared>) {
    let mut workers = Vec::new();
    for stream in listener.incoming() {
        let Ok(stream) = stream else { break };
        {
            let mut state = shared.state();
            if state.stopping {
                break;
            }
            state.accepted += 1;
            if let Ok(clone) = stream.try_clone() {
                state.connections.push(clone);
            }
        }
        let (tls, shared) = (tls.cloned(), Arc::clone(shared));
        workers.push(thread::spawn(move || {
            // A client that goes away is the client's business; the test sees what it did.
            let _ = conversation::hold(stream, tls, &shared);
        }));
    }
    for worker in workers {
        let _ = worker.join();
    }
}
