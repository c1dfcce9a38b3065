//! The listener. It serves connections up to their maximum number, tells idle ones to make room for those that wait, and
//! refuses connections of clients that have too many.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::{self, JoinSet};

use super::access_log::AccessLog;
use super::admission::{Admission, Client};
use super::catalogue::Catalogue;
use super::connection::{self, Instruction, Shared};
use super::limits::Limits;
use super::supervision::Supervision;

/// The time between two attempts, where nothing reports a change.
const PAUSE: Duration = Duration::from_millis(50);

/// A registry that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Shared,
}

/// The failure of a server to listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct ServerError {
    address: String,
    source: io::Error,
}

impl ServerError {
    /// Returns whether another program listens on the address.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}

impl Server {
    /// Starts to listen. Port 0 selects a free port.
    pub async fn bind(
        address: impl ToSocketAddrs + std::fmt::Debug,
        catalogue: Catalogue,
        log: AccessLog,
    ) -> Result<Self, ServerError> {
        let error = |source| ServerError {
            address: format!("{address:?}"),
            source,
        };
        let listener = TcpListener::bind(&address).await.map_err(error)?;
        Ok(Self {
            address: listener.local_addr().map_err(error)?,
            listener,
            shared: Shared {
                catalogue,
                limits: Limits::of_this_process(),
                log,
                supervision: None,
            },
        })
    }

    /// Observes the blobs that are sent, and holds back their ends.
    pub(super) fn supervise(&mut self, supervision: Supervision) {
        self.shared.supervision = Some(supervision);
    }

    /// Returns the address on which the server listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` completes. Responses that are under way then have 30 seconds to finish.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self {
            listener, shared, ..
        } = self;
        let limits = shared.limits;
        let shared = Arc::new(shared);
        let (instruction, _) = watch::channel(Instruction::Continue);
        let mut admission = Admission::new(limits);
        let mut connections = JoinSet::new();
        let mut clients: HashMap<task::Id, Client> = HashMap::new();
        let mut shutdown = pin!(shutdown);
        loop {
            while let Some((client, (stream, address))) = admission.next() {
                let serving = connection::serve(
                    stream,
                    address,
                    Arc::clone(&shared),
                    // The new connection ignores earlier instructions.
                    instruction.subscribe(),
                );
                clients.insert(connections.spawn(serving).id(), client);
            }
            tokio::select! {
                () = &mut shutdown => break,
                Some(ended) = connections.join_next_with_id() => {
                    let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    if let Some(client) = clients.remove(&id) {
                        admission.leave(client);
                    }
                }
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let address = peer.ip().to_canonical();
                        let entered = admission.enter(Client::of(address), (stream, address));
                        if let Err((stream, address)) = entered {
                            connection::refuse(&stream, address, &shared.log);
                        }
                    }
                    // This process has no free file descriptor, or the client closed the connection. Neither ends the
                    // server. Without the pause, the first error would return at once.
                    Err(_) => tokio::time::sleep(PAUSE).await,
                },
                () = tokio::time::sleep(PAUSE), if admission.is_anyone_waiting() => {
                    instruction.send_replace(Instruction::MakeRoom);
                }
            }
        }
        drop(listener);
        drop(admission);
        instruction.send_replace(Instruction::Stop);
        let all_done = async { while connections.join_next().await.is_some() {} };
        // The drop of the set cuts off the remaining connections.
        let _ = tokio::time::timeout(limits.grace, all_done).await;
    }
}

#[cfg(test)]
mod tests;
