//! Transfers: a blob into a file, and several layers at a time.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Error;
use crate::output::OutputFile;
use crate::registry::{Blob, Destination, Progress, Registry, is_small};

/// As many layers at a time. Docker takes three; a registry that is nearby feeds a few more.
const AT_ONCE: usize = 4;
/// As many small ones beside them. They are on their way longer than they come, and share a connection where they can.
const SMALL_AT_ONCE: usize = 64;

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
        results.push(ended.map_err(Error::Task)??);
    }
    results.sort_by_key(|(number, _)| *number);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}
