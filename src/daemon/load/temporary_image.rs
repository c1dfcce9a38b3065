//! An image in a daemon that has a temporary name for the length of a load.

use crate::daemon::client::Daemon;
use crate::daemon::temporary_name::TemporaryName;
use crate::serve::Temporary;

/// An image that a daemon has under a temporary name, or will have. A registry answers for the name as long as this
/// exists: other loads see by this that the name is in use.
pub(super) struct TemporaryImage {
    name: TemporaryName,
    _serving: Temporary,
}

impl TemporaryImage {
    pub(super) fn new(name: TemporaryName, serving: Temporary) -> Self {
        Self {
            name,
            _serving: serving,
        }
    }

    /// Returns the name.
    pub(super) fn name(&self) -> &TemporaryName {
        &self.name
    }

    /// Removes the name, and ends the registry. If this fails, the next load removes the name.
    pub(super) async fn end(self, daemon: &Daemon) {
        let _ = daemon.remove_temporary_name(&self.name).await;
    }
}
