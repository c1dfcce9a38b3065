//! How fast a body comes, for servers that send a byte now and then: that is no stall to whoever waits for the
//! next byte, and never ends.

use std::time::{Duration, Instant};

/// Fewer bytes a second than this are as good as none (cargo's limit).
const SLOWEST: u64 = 10;

/// What came in one window of time.
#[derive(Debug)]
pub(super) struct Pace {
    window: Duration,
    began: Instant,
    received: u64,
}

/// A window in which hardly anything came.
#[derive(Debug)]
pub(super) struct Stall {
    pub(super) received: u64,
    pub(super) seconds: u64,
}

impl Pace {
    /// The first window begins now.
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            began: Instant::now(),
            received: 0,
        }
    }

    /// How long a window is.
    pub(super) fn window(&self) -> Duration {
        self.window
    }

    /// Another first window begins now.
    pub(super) fn restart(&mut self) {
        *self = Self::new(self.window);
    }

    /// Counts what came.
    pub(super) fn check(&mut self, bytes: usize) -> Result<(), Stall> {
        self.received += bytes as u64;
        let elapsed = self.began.elapsed();
        if elapsed < self.window {
            return Ok(());
        }
        let (received, seconds) = (self.received, elapsed.as_secs().max(1));
        self.restart();
        if received < SLOWEST * seconds {
            return Err(Stall { received, seconds });
        }
        Ok(())
    }
}
