//! The progress of a download, in Nix's own format.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hocker::nix::progress::Activity;
use hocker::registry::Progress;
use hocker::safe_url::SafeUrl;

/// The progress of a download. If the log cannot be written, the download continues.
pub(super) struct NixProgress(Mutex<State>);

struct State {
    activity: Option<Activity<io::Stderr>>,
    done: u64,
}

impl NixProgress {
    /// Starts the progress of a download from a URL.
    pub(super) fn start(url: &SafeUrl) -> Self {
        // Nix itself distinguishes the activities of different builders.
        let id = 1;
        Self(Mutex::new(State {
            activity: Activity::start(io::stderr(), id, url, 0).ok(),
            done: 0,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for NixProgress {
    fn drop(&mut self) {
        let mut state = self.state();
        let done = state.done;
        if let Some(activity) = state.activity.take() {
            let _ = activity.stop(done);
        }
    }
}

impl Progress for NixProgress {
    fn restart(&self) {
        self.state().done = 0;
    }

    fn expect(&self, size: u64) {
        if let Some(activity) = &mut self.state().activity {
            activity.expect(size);
        }
    }

    fn advance(&self, bytes: u64) {
        let mut state = self.state();
        state.done += bytes;
        let done = state.done;
        if let Some(activity) = &mut state.activity {
            let _ = activity.update(done, Instant::now());
        }
    }
}
