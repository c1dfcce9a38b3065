//! Connections: which requests may use one connection, and how many requests there are at a time.
//!
//! Documents and small blobs share one connection to a server that speaks HTTP/2, so that the way there and back is
//! paid once and not for each of them. A large blob has a connection of its own, by HTTP/1.1: it needs no company, and
//! large downloads over HTTP/2 stall on some object stores (github.com/hyperium/h2/issues/867). So has everything that
//! did not come at the first try.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Version;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::{Origin, Url};

use super::allowed_networks::AllowedNetworks;
use super::certs_d::HostDirectories;
use super::resolver::{ResolvedNames, Resolver};
use super::{CONNECT_TIMEOUT, Error, Hop, Roots, Settings, USER_AGENT, tls};

/// Some servers send more than the 100 that hyper takes.
const MAX_HEADERS: usize = 512;
/// The same for HTTP/2, in bytes.
const MAX_HEADER_BYTES: u32 = 64 << 10;
/// What a server may send of one answer before it hears that there is room for more, in bytes: a small blob.
const ANSWER_WINDOW: u32 = 1 << 20;
/// The same of all answers on a connection: at 50 ms it would otherwise be the limit that many small blobs come up
/// against.
const CONNECTION_WINDOW: u32 = 16 << 20;
/// A connection on which nothing comes for so long is asked whether it is still there, and has as long to say so.
const PING: Duration = Duration::from_secs(15);
/// As many small blobs at a time from servers that have one connection for each.
const SMALL_AT_ONCE: usize = 8;

/// The connection that a request wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConnectionUse {
    /// One that other requests use at the same time, where the server can do that.
    #[default]
    Shared,
    /// One for itself.
    Dedicated,
}

/// Connections of one kind are no good for requests of another.
type ClientKey = (AllowedNetworks, ConnectionUse, HostDirectories);

/// All connections, and what is known of the servers.
#[derive(Debug)]
pub(super) struct Pool {
    roots: Roots,
    settings: Settings,
    pub(super) names: ResolvedNames,
    /// Made when they are first needed.
    clients: Mutex<BTreeMap<ClientKey, reqwest::Client>>,
    /// The servers that are known to speak HTTP/2.
    multiplexing: Mutex<HashSet<Origin>>,
    small: Arc<Semaphore>,
}

/// Held for as long as an answer is under way.
pub(super) type SmallBlobPermit = Option<OwnedSemaphorePermit>;

impl Pool {
    pub(super) fn new(roots: Roots, settings: Settings) -> Self {
        Self {
            roots,
            settings,
            names: ResolvedNames::default(),
            clients: Mutex::default(),
            multiplexing: Mutex::default(),
            small: Arc::new(Semaphore::new(SMALL_AT_ONCE)),
        }
    }

    /// The connections for requests on a hop. Those to a host that has certificates of its own are its alone.
    pub(super) fn connections(
        &self,
        hop: &Hop,
        connection: ConnectionUse,
    ) -> Result<reqwest::Client, Error> {
        let Hop {
            url,
            allowed,
            tls_registry,
        } = hop;
        self.settings.proxies.for_url(url)?;
        // HTTP/2 is agreed on by TLS; without that there is one kind of connections.
        let connection = match url.scheme() {
            "https" => connection,
            _ => ConnectionUse::Dedicated,
        };
        let directories = self.settings.certificates.of(url, tls_registry.as_ref());
        let key = (*allowed, connection, directories);
        let mut clients = lock(&self.clients);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = self.connect(&key)?;
        clients.insert(key, client.clone());
        Ok(client)
    }

    fn connect(
        &self,
        (allowed, connection, directories): &ClientKey,
    ) -> Result<reqwest::Client, Error> {
        let certificates = directories.read(self.roots.clone())?;
        let mut tls = tls::config(certificates.roots, certificates.identity)?;
        // A server that has only another protocol then says so, instead of speaking it.
        tls.alpn_protocols = match connection {
            ConnectionUse::Shared => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            ConnectionUse::Dedicated => vec![b"http/1.1".to_vec()],
        };
        let resolver = Resolver {
            allowed: *allowed,
            names: self.names.clone(),
            proxies: Arc::new(self.settings.proxies.hosts()),
        };
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(resolver))
            .http1_max_headers(MAX_HEADERS)
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .proxy(self.settings.proxies.clone().into_proxy())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(self.settings.stall_timeout);
        let builder = match connection {
            ConnectionUse::Shared => builder
                .http2_initial_stream_window_size(ANSWER_WINDOW)
                .http2_initial_connection_window_size(CONNECTION_WINDOW)
                .http2_max_header_list_size(MAX_HEADER_BYTES)
                .http2_keep_alive_interval(PING)
                .http2_keep_alive_timeout(PING),
            ConnectionUse::Dedicated => builder.http1_only(),
        };
        builder.build().map_err(Error::Client)
    }

    /// Waits until a small blob may be asked for: not at all where it takes no connection of its own.
    pub(super) async fn small_blob_permit(&self, url: &Url) -> SmallBlobPermit {
        if lock(&self.multiplexing).contains(&url.origin()) {
            return None;
        }
        // The semaphore is never closed.
        Arc::clone(&self.small).acquire_owned().await.ok()
    }

    /// Keeps what an answer shows of its server.
    pub(super) fn record_version(&self, url: &Url, version: Version) {
        if version == Version::HTTP_2 {
            lock(&self.multiplexing).insert(url.origin());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
