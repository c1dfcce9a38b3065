//! The content store: which blobs containerd has, their labels, and the writes of blobs that it lacks.
//!
//! Source: containerd 1.6, `services/content/contentserver` and `content/proxy`. The names of writes are those of
//! containerd's own clients (`remotes/handlers.go`, `MakeRefKey`), so a write that a client left is resumed, and two
//! clients do not write the same blob at the same time.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join;

use super::client::{Containerd, SMALL, failed, if_present};
use super::error::Error;
use super::messages::{
    ContentAnswer, ContentInfo, ContentPiece, Empty, FieldMask, Filters, Labels, Named,
    ReadContent, UpdateContent, WriteAction, WriteContent, Writes, Written, signed,
};
use crate::daemon::message::DaemonMessage;
use crate::http::grpc::{Code, Receiver, Sender};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::MAX_DOCUMENT_SIZE;

const SERVICE: &str = "/containerd.services.content.v1.Content";
pub(super) const WRITE: &str = "/containerd.services.content.v1.Content/Write";
/// The shortest and the longest wait for another client that writes the same blob.
const WAITS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// Both directions of a write.
pub(super) type WriteStream = (Sender<WriteContent>, Receiver<Written>);

/// Returns the labels of a blob, if containerd has it in this namespace.
pub(super) async fn labels(daemon: &Containerd, blob: &Digest) -> Result<Option<Labels>, Error> {
    let what = format!("look for the blob {blob}");
    let request = Named {
        name: blob.to_string(),
    };
    let answer = daemon
        .call::<ContentAnswer>(&what, &format!("{SERVICE}/Info"), &request)
        .await;
    let info = if_present(answer)?;
    Ok(info.map(|answer| answer.info.unwrap_or_default().labels))
}

/// Adds labels to a blob. Others stay.
pub(super) async fn add_labels(
    daemon: &Containerd,
    blob: &Digest,
    labels: Labels,
) -> Result<(), Error> {
    let what = format!("label the blob {blob}");
    let request = UpdateContent {
        mask: Some(FieldMask {
            paths: labels.keys().map(|key| format!("labels.{key}")).collect(),
        }),
        info: Some(ContentInfo {
            digest: blob.to_string(),
            labels,
            ..ContentInfo::default()
        }),
    };
    let method = format!("{SERVICE}/Update");
    let Empty {} = daemon.call(&what, &method, &request).await?;
    Ok(())
}

/// Reads a document. Returns `None` if containerd does not have it.
pub(super) async fn read(daemon: &Containerd, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
    let what = format!("read {digest}");
    let request = ReadContent {
        digest: digest.to_string(),
    };
    let method = format!("{SERVICE}/Read");
    let mut pieces = daemon.ask::<ContentPiece>(&what, &method, &request).await?;
    let mut bytes = Vec::new();
    loop {
        let piece = pieces.next().await.map_err(|error| failed(&what, error));
        match if_present(piece)? {
            None => return Ok(None),
            Some(None) => break,
            Some(Some(piece)) => bytes.extend_from_slice(&piece.data),
        }
        if bytes.len() > MAX_DOCUMENT_SIZE {
            return Err(Error::Document { digest: *digest });
        }
    }
    let mut hasher = digest.hasher();
    hasher.update(&bytes);
    if hasher.finish() == *digest {
        Ok(Some(bytes))
    } else {
        Err(Error::Document { digest: *digest })
    }
}

/// Returns the names of all incomplete writes.
pub(super) async fn incomplete_writes(daemon: &Containerd) -> Result<Vec<String>, Error> {
    let method = format!("{SERVICE}/ListStatuses");
    let what = "list the incomplete writes";
    let Writes { writes } = daemon.call(what, &method, &Filters::default()).await?;
    Ok(writes.into_iter().map(|write| write.reference).collect())
}

/// Ends an incomplete write that no client uses, if it exists.
pub(super) async fn abort(daemon: &Containerd, reference: &str) -> Result<(), Error> {
    let request = Named {
        name: reference.to_owned(),
    };
    let method = format!("{SERVICE}/Abort");
    let aborted = daemon
        .call::<Empty>("end an incomplete write", &method, &request)
        .await;
    if_present(aborted).map(drop)
}

/// A blob that is being written.
pub(super) struct BlobWrite<'a> {
    daemon: &'a Containerd,
    blob: &'a Descriptor,
    /// The name of the write.
    reference: String,
    what: String,
    stream: WriteStream,
    /// The number of bytes that an earlier write left, or that another namespace has.
    offset: u64,
}

impl<'a> BlobWrite<'a> {
    /// Begins to write a blob, or continues a write. `kind` is `layer`, `config`, `manifest` or `index`. Waits while
    /// another client writes the same blob: `waiting` is called if that takes long. Returns `None` if containerd has the
    /// blob.
    pub(super) async fn begin(
        daemon: &'a Containerd,
        kind: &str,
        blob: &'a Descriptor,
        waiting: impl Fn(&DaemonMessage),
    ) -> Result<Option<Self>, Error> {
        let reference = format!("{kind}-{}", blob.digest);
        let what = format!("write the {kind} {}", blob.digest);
        let (mut wait, longest) = WAITS;
        let mut has_waited_long = false;
        loop {
            let (sender, mut receiver) =
                daemon.channel().open::<WriteContent, Written>(WRITE, SMALL);
            let request = WriteContent {
                action: WriteAction::Stat.into(),
                reference: reference.clone(),
                total: signed(blob.size),
                expected: blob.digest.to_string(),
                ..WriteContent::default()
            };
            sender.send(&request).await;
            let answer = receiver.next().await.map_err(|error| failed(&what, error));
            let offset = match answer {
                Ok(state) => state.unwrap_or_default().offset,
                Err(error) if error.code() == Some(Code::AlreadyExists) => return Ok(None),
                Err(error) if error.code() == Some(Code::Unavailable) => {
                    if wait == longest && !has_waited_long {
                        has_waited_long = true;
                        let text = format!("another client writes the {kind} {}", blob.digest);
                        waiting(&DaemonMessage::new(&text));
                    }
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(longest);
                    continue;
                }
                Err(error) => return Err(error),
            };
            return Ok(Some(Self {
                daemon,
                blob,
                reference,
                what,
                stream: (sender, receiver),
                // A write with more bytes than the blob is of no use, and begins again.
                offset: u64::try_from(offset)
                    .ok()
                    .filter(|offset| *offset <= blob.size)
                    .unwrap_or(0),
            }));
        }
    }

    /// Returns the number of bytes that need not be sent.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Sends the bytes from the offset on, and makes the blob visible after `verified`. The sender of `pieces` is
    /// dropped after the last piece; `verified` fails if the pieces are not the blob. Returns false if the bytes that an
    /// earlier write left were wrong: they are removed then.
    pub(super) async fn finish<E: From<Error>>(
        self,
        mut pieces: tokio::sync::mpsc::Receiver<Bytes>,
        verified: impl Future<Output = Result<(), E>>,
    ) -> Result<bool, E> {
        let Self {
            daemon,
            blob,
            reference,
            what,
            stream: (sender, mut receiver),
            offset: begun,
        } = self;
        let mut offset = begun;
        let sending = async {
            while let Some(data) = pieces.recv().await {
                let next = offset + data.len() as u64;
                let message = WriteContent {
                    action: WriteAction::Write.into(),
                    offset: signed(offset),
                    data,
                    ..WriteContent::default()
                };
                if !sender.send(&message).await {
                    // The thread that reads the blob ends.
                    pieces.close();
                    break;
                }
                offset = next;
            }
            verified.await?;
            let message = WriteContent {
                action: WriteAction::Commit.into(),
                total: signed(blob.size),
                expected: blob.digest.to_string(),
                offset: signed(offset),
                ..WriteContent::default()
            };
            // If containerd does not read any more, its answer has the reason.
            sender.send(&message).await;
            Ok::<_, E>(())
        };
        let receiving = async {
            loop {
                let answer = receiver.next().await.map_err(|error| failed(&what, error));
                match answer {
                    Ok(Some(answer)) if answer.action != i32::from(WriteAction::Commit) => {}
                    // Another client was faster.
                    Err(error) if error.code() == Some(Code::AlreadyExists) => return Ok(true),
                    Ok(Some(_)) => return Ok(true),
                    Ok(None) => {
                        let what = format!("the write of {}", blob.digest);
                        return Err(Error::Lost { what }.into());
                    }
                    Err(error) if begun > 0 && error.code() == Some(Code::FailedPrecondition) => {
                        return Ok(false);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        };
        let ((), is_written) = try_join(sending, receiving).await?;
        if !is_written {
            abort(daemon, &reference).await?;
        }
        Ok(is_written)
    }
}
