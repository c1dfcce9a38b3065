//! Parallel transfers of layers.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Error;
use crate::registry::is_small;

/// The number of parallel transfers of large layers. Docker has three; a nearby registry is faster with one more.
const AT_ONCE: usize = 4;
/// The number of parallel transfers of small layers. They mostly wait for the network, and share a connection if the
/// server speaks HTTP/2.
const SMALL_AT_ONCE: usize = 64;

/// Runs the transfers, each given with its size in bytes, and returns their results in the same order. The first error
/// ends the others.
pub(super) async fn in_parallel<T, F>(
    transfers: impl IntoIterator<Item = (u64, F)>,
) -> Result<Vec<T>, Error>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    let large = Arc::new(Semaphore::new(AT_ONCE));
    let small = Arc::new(Semaphore::new(SMALL_AT_ONCE));
    let mut running = JoinSet::new();
    for (number, (size, transfer)) in transfers.into_iter().enumerate() {
        let permits = Arc::clone(if is_small(size) { &small } else { &large });
        running.spawn(async move {
            // The semaphores are never closed, so this waits until there is a permit.
            let _permit = permits.acquire_owned().await;
            transfer.await.map(|result| (number, result))
        });
    }
    let mut results = Vec::new();
    while let Some(ended) = running.join_next().await {
        results.push(ended??);
    }
    results.sort_by_key(|(number, _)| *number);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}
