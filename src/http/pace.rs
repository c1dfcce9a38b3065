//! Pace: the speed of a body. It detects servers that send a byte from time to time: a timeout for the next byte never
//! ends such a transfer.

use std::time::{Duration, Instant};

/// The minimum speed in bytes per second; cargo has the same limit.
const SLOWEST: u64 = 10;

/// The number of bytes in a window of time.
#[derive(Debug)]
pub(super) struct Pace {
    window: Duration,
    began: Instant,
    received: u64,
}

/// A window with too few bytes.
#[derive(Debug)]
pub(super) struct Stall {
    pub(super) received: u64,
    pub(super) seconds: u64,
}

impl Pace {
    /// Starts the first window.
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            began: Instant::now(),
            received: 0,
        }
    }

    /// Returns the length of a window.
    pub(super) fn window(&self) -> Duration {
        self.window
    }

    /// Starts a new window.
    pub(super) fn restart(&mut self) {
        *self = Self::new(self.window);
    }

    /// Counts bytes. Fails at the end of a window with too few bytes.
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
