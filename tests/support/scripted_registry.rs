//! A registry whose conversation is written down beforehand. It listens on loopback, on plain threads and raw
//! sockets, because truncation, resets and lies about lengths are what an HTTP library keeps one from sending.
//!
//! A test says which requests it expects and what each is answered. Dropping the registry fails the test if an
//! expected request never came or one came that nobody expected.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// No socket operation waits longer, so that a test never hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Requests with longer heads are cut off.
const MAX_HEAD: usize = 64 << 10;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `GET`, …
    pub(crate) method: String,
    /// Path and query, as on the request line.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    /// The body, if one was sent.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a header, if it was sent.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// The decoded values of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Vec<String> {
        let url = url::Url::parse(&format!("http://host{}", self.target)).unwrap();
        url.query_pairs()
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    /// The decoded values of a field of the form that was sent.
    pub(crate) fn field(&self, name: &str) -> Vec<String> {
        url::form_urlencoded::parse(&self.body)
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    /// Method and target on one line.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// What a request must look like to be answered. A path without a query matches any query.
#[derive(Clone, Debug)]
pub(crate) struct Expect {
    method: String,
    target: String,
    with: Vec<(String, String)>,
    without: Vec<String>,
    times: Times,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    Once,
    AtLeastOnce,
    AnyNumber,
}

/// A GET that must come exactly once.
pub(crate) fn get(target: impl Into<String>) -> Expect {
    Expect {
        method: "GET".to_owned(),
        target: target.into(),
        with: Vec::new(),
        without: Vec::new(),
        times: Times::Once,
    }
}

/// A POST that must come exactly once.
pub(crate) fn post(target: impl Into<String>) -> Expect {
    Expect {
        method: "POST".to_owned(),
        ..get(target)
    }
}

impl Expect {
    /// The request must have this header with exactly this value.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.with.push((name.to_owned(), value.into()));
        self
    }

    /// The request must not have this header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.without.push(name.to_owned());
        self
    }

    /// It may come again, as it does where the client tries again.
    pub(crate) fn repeatedly(mut self) -> Self {
        self.times = Times::AtLeastOnce;
        self
    }

    /// It may come or not.
    pub(crate) fn perhaps(mut self) -> Self {
        self.times = Times::AnyNumber;
        self
    }

    fn matches(&self, request: &Request) -> bool {
        self.method == request.method
            && (self.target == request.target || self.target == request.path())
            && self
                .with
                .iter()
                .all(|(name, value)| request.header(name) == Some(value))
            && self
                .without
                .iter()
                .all(|name| request.header(name).is_none())
    }
}

/// What goes wrong while an answer is sent.
#[derive(Clone, Debug)]
enum Fault {
    None,
    /// The connection ends before the status line.
    CloseBeforeHead,
    /// The connection ends, in good order, after so many bytes of the body.
    CloseAfter(usize),
    /// The connection is reset after so many bytes of the body.
    ResetAfter(usize),
    /// Nothing more comes after so many bytes of the body, and the connection stays open.
    StallAfter(usize),
}

#[derive(Clone)]
enum Body {
    Bytes(Arc<Vec<u8>>),
    /// The same chunk so many times.
    Repeated(Arc<Vec<u8>>, u64),
}

impl Body {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Repeated(chunk, count) => chunk.len() as u64 * count,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    ContentLength,
    Chunked,
    UntilClose,
}

/// What a request is answered.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    framing: Framing,
    content_length: Option<u64>,
    fault: Fault,
}

impl Answer {
    /// An answer with this status and no body.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Bytes(Arc::default()),
            framing: Framing::ContentLength,
            content_length: None,
            fault: Fault::None,
        }
    }

    /// 200 with a body.
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        let mut answer = Self::status(200);
        answer.body = Body::Bytes(Arc::new(body.into()));
        answer
    }

    /// 200 with a body of `count` times `chunk`, which is never held in memory as a whole.
    pub(crate) fn repeated(chunk: Vec<u8>, count: u64) -> Self {
        let mut answer = Self::status(200);
        answer.body = Body::Repeated(Arc::new(chunk), count);
        answer
    }

    /// A redirect.
    pub(crate) fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::status(status).header("Location", location)
    }

    /// The distribution specification's error body.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::ok(format!(
            r#"{{"errors":[{{"code":"{code}","message":"scripted"}}]}}"#
        ))
        .with_status(status)
        .header("Content-Type", "application/json")
    }

    /// 401 with a challenge.
    pub(crate) fn challenge(challenge: impl Into<String>) -> Self {
        Self::error(401, "UNAUTHORIZED").header("WWW-Authenticate", challenge)
    }

    /// The same with another status.
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with one more header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The body comes in chunks, its length unsaid.
    pub(crate) fn chunked(mut self) -> Self {
        self.framing = Framing::Chunked;
        self
    }

    /// The body ends where the connection ends.
    pub(crate) fn until_close(mut self) -> Self {
        self.framing = Framing::UntilClose;
        self
    }

    /// The answer says that its body is this long, which need not be so.
    pub(crate) fn content_length(mut self, length: u64) -> Self {
        self.content_length = Some(length);
        self
    }

    /// The connection ends before anything was said.
    pub(crate) fn close_before_head() -> Self {
        let mut answer = Self::status(200);
        answer.fault = Fault::CloseBeforeHead;
        answer
    }

    /// The connection ends in good order after `count` bytes of the body.
    pub(crate) fn close_after(mut self, count: usize) -> Self {
        self.fault = Fault::CloseAfter(count);
        self
    }

    /// The connection is reset after `count` bytes of the body.
    pub(crate) fn reset_after(mut self, count: usize) -> Self {
        self.fault = Fault::ResetAfter(count);
        self
    }

    /// After `count` bytes of the body nothing more comes; [`Registry::wait_for_stall`] tells when.
    pub(crate) fn stall_after(mut self, count: usize) -> Self {
        self.fault = Fault::StallAfter(count);
        self
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        match self.framing {
            Framing::ContentLength => {
                let length = self.content_length.unwrap_or_else(|| self.body.length());
                write!(head, "Content-Length: {length}\r\n").unwrap();
            }
            Framing::Chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
            Framing::UntilClose => head.push_str("Connection: close\r\n"),
        }
        head.push_str("\r\n");
        head
    }
}

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
    stalled: usize,
    stopping: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
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
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Registry {
    /// Starts to listen on a free port of 127.0.0.1.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self {
            address,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// `127.0.0.1:port`, the registry's name in a reference.
    pub(crate) fn name(&self) -> String {
        self.address.to_string()
    }

    /// `http://127.0.0.1:port/v2/`, what the classic `--registry` takes.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v2/", self.address)
    }

    /// An address on this server.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
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

    /// Waits until an answer has stalled.
    pub(crate) fn wait_for_stall(&self) {
        let (state, timeout) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.state(), PATIENCE, |state| state.stalled == 0)
            .unwrap();
        assert!(
            !timeout.timed_out(),
            "no answer stalled; requests so far: {:?}",
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
            .filter(|line| line.served == 0 && line.expect.times != Times::AnyNumber)
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

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut workers = Vec::new();
    for stream in listener.incoming() {
        let Ok(stream) = stream else { break };
        {
            let mut state = shared.state();
            if state.stopping {
                break;
            }
            if let Ok(clone) = stream.try_clone() {
                state.connections.push(clone);
            }
        }
        let shared = Arc::clone(shared);
        workers.push(thread::spawn(move || {
            // A client that goes away is the client's business; the test sees what it did.
            let _ = converse(stream, &shared);
        }));
    }
    for worker in workers {
        let _ = worker.join();
    }
}

fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    while let Some(request) = read_request(&mut stream)? {
        let respond = {
            let mut state = shared.state();
            state.requests.push(request.clone());
            let line = state.script.iter_mut().find(|line| {
                line.expect.matches(&request)
                    && (line.served == 0 || line.expect.times != Times::Once)
            });
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
        if !send(&mut stream, &request, &answer, shared)? {
            // The clone in the list would keep the connection open.
            let address = stream.peer_addr()?;
            shared
                .state()
                .connections
                .retain(|other| other.peer_addr().is_ok_and(|other| other != address));
            return Ok(());
        }
    }
    Ok(())
}

fn read_request(stream: &mut TcpStream) -> io::Result<Option<Request>> {
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
        headers,
        body: Vec::new(),
    };
    if let Some(length) = request.header("content-length") {
        let length: usize = length.parse().map_err(io::Error::other)?;
        request.body = vec![0; length];
        stream.read_exact(&mut request.body)?;
    }
    Ok(Some(request))
}

/// Sends the answer; false if the connection is over.
fn send(
    stream: &mut TcpStream,
    request: &Request,
    answer: &Answer,
    shared: &Shared,
) -> io::Result<bool> {
    if matches!(answer.fault, Fault::CloseBeforeHead) {
        stream.shutdown(Shutdown::Both)?;
        return Ok(false);
    }
    stream.write_all(answer.head().as_bytes())?;
    if request.method == "HEAD" {
        return Ok(true);
    }
    let limit = match answer.fault {
        Fault::CloseAfter(count) | Fault::ResetAfter(count) | Fault::StallAfter(count) => {
            count as u64
        }
        Fault::None | Fault::CloseBeforeHead => u64::MAX,
    };
    match &answer.body {
        Body::Bytes(bytes) => {
            let end = usize::try_from(limit).map_or(bytes.len(), |limit| limit.min(bytes.len()));
            write_piece(stream, answer.framing, &bytes[..end])?;
        }
        Body::Repeated(chunk, count) => {
            for _ in 0..*count {
                write_piece(stream, answer.framing, chunk)?;
            }
        }
    }
    match answer.fault {
        Fault::None => {
            if answer.framing == Framing::Chunked {
                stream.write_all(b"0\r\n\r\n")?;
            }
            let over = answer.framing == Framing::UntilClose || answer.content_length.is_some();
            if over {
                stream.shutdown(Shutdown::Write)?;
            }
            Ok(!over)
        }
        Fault::CloseBeforeHead | Fault::CloseAfter(_) => {
            stream.shutdown(Shutdown::Write)?;
            Ok(false)
        }
        Fault::ResetAfter(_) => {
            socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO))?;
            Ok(false)
        }
        Fault::StallAfter(_) => {
            let mut state = shared.state();
            state.stalled += 1;
            shared.changed.notify_all();
            let patience = shared
                .changed
                .wait_timeout_while(state, PATIENCE, |state| !state.stopping);
            drop(patience);
            Ok(false)
        }
    }
}

fn write_piece(stream: &mut TcpStream, framing: Framing, piece: &[u8]) -> io::Result<()> {
    if framing != Framing::Chunked {
        return stream.write_all(piece);
    }
    if piece.is_empty() {
        return Ok(());
    }
    write!(stream, "{:x}\r\n", piece.len())?;
    stream.write_all(piece)?;
    stream.write_all(b"\r\n")
}
