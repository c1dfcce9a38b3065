//! Several transfers of layers at a time.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Error;
use crate::registry::is_small;

/// As many layers at a time. Docker takes three; a registry that is nearby feeds a few more.
const AT_ONCE: usize = 4;
/// As many small ones beside them. They are on their way longer than they come, and share a connection where they can.
const SMALL_AT_ONCE: usize = 64;

/// Runs all transfers of blobs of so many bytes, a few at a time, and gives their results in the order given. The first
/// error ends the others.
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
            // No semaphore is ever closed, so there is always a permit in the end.
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
