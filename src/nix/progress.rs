//! Downloads in Nix's own progress display. A line of a builder that begins with `@nix ` is a message to Nix.
//!
//! Source: Nix's `logging.cc` (`handleJSONLogMessage`) and `logging.hh`: activity type 101 is a file
//! transfer, result type 105 its progress.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::printable::Printable;
use crate::safe_url::SafeUrl;

const FILE_TRANSFER: u32 = 101;
const PROGRESS: u32 = 105;
/// The verbosity at which Nix shows the activity: `lvlInfo`.
const LEVEL: u32 = 3;
/// The time between two lines: Nix gets at most ten lines a second.
const INTERVAL: Duration = Duration::from_millis(100);

/// A download in Nix's display. The caller provides the time, so that tests can control it.
#[derive(Debug)]
pub struct Activity<W: Write> {
    out: W,
    id: u64,
    expected: u64,
    last: Option<Instant>,
}

impl<W: Write> Activity<W> {
    /// Announces the download of `expected` bytes (0 if unknown) from `url`.
    pub fn start(mut out: W, id: u64, url: &SafeUrl, expected: u64) -> io::Result<Self> {
        let url = Printable::new(&url.to_string());
        send(
            &mut out,
            &json!({
                "action": "start", "id": id, "level": LEVEL, "type": FILE_TRANSFER, "parent": 0,
                "text": format!("downloading '{url}'"), "fields": [url.as_str()],
            }),
        )?;
        Ok(Self {
            out,
            id,
            expected,
            last: None,
        })
    }

    /// Sets the expected size in bytes, once it is known.
    pub fn expect(&mut self, expected: u64) {
        self.expected = expected;
    }

    /// Reports the number of downloaded bytes, unless a line was sent within the last tenth of a second.
    pub fn update(&mut self, done: u64, now: Instant) -> io::Result<()> {
        let due = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= INTERVAL);
        if due {
            self.last = Some(now);
            self.send_progress(done)?;
        }
        Ok(())
    }

    /// Reports the final number of bytes and the end of the download.
    pub fn stop(mut self, done: u64) -> io::Result<()> {
        self.send_progress(done)?;
        send(&mut self.out, &json!({ "action": "stop", "id": self.id }))
    }

    fn send_progress(&mut self, done: u64) -> io::Result<()> {
        send(
            &mut self.out,
            &json!({
                "action": "result", "id": self.id, "type": PROGRESS, "fields": [done, self.expected, 0, 0],
            }),
        )
    }
}

/// Writes the line at once, so that lines of two downloads do not mix.
fn send(out: &mut impl Write, message: &serde_json::Value) -> io::Result<()> {
    out.write_all(format!("@nix {message}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printable::is_printable;

    fn messages(out: &[u8]) -> Vec<serde_json::Value> {
        let text = std::str::from_utf8(out).unwrap();
        let line = |line: &str| serde_json::from_str(line.strip_prefix("@nix ").unwrap()).unwrap();
        text.lines().map(line).collect()
    }

    fn safe(url: &str) -> SafeUrl {
        SafeUrl::new(&url.parse().unwrap())
    }

    #[test]
    fn a_download_starts_progresses_and_stops() {
        let mut out = Vec::new();
        let begin = Instant::now();
        let mut activity = Activity::start(&mut out, 7, &safe("https://a.example/x"), 100).unwrap();
        activity.update(50, begin).unwrap();
        activity.stop(100).unwrap();
        let messages = messages(&out);
        assert_eq!(messages[0]["action"], "start");
        assert_eq!(messages[0]["type"], 101);
        assert_eq!(messages[0]["fields"], json!(["https://a.example/x"]));
        assert_eq!(messages[1]["fields"], json!([50, 100, 0, 0]));
        assert_eq!(messages[2]["fields"], json!([100, 100, 0, 0]));
        assert_eq!(messages[3], json!({ "action": "stop", "id": 7 }));
    }

    #[test]
    fn a_second_has_at_most_ten_lines() {
        let mut out = Vec::new();
        let begin = Instant::now();
        let mut activity = Activity::start(&mut out, 1, &safe("https://a.example/x"), 0).unwrap();
        for millisecond in 0..1000 {
            let now = begin + Duration::from_millis(millisecond);
            activity.update(millisecond, now).unwrap();
        }
        assert_eq!(messages(&out).len(), 1 + 10);
    }

    #[test]
    fn shows_no_credentials_and_stays_json_whatever_the_url_holds() {
        let mut out = Vec::new();
        let url = safe("https://me:pw@a.example/\"%0A\\{}é\u{202e}\u{feff}?X-Signature=secret#\"");
        Activity::start(&mut out, 1, &url, 0)
            .unwrap()
            .stop(0)
            .unwrap();
        assert_eq!(messages(&out).len(), 3);
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("pw") && !text.contains("secret"), "{text}");
        assert!(
            text.lines().flat_map(str::chars).all(is_printable),
            "{text}"
        );
    }
}
