//! Retries: which failures are transient, and how long to wait before a retry. The whole program uses this policy.
//!
//! Sources: RFC 9110, sections 10.2.3 (`Retry-After`) and 15; exponential backoff with jitter as described
//! by Marc Brooker, "Exponential Backoff And Jitter".

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::{Error, Response, StatusCode};

/// How often and how fast to retry.
#[derive(Clone)]
pub struct Policy {
    /// The maximum number of retries in a row without progress; 4 by default.
    pub retries: u32,
    /// The delay before the first retry, 0.5 seconds by default. It doubles for each further retry.
    pub first_delay: Duration,
    /// Called before each delay, and before hocker turns from a mirror to the next server.
    pub notify: Arc<dyn Fn(&Notice) + Send + Sync>,
}

/// The maximum delay, also for `Retry-After`.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

impl Default for Policy {
    fn default() -> Self {
        Self {
            retries: 4,
            first_delay: Duration::from_millis(500),
            notify: Arc::new(|_| ()),
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("retries", &self.retries)
            .field("first_delay", &self.first_delay)
            .finish_non_exhaustive()
    }
}

/// A failure after which hocker continues.
#[derive(Debug)]
pub struct Notice {
    /// The next action.
    pub next: Next,
    /// The failure, in one line.
    pub reason: String,
    /// The number of bytes of the body until the failure, if it was in a body.
    pub after: Option<u64>,
}

/// The next action after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Retry after this delay.
    RetryIn(Duration),
    /// Try another server.
    Elsewhere,
}

/// A transient failure.
#[derive(Debug)]
pub struct Failure {
    reason: String,
    retry_after: Option<Duration>,
}

impl Failure {
    /// Creates a transient failure of something other than HTTP, with its reason in one line.
    #[cfg(feature = "containerd")]
    #[must_use]
    pub fn new(reason: String) -> Self {
        Self {
            reason,
            retry_after: None,
        }
    }

    /// Returns the transient failure of a request, if it is one.
    #[must_use]
    pub fn of(outcome: &Result<Response, Error>) -> Option<Self> {
        match outcome {
            Ok(response) if is_transient(response.status()) => Some(Self {
                reason: format!("the server answers {}", response.status()),
                retry_after: retry_after(response.headers(), SystemTime::now()),
            }),
            Ok(_) => None,
            Err(error) => Self::of_error(error),
        }
    }

    /// Returns the transient failure of an error, if it is one.
    #[must_use]
    pub fn of_error(error: &Error) -> Option<Self> {
        error.is_transient().then(|| Self {
            reason: error.reason(),
            retry_after: None,
        })
    }
}

/// Returns whether a status is a transient failure: 408, 429 or 5xx.
#[must_use]
pub fn is_transient(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        )
}

/// Counts the failures of one operation, and waits before retries.
#[derive(Debug)]
pub struct Backoff {
    policy: Policy,
    failures: u32,
}

impl Backoff {
    /// Starts without failures.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            failures: 0,
        }
    }

    /// Resets the number of failures after progress.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Waits before a retry, and returns true. Returns false immediately if the failure is not transient or the retries
    /// are used up. `after` is the number of bytes of the body until the failure.
    pub async fn pause(&mut self, failure: Option<Failure>, after: Option<u64>) -> bool {
        let Some(failure) = failure.filter(|_| self.failures < self.policy.retries) else {
            return false;
        };
        let delay = failure
            .retry_after
            .unwrap_or_else(|| jittered(self.delay()))
            .min(LONGEST_DELAY);
        self.failures += 1;
        (self.policy.notify)(&Notice {
            next: Next::RetryIn(delay),
            reason: failure.reason,
            after,
        });
        tokio::time::sleep(delay).await;
        true
    }

    fn delay(&self) -> Duration {
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.policy.first_delay.saturating_mul(factor)
    }
}

/// Returns a random time between half of the delay and the whole delay, so that many clients do not retry at the same
/// time.
fn jittered(delay: Duration) -> Duration {
    delay.mul_f64(fastrand::f64().mul_add(0.5, 0.5))
}

/// Returns the delay in a `Retry-After` header: a number of seconds, or the time until a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    // A date in the past means no delay.
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Fri, 31 Dec 1999 23:59:00 GMT").unwrap();
        for (text, delay) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Fri, 31 Dec 1999 23:59:59 GMT", Some(59)),
            ("Fri, 31 Dec 1999 23:58:59 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            let delay = delay.map(Duration::from_secs);
            assert_eq!(retry_after(&headers, now), delay, "{text:?}");
        }
    }

    #[test]
    fn delays_double_and_jitter_keeps_within_half() {
        let mut backoff = Backoff::new(Policy::default());
        for milliseconds in [500, 1000, 2000, 4000] {
            let delay = backoff.delay();
            assert_eq!(delay, Duration::from_millis(milliseconds));
            let jittered = jittered(delay);
            assert!(delay / 2 <= jittered && jittered <= delay);
            backoff.failures += 1;
        }
        backoff.failures = 1000;
        assert!(backoff.delay() > LONGEST_DELAY);
    }

    #[test]
    fn servers_that_are_busy_or_broken_may_recover() {
        for (status, transient) in [
            (408, true),
            (429, true),
            (500, true),
            (503, true),
            (404, false),
            (401, false),
        ] {
            assert_eq!(
                is_transient(StatusCode::from_u16(status).unwrap()),
                transient
            );
        }
    }
}
