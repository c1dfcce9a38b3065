//! Holds back the end of an upload until another one is complete.

use tokio::sync::oneshot;

use super::UploadError;

/// A gate before the end of an upload.
pub(in crate::daemon) struct Gate(Option<oneshot::Receiver<()>>);

impl Gate {
    /// Returns a gate that is open.
    pub(in crate::daemon) fn open() -> Self {
        Self(None)
    }

    /// Returns a gate that is closed, and the sender that opens it.
    pub(in crate::daemon) fn closed() -> (oneshot::Sender<()>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(Some(receiver)))
    }

    /// Waits until the gate is open. Fails if it will never be.
    pub(super) fn wait(self) -> Result<(), UploadError> {
        match self.0.map(oneshot::Receiver::blocking_recv) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(UploadError::Stopped),
        }
    }
}
