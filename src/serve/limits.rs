//! The limits of a server for its clients.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The limits for connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The maximum number of connections that are served at a time. Idle ones make room for others.
    pub(super) connections: usize,
    /// The time limit until the head of a request is complete. The time of an idle connection counts.
    pub(super) header_read: Duration,
    /// This limit for a connection without any request, while others wait for their turn.
    pub(super) first_request: Duration,
    /// The time that the server may wait for a client to read [`LEAST_READ`] bytes.
    pub(super) slow_read: Duration,
    /// The time limit for responses that are under way when the server stops.
    pub(super) grace: Duration,
}

/// The maximum size of a request line and its fields (32 KiB). Some clients send long bearer tokens with each request.
pub(super) const MAX_HEADER_SIZE: usize = 32 << 10;

/// The bytes that a client must read in [`Limits::slow_read`] (64 KiB). This is 1 KiB a second: slower than any network
/// that is used for images, but fast enough that a client cannot hold a thousand connections at little cost.
pub(super) const LEAST_READ: u64 = 64 << 10;

/// The number of open files besides connections and the blobs that they read.
const OTHER_FILES: u64 = 64;

const MAX_CONNECTIONS: u64 = 1024;

impl Limits {
    /// Returns the ordinary limits. The number of connections depends on the process's limit for open files.
    pub(super) fn of_this_process() -> Self {
        // Each served connection needs two files; each waiting one (an eighth as many) needs one.
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

    /// The maximum number of connections of one client: a quarter of all, but at least 32, which is enough for a proxy or
    /// for a machine with several daemons.
    pub(super) fn per_client(&self) -> usize {
        (self.connections / 4).max(32)
    }

    /// The number of connections that are reserved for clients without a connection.
    pub(super) fn kept_for_others(&self) -> usize {
        self.connections / 8
    }

    /// The maximum number of connections that wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        (self.connections / 8).max(1)
    }
}

/// Raises the limit for open files to `wanted`, or as far as possible without privileges, and returns the new limit. The
/// default is low only because of programs that use `select`.
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
