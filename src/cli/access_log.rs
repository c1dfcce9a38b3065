//! The access log of `hocker serve`, on standard error. A thread of its own writes it, so that nobody waits for an
//! answer while standard error is not read.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::serve::Access;

/// Lines that may wait to be written. What comes then is lost, and counted.
const WAITING: usize = 4096;

/// How long the last lines may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes lines, and does not wait for them to be written.
#[derive(Clone)]
pub(super) struct AccessLogWriter(Option<Arc<Writer>>);

struct Writer {
    lines: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

enum Line {
    Access(String),
    Last(oneshot::Sender<()>),
}

impl AccessLogWriter {
    /// Begins to write, unless that is not wanted.
    pub(super) fn start(quiet: bool) -> Self {
        if quiet {
            return Self(None);
        }
        let (lines, waiting) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            lines,
            lost: Arc::clone(&lost),
        };
        std::thread::spawn(move || write_all(&waiting, &lost));
        Self(Some(Arc::new(writer)))
    }

    /// Takes a line.
    pub(super) fn write(&self, access: &Access) {
        if let Some(writer) = &self.0
            && writer
                .lines
                .try_send(Line::Access(access.to_string()))
                .is_err()
        {
            writer.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything is written, if somebody reads it.
    pub(super) async fn finish(self) {
        if let Some(writer) = self.0 {
            let (done, written) = oneshot::channel();
            if writer.lines.try_send(Line::Last(done)).is_ok() {
                let _ = tokio::time::timeout(PATIENCE, written).await;
            }
        }
    }
}

fn write_all(waiting: &Receiver<Line>, lost: &AtomicU64) {
    let mut stderr = std::io::stderr();
    // Standard error may be closed; there is no other place to say so.
    for line in waiting {
        match line {
            Line::Access(line) => _ = stderr.write_all(format!("{line}\n").as_bytes()),
            Line::Last(done) => {
                let _ = done.send(());
                return;
            }
        }
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let note = format!("{lost} lines of the access log came faster than they were read\n");
            let _ = stderr.write_all(note.as_bytes());
        }
    }
}
