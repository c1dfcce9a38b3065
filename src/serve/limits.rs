//! What a server puts up with.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The bounds on connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections that are served at a time; those that are idle make room for others.
    pub(super) connections: usize,
    /// Until a request's headers are complete, waiting on an idle connection included.
    pub(super) header_read: Duration,
    /// The same for a connection that has asked for nothing yet, while others wait for their turn.
    pub(super) first_request: Duration,
    /// How long the server may wait for a client to take [`LEAST_READ`] bytes.
    pub(super) slow_read: Duration,
    /// For answers that are under way when the server is told to stop.
    pub(super) grace: Duration,
}

/// Request line and headers. Bearer tokens that clients send without being asked can be long.
pub(super) const MAX_HEADER_SIZE: usize = 32 << 10;

/// What a client must read of its answers in [`Limits::slow_read`] (64 KiB): 1 KiB a second, which is less than any line
/// that carries images, and too much to hold a thousand connections at little cost.
pub(super) const LEAST_READ: u64 = 64 << 10;

/// Files that are open besides connections and the blobs that they read.
const OTHER_FILES: u64 = 64;

const MAX_CONNECTIONS: u64 = 1024;

impl Limits {
    /// The ordinary limits, with as many connections as this process may have files for.
    pub(super) fn of_this_process() -> Self {
        // Two a connection, and one for each that waits, which are an eighth as many.
        let files = raise_file_limit(MAX_CONNECTIONS * 17 / 8 + OTHER_FILES);
        let connections = (files.saturating_sub(OTHER_FILES) * 8 / 17).clamp(1, MAX_CONNECTIONS);
        Self {
            connections: usize::try_from(connections).unwrap_or(1),
            header_read: Duration::from_secs(30),
            first_request: Duration::from_secs(2),
            slow_read: Duration::from_secs(60),
            grace: Duration::from_secs(30),
        }
    }

    /// Connections of one client: a fourth of all, where that is enough for a proxy or a machine with some daemons.
    pub(super) fn per_client(&self) -> usize {
        (self.connections / 4).max(32)
    }

    /// Connections that are kept for clients that have none.
    pub(super) fn kept_for_others(&self) -> usize {
        self.connections / 8
    }

    /// Connections that may wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        (self.connections / 8).max(1)
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
