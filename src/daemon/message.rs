//! What a daemon says of a failure. It quotes what others wrote, as names of files in layers, so it is made printable
//! before anything else sees it.

use std::fmt;

use crate::printable::Printable;

/// A daemon's own words, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    text: Printable,
    is_full: bool,
}

impl Message {
    /// What a daemon said. Only the beginning of a long text is kept.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: Printable::new(text.trim()),
            is_full: says_full(text),
        }
    }

    /// Whether the daemon has no room left.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.is_full
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

fn says_full(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["no space left on device", "disk quota exceeded"]
        .iter()
        .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemons_words_are_printable_and_still_understood() {
        let long = format!("\u{1b}[2J{}\nNo space left on device\n", "x".repeat(3000));
        let message = Message::new(&long);
        assert!(message.is_full());
        let text = message.to_string();
        assert!(
            text.starts_with(r"\u{1b}[2Jxxx") && text.ends_with("x…"),
            "{text}"
        );
        assert!(!Message::new("no space is left").is_full());
    }
}
