//! Sends blobs to containerd. A blob becomes visible there only if it has its digest.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::client::Containerd;
use super::content::BlobWrite;
use super::error::Error;
use super::image::DocumentBlob;
use crate::archive::blob_file::BlobFile;
use crate::daemon::DaemonMessage;
use crate::daemon::load::{self, LoadProgress};
use crate::daemon::upload::{OnSent, UploadError};
use crate::oci::descriptor::Descriptor;

/// The number of pieces of a blob that wait for containerd.
const WAITING: usize = 4;

/// Sends a document that is verified already, if containerd lacks it.
pub(super) async fn send_document(
    daemon: &Containerd,
    document: &DocumentBlob<'_>,
    progress: &LoadProgress,
) -> Result<(), Error> {
    loop {
        let waiting = |text: &DaemonMessage| (progress.event)(text);
        let write = BlobWrite::begin(daemon, document.kind, &document.blob, waiting).await?;
        let Some(write) = write else {
            return Ok(());
        };
        let (sender, pieces) = mpsc::channel(1);
        let offset = usize::try_from(write.offset()).unwrap_or(usize::MAX);
        let rest = document.bytes.get(offset..).unwrap_or_default();
        if !rest.is_empty() {
            // The channel has space for it.
            let _ = sender.try_send(Bytes::copy_from_slice(rest));
        }
        drop(sender);
        if write.finish(pieces, async { Ok::<_, Error>(()) }).await? {
            return Ok(());
        }
    }
}

/// Sends a layer, if containerd lacks it. Returns the number of bytes that were sent.
pub(super) async fn send_layer(
    daemon: &Containerd,
    layer: &Descriptor,
    path: &Path,
    progress: &LoadProgress,
) -> Result<u64, load::Error> {
    let mut bytes_sent = 0;
    loop {
        let waiting = |text: &DaemonMessage| (progress.event)(text);
        let Some(write) = BlobWrite::begin(daemon, "layer", layer, waiting).await? else {
            return Ok(bytes_sent);
        };
        let offset = write.offset();
        let (sender, pieces) = mpsc::channel(WAITING);
        let reading = spawn_blocking({
            let (layer, path, sent) = (layer.clone(), path.to_owned(), Arc::clone(&progress.sent));
            move || read(&layer, &path, offset, &sender, &sent)
        });
        let verified = async { Ok::<_, load::Error>(reading.await??) };
        let is_written = write.finish(pieces, verified).await?;
        bytes_sent += layer.size - offset;
        if is_written {
            return Ok(bytes_sent);
        }
    }
}

/// Reads and verifies a blob, and passes on its bytes from `offset` on.
fn read(
    layer: &Descriptor,
    path: &Path,
    offset: u64,
    pieces: &mpsc::Sender<Bytes>,
    sent: &OnSent,
) -> Result<(), UploadError> {
    let mut blob = BlobFile::open(layer, path)?;
    let mut to_skip = offset;
    while let Some(bytes) = blob.next_bytes()? {
        let skipped = usize::try_from(to_skip).map_or(bytes.len(), |skip| skip.min(bytes.len()));
        to_skip -= skipped as u64;
        let rest = bytes.get(skipped..).unwrap_or_default();
        if rest.is_empty() {
            continue;
        }
        if pieces.blocking_send(Bytes::copy_from_slice(rest)).is_err() {
            // containerd does not read any more. Its answer has the reason.
            return Ok(());
        }
        sent(rest.len() as u64);
    }
    Ok(())
}
