//! What a server puts up with.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The bounds on connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections at a time; more wait in the kernel's queue, and those that are idle make room for them.
    pub(super) connections: usize,
    /// Until a request's headers are complete, waiting on an idle connection included.
    pub(super) header_read: Duration,
    /// The same for a connection that has asked for nothing yet, while others wait for their turn.
    pub(super) first_request: Duration,
    /// For a client that has stopped reading its answer.
    pub(super) write_stall: Duration,
    /// For answers that are under way when the server is told to stop.
    pub(super) grace: Duration,
}

/// Request line and headers. Bearer tokens that clients send without being asked can be long.
pub(super) const MAX_HEADER_SIZE: usize = 32 << 10;

/// Files that are open besides connections and the blobs that they read.
const OTHER_FILES: u64 = 64;

const MAX_CONNECTIONS: u64 = 1024;

impl Limits {
    /// The ordinary limits, with as many connections as this process may have files for.
    pub(super) fn of_this_process() -> Self {
        let files = raise_file_limit(MAX_CONNECTIONS * 2 + OTHER_FILES);
        let connections = (files.saturating_sub(OTHER_FILES) / 2).clamp(1, MAX_CONNECTIONS);
        Self {
            connections: usize::try_from(connections).unwrap_or(1),
            header_read: Duration::from_secs(30),
            first_request: Duration::from_secs(2),
            write_stall: Duration::from_secs(60),
            grace: Duration::from_secs(30),
        }
    }
}

/// Asks for as many open files, as far as that needs no privileges, and says how many there may be. The usual
/// limit is low for the sake of programs that use `select`.
fn raise_file_limit(wanted: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    let raised = wanted.min(limit.maximum.unwrap_or(u64::MAX));
    if current >= raised {
        return current;
    }
    let new = Rlimit {
        current: Some(raised),
        ..limit
    };
    setrlimit(Resource::Nofile, new).map_or(current, |()| raised)
}
