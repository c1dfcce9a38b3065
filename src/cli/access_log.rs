//! The access log of `hocker serve`, on standard error. A separate thread writes it, so that a slow reader of standard
//! error delays no response. The queue is bounded in bytes, because clients decide how long lines are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::sync::oneshot;

use super::stderr;
use hocker::printable::Printable;
use hocker::serve::Access;

/// The maximum size of the queue in bytes (1 MiB). Further lines are dropped and counted.
const WAITING: usize = 1 << 20;

/// The time limit for the last lines.
const PATIENCE: Duration = Duration::from_secs(1);

/// Queues lines without waiting until they are written.
#[derive(Clone)]
pub(super) struct AccessLogWriter(Option<Arc<Writer>>);

struct Writer {
    lines: Sender<Line>,
    queue: Arc<Queue>,
}

enum Line {
    Access(Printable),
    Last(oneshot::Sender<()>),
}

/// The size of the queue, and the number of dropped lines.
#[derive(Debug, Default)]
struct Queue {
    bytes: AtomicUsize,
    lost: AtomicU64,
}

impl Queue {
    /// Reserves space for a line, and returns whether it fits.
    fn admit(&self, line: &Printable) -> bool {
        let waiting = self.bytes.fetch_add(cost(line), Ordering::Relaxed);
        let fits = waiting + cost(line) <= WAITING;
        if !fits {
            self.bytes.fetch_sub(cost(line), Ordering::Relaxed);
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        fits
    }

    /// Releases the space of a line.
    fn release(&self, line: &Printable) {
        self.bytes.fetch_sub(cost(line), Ordering::Relaxed);
    }

    /// Returns a line about the lines that were dropped since the last call, if any.
    fn gap(&self) -> Option<Printable> {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        (lost > 0).then(|| {
            Printable::new(&format!(
                "{lost} lines of the access log are missing: standard error is read too slowly"
            ))
        })
    }
}

/// Returns the memory of a line in bytes: its text and its place in the queue.
fn cost(line: &Printable) -> usize {
    line.as_str().len() + size_of::<Line>()
}

impl AccessLogWriter {
    /// Starts the thread, unless `quiet`.
    pub(super) fn start(quiet: bool) -> Self {
        if quiet {
            return Self(None);
        }
        let (lines, waiting) = channel();
        let queue = Arc::new(Queue::default());
        let writer = Writer {
            lines,
            queue: Arc::clone(&queue),
        };
        std::thread::spawn(move || write_all(&waiting, &queue));
        Self(Some(Arc::new(writer)))
    }

    /// Queues a line.
    pub(super) fn write(&self, access: &Access) {
        if let Some(writer) = &self.0 {
            let line = access.line();
            if writer.queue.admit(&line) {
                // The receiver lives until the last line.
                let _ = writer.lines.send(Line::Access(line));
            }
        }
    }

    /// Waits until all lines are written, at most [`PATIENCE`].
    pub(super) async fn finish(self) {
        if let Some(writer) = self.0 {
            let (done, written) = oneshot::channel();
            if writer.lines.send(Line::Last(done)).is_ok() {
                let _ = tokio::time::timeout(PATIENCE, written).await;
            }
        }
    }
}

fn write_all(waiting: &Receiver<Line>, queue: &Queue) {
    for line in waiting {
        match line {
            Line::Access(line) => {
                stderr::lines(std::slice::from_ref(&line));
                queue.release(&line);
            }
            Line::Last(done) => {
                write_gap(queue);
                let _ = done.send(());
                return;
            }
        }
        write_gap(queue);
    }
}

fn write_gap(queue: &Queue) {
    if let Some(gap) = queue.gap() {
        stderr::lines(&[gap]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_to_be_written_is_bounded_in_bytes_and_a_gap_is_counted() {
        let queue = Queue::default();
        let line = Printable::of_any_length(&"x".repeat(1000));
        let mut admitted = 0;
        while queue.admit(&line) {
            admitted += 1;
        }
        assert!((900..=1049).contains(&admitted), "{admitted}");
        assert!(!queue.admit(&line));
        let gap = queue.gap().unwrap();
        assert!(gap.as_str().starts_with("2 lines "), "{gap}");
        assert_eq!(queue.gap(), None);

        queue.release(&line);
        assert!(queue.admit(&line));
    }
}
