//! The last bytes of a blob, for somebody who has a use for them before the blob is there. They are not verified.

use std::sync::atomic::Ordering;

use super::connection::Connection;
use super::pieces::Piece;
use super::{Blob, Registry, Wanted};
use crate::registry::mirrors::Mirror;

impl Registry {
    /// Asks whoever will be asked for a blob of known size for its last `count` bytes, once, if they have promised to
    /// serve parts of blobs. `None` if they have not, or do not: this is never worth a failure.
    pub async fn last_bytes(&self, blob: &Blob, count: u64) -> Option<Vec<u8>> {
        let registry = self.usable_mirrors().next().map_or(self, Mirror::registry);
        if !registry.serves_ranges.load(Ordering::Relaxed) {
            return None;
        }
        let wanted = Wanted {
            blob: blob.clone(),
            elsewhere: None,
        };
        let mut piece = Piece {
            start: blob.size.known()?.checked_sub(count)?,
            end: blob.size.known(),
            received: 0,
            taken: true,
        };
        // One that takes no answer but exactly this part, and does not ask again.
        let mut connection = Connection::new(registry.client.settings(), 0, true);
        let mut bytes = Vec::new();
        while piece.rest() != Some(0) {
            let chunk = connection.chunk(registry, &wanted, &piece).await.ok()??;
            piece.received += chunk.len() as u64;
            bytes.extend_from_slice(&chunk);
        }
        Some(bytes)
    }
}
