//! Transfers: a blob into a file, and several layers at a time.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Error;
use crate::output::OutputFile;
use crate::registry::{Blob, Destination, Progress, Registry};

/// As many layers at a time. Docker takes three; a registry that is nearby feeds a few more.
const AT_ONCE: usize = 4;

/// Fetches a blob into an output, which gets its name at the end.
pub(super) async fn to_output(
    registry: &Registry,
    blob: &Blob,
    file: OutputFile,
    path: &Path,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let mut writer = file.as_file();
    let mut take = |chunk: &[u8]| writer.write_all(chunk);
    let destination = if file.is_seekable() {
        Destination::File(file.as_file())
    } else {
        Destination::InOrder {
            take: &mut take,
            spool: None,
        }
    };
    registry
        .fetch_blob(blob, destination, progress)
        .await
        .map_err(|error| Error::of_download(error, path))?;
    Ok(file.commit()?)
}

/// Runs all transfers, a few at a time, and gives their results in the order given. The first error ends the
/// others.
pub(super) async fn in_parallel<T, F>(
    transfers: impl IntoIterator<Item = F>,
) -> Result<Vec<T>, Error>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (number, transfer) in transfers.into_iter().enumerate() {
        let permits = Arc::clone(&permits);
        running.spawn(async move {
            // The semaphore is never closed, so there is always a permit in the end.
            let _permit = permits.acquire_owned().await;
            transfer.await.map(|result| (number, result))
        });
    }
    let mut results = Vec::new();
    while let Some(ended) = running.join_next().await {
        results.push(ended.map_err(Error::Task)??);
    }
    results.sort_by_key(|(number, _)| *number);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}
