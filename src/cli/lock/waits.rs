//! What waits, and what happened to what waited, for people and programs.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::super::{report, stderr};
use super::abbreviated::abbreviated;
use hocker::lock::{Age, Lock, LockedImage, Name, Notice, Waiting};
use hocker::pin::{News, Terms};
use hocker::printable::Printable;

/// What waits of the images of a command.
#[derive(Debug, Default)]
pub(super) struct Waits {
    images: Vec<(Name, News)>,
}

impl Waits {
    /// Adds what waits of an image.
    pub(super) fn push(&mut self, name: &Name, news: News) {
        if !news.waiting.is_empty() || !news.notices.is_empty() {
            self.images.push((name.clone(), news));
        }
    }

    /// Returns what waits, with the names of the images.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&Name, &Waiting)> {
        let images = self.images.iter();
        images.flat_map(|(name, news)| news.waiting.iter().map(move |waiting| (name, waiting)))
    }

    fn notices(&self) -> impl Iterator<Item = (&Name, &Notice)> {
        let images = self.images.iter();
        images.flat_map(|(name, news)| news.notices.iter().map(move |notice| (name, notice)))
    }

    /// Prints warnings about what changed while it waited, and a line for everything that waits.
    pub(super) fn print(&self) {
        for (name, notice) in self.notices() {
            report::note(&Printable::new(&format!(
                "warning: {name}: {}",
                text(notice)
            )));
        }
        let lines = self.waiting().map(|(name, waiting)| {
            let pending = &waiting.pending;
            Printable::new(&format!(
                "{name} {} ({}): waits until {}",
                pending.tag,
                abbreviated(&pending.digest),
                waiting.until
            ))
        });
        stderr::lines(&lines.collect::<Vec<_>>());
    }

    /// Returns the members `waiting` and `notices` of a JSON document.
    pub(super) fn json(&self) -> [(&'static str, Value); 2] {
        let waiting = self.waiting().map(|(name, waiting)| {
            json!({
                "name": name.as_str(),
                "tag": waiting.pending.tag.as_str(),
                "digest": waiting.pending.digest,
                "firstSeen": waiting.pending.first_seen,
                "until": waiting.until,
            })
        });
        let notices = self.notices().map(|(name, notice)| {
            let (event, pending, now) = match notice {
                Notice::Vanished(pending) => ("vanished", pending, None),
                Notice::Changed { before, now } => ("changed", before, Some(now)),
                Notice::Future(pending) => ("future", pending, None),
            };
            json!({
                "name": name.as_str(),
                "event": event,
                "tag": pending.tag.as_str(),
                "digest": pending.digest,
                "firstSeen": pending.first_seen,
                "now": now,
            })
        });
        [
            ("waiting", Value::Array(waiting.collect())),
            ("notices", Value::Array(notices.collect())),
        ]
    }
}

fn text(notice: &Notice) -> String {
    match notice {
        Notice::Vanished(pending) => format!(
            "the registry no longer offers {} with {}, which was first seen at {} and waited",
            pending.tag,
            abbreviated(&pending.digest),
            pending.first_seen
        ),
        Notice::Changed { before, now } => format!(
            "the digest of {} changed while it waited: {} → {}; the wait begins again",
            before.tag,
            abbreviated(&before.digest),
            abbreviated(now)
        ),
        Notice::Future(pending) => format!(
            "{} was first seen in the future, at {}; the wait begins again",
            pending.tag, pending.first_seen
        ),
    }
}

/// Returns the terms for an image. `at_least` is an age for this command alone.
pub(super) fn terms(lock: &Lock, image: &LockedImage, at_least: Option<Age>) -> Terms {
    let own = lock.min_age(image);
    Terms {
        min_age: at_least.map_or(own, |age| age.max(own)),
        now: now(),
        trusts_docker_hub: false,
        verifier: None,
    }
}

/// Returns the time in seconds since 1970 (UTC).
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    now.and_then(|now| i64::try_from(now.as_secs()).ok())
        .unwrap_or(0)
}
