//! Downloads: the number of connections for a blob. The first connection requests the whole blob. If its speed shows
//! that the rest takes long, additional connections fetch pieces of the rest, because a slow path is often slow only
//! for each connection. If the server does not support range requests, the first connection fetches everything.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::OwnedSemaphorePermit;

use super::assembly::Assembly;
use super::connection::{Connection, PieceError};
use super::pieces::{Piece, Pieces};
use super::{BlobSource, Destination, Failure, Progress, Registry};
use crate::verify::{self, Size, Verifier};

/// The maximum number of additional connections for all blobs of a registry together.
pub(in crate::registry) const EXTRA_CONNECTIONS: usize = 7;

/// The time in which the speed of the first connection is measured.
const TRIAL: Duration = Duration::from_millis(150);
/// The minimum remaining time for additional connections.
const WORTHWHILE: Duration = Duration::from_millis(500);
/// The minimum remaining bytes for additional connections.
const SMALLEST_REST: u64 = 8 << 20;
/// The minimum and maximum size of a piece in bytes: large enough for a request, small enough that all connections end
/// at about the same time.
const PIECE: std::ops::RangeInclusive<u64> = 1 << 20..=32 << 20;

/// Fetches a blob.
pub(super) async fn run(
    registry: &Registry,
    mut source: BlobSource,
    destination: Destination<'_>,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let mut first = Connection::new(registry.client.settings(), 0, false);
    let mut pieces = Pieces::whole(source.blob.size.known());
    if let Some(piece) = pieces.get(0) {
        first.open(registry, &source, piece).await.map_err(cause)?;
    }
    let size = source.blob.size.known().or(first.announced());
    if let Some(size) = size {
        pieces = Pieces::whole(Some(size));
        progress.expect(size);
        source.blob.size = Size::Exact(size);
    }
    let verifier = Verifier::of_size(source.blob.digest, source.blob.size);
    let mut download = Download {
        registry,
        source: &source,
        progress,
        assembly: Assembly::new(destination, verifier, size),
        pieces,
        began: Instant::now(),
        busy: Duration::ZERO,
        received: 0,
        parallel: Parallel::Possible,
        ranges_work: false,
        waiting: None,
    };
    download.fetch(first).await?;
    download.assembly.finish()
}

struct Download<'r, 'd> {
    registry: &'r Registry,
    source: &'r BlobSource,
    progress: &'r dyn Progress,
    assembly: Assembly<'d>,
    pieces: Pieces,
    began: Instant,
    /// The time for hashing and writing, in which the network may have waited.
    busy: Duration,
    received: u64,
    parallel: Parallel,
    /// Whether an additional connection has delivered bytes.
    ranges_work: bool,
    /// The first connection, while it is unknown whether another connection delivers the next piece of its response.
    waiting: Option<Connection>,
}

/// Whether additional connections are used.
enum Parallel {
    Possible,
    Started {
        /// Held until the download ends.
        _permits: Vec<OwnedSemaphorePermit>,
    },
}

/// The result of one step of a connection.
struct Step {
    connection: Connection,
    outcome: Result<Option<Bytes>, PieceError>,
}

async fn step(
    registry: &Registry,
    source: &BlobSource,
    mut connection: Connection,
    piece: Piece,
) -> Step {
    Step {
        outcome: connection.chunk(registry, source, &piece).await,
        connection,
    }
}

impl Download<'_, '_> {
    async fn fetch(&mut self, first: Connection) -> Result<(), Failure> {
        let (registry, source) = (self.registry, self.source);
        let mut active = FuturesUnordered::new();
        let mut ready = vec![first];
        loop {
            for connection in ready.drain(..) {
                // There is no piece for an empty blob, or if another connection has completed the piece.
                if let Some(piece) = self.pieces.get(connection.index).copied() {
                    active.push(step(registry, source, connection, piece));
                }
            }
            let Some(Step {
                connection,
                outcome,
            }) = active.next().await
            else {
                // A piece was given back after the other connections had ended.
                let Some(index) = self.pieces.take_first() else {
                    return Ok(());
                };
                ready.push(Connection::new(registry.client.settings(), index, false));
                continue;
            };
            match outcome {
                Ok(Some(chunk)) => {
                    self.ranges_work |= connection.is_extra;
                    self.take(connection.index, &chunk)?;
                    ready.extend(self.next_work(connection).await?);
                    ready.extend(self.additional_connections());
                }
                Ok(None) => {}
                Err(_) if connection.is_extra => self.pieces.give_back(connection.index),
                Err(error) => return Err(cause(error)),
            }
            if let Some(connection) = self.waiting.take() {
                ready.extend(self.next_work(connection).await?);
            }
        }
    }

    fn take(&mut self, index: usize, chunk: &Bytes) -> Result<(), Failure> {
        let Some(piece) = self.pieces.get_mut(index) else {
            return Ok(());
        };
        let began = Instant::now();
        self.assembly.take(piece.position(), chunk)?;
        piece.received += chunk.len() as u64;
        self.assembly.catch_up(&self.pieces)?;
        self.busy += began.elapsed();
        self.received += chunk.len() as u64;
        self.progress.advance(chunk.len() as u64);
        Ok(())
    }

    /// Gives a connection its next piece when its piece is complete.
    async fn next_work(
        &mut self,
        mut connection: Connection,
    ) -> Result<Option<Connection>, Failure> {
        let done = self.pieces.get(connection.index).and_then(Piece::rest) == Some(0);
        if !done {
            return Ok(Some(connection));
        }
        if connection.goes_on()
            && let Some(next) = self.pieces.take_next(connection.index)
        {
            let received = self.pieces.get(next).map_or(0, |piece| piece.received);
            connection.go_on(next, received);
            return Ok(Some(connection));
        }
        // If the server does not support range requests, this response is the only source. It stays open until an
        // additional connection has delivered bytes or failed.
        if connection.goes_on()
            && !self.ranges_work
            && self.pieces.get(connection.index + 1).is_some()
        {
            self.waiting = Some(connection);
            return Ok(None);
        }
        if let Some(index) = self.pieces.take_first() {
            connection.turn_to(index);
            return Ok(Some(connection));
        }
        let end = self
            .pieces
            .get(connection.index)
            .and_then(|piece| piece.end);
        let size = self.source.blob.size.known();
        if let (Some(size), true) = (size, end == size)
            && connection.has_more().await
        {
            return Err(verify::Error::TooLong {
                expected: self.source.blob.digest,
                size,
            }
            .into());
        }
        Ok(None)
    }

    /// Returns additional connections, if they make the download faster.
    fn additional_connections(&mut self) -> Vec<Connection> {
        let elapsed = self.began.elapsed();
        let rest = match (&self.parallel, self.source.blob.size.known()) {
            (Parallel::Possible, Some(size)) if self.assembly.takes_any_order() => {
                size - self.received
            }
            _ => return Vec::new(),
        };
        let time_left = elapsed.as_millis() * u128::from(rest) / u128::from(self.received.max(1));
        // If hashing and writing take most of the time, more connections do not help.
        if self.busy * 2 > elapsed {
            return Vec::new();
        }
        if elapsed < TRIAL || rest < SMALLEST_REST || time_left < WORTHWHILE.as_millis() {
            return Vec::new();
        }
        let permits: Vec<_> = std::iter::from_fn(|| {
            Arc::clone(&self.registry.extra_connections)
                .try_acquire_owned()
                .ok()
        })
        .take(EXTRA_CONNECTIONS)
        .collect();
        if permits.is_empty() {
            return Vec::new();
        }
        // Two pieces for each connection, so that fast connections can take over from slow ones.
        let pieces = 2 * (permits.len() as u64 + 1);
        self.pieces
            .split((rest / pieces).clamp(*PIECE.start(), *PIECE.end()));
        let connections = permits
            .iter()
            .map_while(|_| self.pieces.take_first())
            .map(|index| Connection::new(self.registry.client.settings(), index, true))
            .collect();
        self.parallel = Parallel::Started { _permits: permits };
        connections
    }
}

fn cause(error: PieceError) -> Failure {
    match error {
        PieceError::Cause(cause) => Failure::Cause(cause),
        PieceError::NoRanges => Failure::Cause(super::Cause::Ranges),
    }
}
