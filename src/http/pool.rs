//! The pool of connections: which requests may share a connection, and how many requests run at the same time.
//!
//! Documents and small blobs share one connection to a server with HTTP/2, so that they share its round trips. A large
//! blob has a dedicated connection with HTTP/1.1: it gains nothing from sharing, and large downloads over HTTP/2 stall
//! on some object stores (github.com/hyperium/h2/issues/867). Retries also have a dedicated connection.

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

/// The maximum number of headers of a response. Some servers send more than hyper's default of 100.
const MAX_HEADERS: usize = 512;
/// The maximum size of the headers of an HTTP/2 response, in bytes.
const MAX_HEADER_BYTES: u32 = 64 << 10;
/// The HTTP/2 window of one response in bytes: the size of a small blob.
const ANSWER_WINDOW: u32 = 1 << 20;
/// The HTTP/2 window of a connection in bytes. With a round trip of 50 ms, a smaller window would limit the speed of
/// many small blobs.
const CONNECTION_WINDOW: u32 = 16 << 20;
/// The time without data after which hocker sends an HTTP/2 ping, and the time that the server has to answer it.
const PING: Duration = Duration::from_secs(15);
/// The number of small blobs at the same time from servers without HTTP/2, which need one connection for each.
const SMALL_AT_ONCE: usize = 8;

/// Whether a request shares its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConnectionUse {
    /// Other requests use the connection at the same time, if the server speaks HTTP/2.
    #[default]
    Shared,
    /// No other request uses the connection at the same time.
    Dedicated,
}

/// The properties that requests on one connection have in common.
type ClientKey = (AllowedNetworks, ConnectionUse, HostDirectories);

/// All connections, and information about the servers.
#[derive(Debug)]
pub(super) struct Pool {
    roots: Roots,
    settings: Settings,
    pub(super) names: ResolvedNames,
    /// One HTTP client for each key, created when it is first needed.
    clients: Mutex<BTreeMap<ClientKey, reqwest::Client>>,
    /// The servers that have used HTTP/2.
    multiplexing: Mutex<HashSet<Origin>>,
    small: Arc<Semaphore>,
}

/// A permit for one small blob, held until its response is complete. `None` if no permit is needed.
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

    /// Returns the HTTP client for a request. Hosts with their own certificates have separate clients.
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
        // TLS negotiates HTTP/2. Without TLS there is no difference.
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
        // A server without these protocols then refuses the handshake, instead of using another protocol.
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

    /// Waits until a small blob may be requested. Returns immediately for servers with HTTP/2.
    pub(super) async fn small_blob_permit(&self, url: &Url) -> SmallBlobPermit {
        if lock(&self.multiplexing).contains(&url.origin()) {
            return None;
        }
        // The semaphore is never closed.
        Arc::clone(&self.small).acquire_owned().await.ok()
    }

    /// Records the HTTP version of a server.
    pub(super) fn record_version(&self, url: &Url, version: Version) {
        if version == Version::HTTP_2 {
            lock(&self.multiplexing).insert(url.origin());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
