//! Verifies the layers that a daemon fetches while they are sent. The end of each layer waits for all of them, so a wrong
//! image leaves no layers in the daemon.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, spawn_blocking};

use crate::daemon::upload::{LayerCheck, StopSignal, UploadError};
use crate::oci::digest::Digest;
use crate::serve::Verdict;

/// More threads than this verify no faster than daemons fetch.
const MAX_THREADS: usize = 4;

/// The verification of the layers of one image. Its drop stops the threads.
pub(in crate::daemon) struct Verification {
    shared: Arc<Shared>,
}

struct Shared {
    checks: Vec<LayerCheck>,
    begun: Mutex<HashSet<Digest>>,
    progress: watch::Sender<Progress>,
    verdict: watch::Sender<Verdict>,
    threads: Arc<Semaphore>,
    stop: StopSignal,
}

#[derive(Default)]
struct Progress {
    pending: usize,
    failure: Option<Failure>,
}

/// Why the verification failed.
pub(in crate::daemon) enum Failure {
    /// A layer is wrong.
    Layer(UploadError),
    /// A thread ended without a result.
    Task(JoinError),
}

impl Verification {
    /// Starts to verify these layers, except those that the daemon is known to have. If the daemon fetches such a layer
    /// after all, it is verified too.
    pub(in crate::daemon) fn start(
        checks: Vec<LayerCheck>,
        is_known: impl Fn(&LayerCheck) -> bool,
    ) -> Self {
        let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let shared = Arc::new(Shared {
            begun: Mutex::default(),
            progress: watch::Sender::new(Progress::default()),
            verdict: watch::Sender::new(Verdict::Good),
            threads: Arc::new(Semaphore::new(threads.min(MAX_THREADS))),
            stop: StopSignal::default(),
            checks,
        });
        let missing = shared.checks.iter().filter(|check| !is_known(check));
        for digest in missing.map(LayerCheck::layer).collect::<Vec<_>>() {
            shared.begin(&digest);
        }
        Self { shared }
    }

    /// Returns a function to call when the daemon asks for a layer.
    pub(in crate::daemon) fn requested(&self) -> Arc<dyn Fn(&Digest) + Send + Sync> {
        let shared = Arc::clone(&self.shared);
        Arc::new(move |digest| shared.begin(digest))
    }

    /// Returns whether the ends of layers may be sent.
    pub(in crate::daemon) fn verdict(&self) -> watch::Receiver<Verdict> {
        self.shared.verdict.subscribe()
    }

    /// Waits until a layer is found wrong.
    pub(in crate::daemon) async fn failed(&self) {
        let mut verdict = self.verdict();
        if verdict
            .wait_for(|verdict| *verdict == Verdict::Bad)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }

    /// Returns the first failure.
    pub(in crate::daemon) fn take_failure(&self) -> Option<Failure> {
        let mut failure = None;
        self.shared
            .progress
            .send_modify(|progress| failure = progress.failure.take());
        failure
    }
}

impl Drop for Verification {
    fn drop(&mut self) {
        self.shared.stop.set();
    }
}

impl Shared {
    /// Verifies a layer, once.
    fn begin(self: &Arc<Self>, layer: &Digest) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if !begun.insert(*layer) {
            return;
        }
        for check in self.checks.iter().filter(|check| check.layer() == *layer) {
            self.change(|progress| progress.pending += 1);
            let (shared, check) = (Arc::clone(self), check.clone());
            tokio::spawn(async move {
                // The semaphore is never closed.
                let _permit = Arc::clone(&shared.threads).acquire_owned().await;
                let stop = shared.stop.clone();
                let failure = match spawn_blocking(move || check.run(&stop)).await {
                    Ok(Ok(()) | Err(UploadError::Stopped)) => None,
                    Ok(Err(error)) => Some(Failure::Layer(error)),
                    Err(error) => Some(Failure::Task(error)),
                };
                shared.change(|progress| {
                    progress.pending -= 1;
                    if progress.failure.is_none() {
                        progress.failure = failure;
                    }
                });
            });
        }
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        // Inside the lock, so that verdicts arrive in order.
        self.progress.send_modify(|progress| {
            change(progress);
            self.verdict.send_modify(|verdict| {
                *verdict = match progress {
                    Progress {
                        failure: Some(_), ..
                    } => Verdict::Bad,
                    _ if *verdict == Verdict::Bad => Verdict::Bad,
                    Progress { pending: 0, .. } => Verdict::Good,
                    Progress { .. } => Verdict::Pending,
                };
            });
        });
        if *self.verdict.borrow() == Verdict::Bad {
            self.stop.set();
        }
    }
}
