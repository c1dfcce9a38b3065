//! The message of a daemon about a failure. It quotes text of others, such as names of files in layers, so it is made
//! printable at once.

use std::fmt;

use crate::printable::Printable;

/// The message of a daemon, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonMessage {
    text: Printable,
    is_full: bool,
    is_damaged: bool,
}

impl DaemonMessage {
    /// Creates a message from the text of a daemon. Only the beginning of a long text is kept.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: Printable::new(text.trim()),
            is_full: states_full_disk(text),
            is_damaged: text.contains("locating item named"),
        }
    }

    /// Returns whether the message states that the disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Returns whether the message states that the storage lacks a part of an image.
    ///
    /// Source: containers/storage, `images.go` and `errors.go`; seen with podman 4.3.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.is_damaged
    }
}

impl fmt::Display for DaemonMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

fn states_full_disk(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["no space left on device", "disk quota exceeded"]
        .iter()
        .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemons_message_is_printable_and_a_full_disk_is_recognised() {
        let long = format!("\u{1b}[2J{}\nNo space left on device\n", "x".repeat(3000));
        let message = DaemonMessage::new(&long);
        assert!(message.is_full());
        let text = message.to_string();
        assert!(
            text.starts_with(r"\u{1b}[2Jxxx") && text.ends_with("x…"),
            "{text}"
        );
        assert!(!DaemonMessage::new("no space is left").is_full());
    }
}
