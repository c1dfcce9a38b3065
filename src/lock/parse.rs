//! Parses a lock strictly. Errors name the line.

mod entry;
mod strict;

use serde::Deserialize;

use self::entry::{CheckedImage, class_of_entries};
use self::strict::{Key, Unique};
use super::{Age, Lock, Name, OLDEST_VERSION, SizeError, VERSION};
use crate::class::Class;

/// The size limit of a lock file in bytes: 64 MiB, enough for thousands of images.
pub const MAX_LOCK_SIZE: usize = 64 << 20;

/// Parses the text of a lock file.
pub fn parse(text: &[u8]) -> Result<Lock, ParseError> {
    if text.len() > MAX_LOCK_SIZE {
        return Err(ParseError::TooLarge);
    }
    if text.trim_ascii().is_empty() {
        return Err(ParseError::Empty);
    }
    if let Some(line) = conflict(text) {
        return Err(ParseError::Conflict(line));
    }
    // This check is first, because a newer format may have any content.
    if let Ok(VersionOnly { version }) = serde_json::from_slice(text)
        && version > VERSION
    {
        return Err(ParseError::Newer(version));
    }
    let lock: RawLock =
        serde_json::from_slice(text).map_err(|error| ParseError::of(&error, text))?;
    if lock.version < OLDEST_VERSION {
        return Err(ParseError::Older(lock.version));
    }
    let lock = Lock {
        min_age: lock.min_age.map(|Key(age)| age),
        images: lock
            .images
            .0
            .into_iter()
            .map(|(name, CheckedImage(image))| (name.0, image))
            .collect(),
    };
    lock.check_sizes()?;
    Ok(lock)
}

/// Returns the first line with a conflict marker of a merge. No line of JSON begins like that.
fn conflict(text: &[u8]) -> Option<usize> {
    let marks: [&[u8]; 3] = [b"<<<<<<<", b">>>>>>>", b"|||||||"];
    text.split(|byte| *byte == b'\n')
        .position(|line| marks.iter().any(|mark| line.starts_with(mark)))
        .map(|index| index + 1)
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    version: u64,
    #[serde(default, rename = "minAge")]
    min_age: Option<Key<Age>>,
    images: Unique<Key<Name>, CheckedImage>,
}

/// The text is not a valid lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The text is longer than [`MAX_LOCK_SIZE`].
    #[error("the lock file is larger than {} MiB", MAX_LOCK_SIZE >> 20)]
    TooLarge,
    /// The text has no content.
    #[error("the file is empty")]
    Empty,
    /// The text is not JSON, for example because its end is missing.
    #[error("line {line}, column {column}: {message}")]
    Json {
        /// The number, from 1.
        line: usize,
        /// The number, from 1.
        column: usize,
        /// The error at this position or just before it.
        message: String,
    },
    /// The text has a conflict marker.
    #[error("line {0} has the conflict marker of a merge")]
    Conflict(usize),
    /// A newer program wrote the lock.
    #[error("unknown version {0}: this hocker supports versions up to {VERSION}")]
    Newer(u64),
    /// The version never existed.
    #[error("unknown version {0}")]
    Older(u64),
    /// Two images contradict each other.
    #[error(transparent)]
    Sizes(#[from] SizeError),
    /// The text is JSON, but does not have the required format.
    #[error("line {line}, column {column}: {message}")]
    Line {
        /// [`Class::Integrity`] if an entry contradicts itself, else [`Class::Unsupported`].
        class: Class,
        /// The number, from 1.
        line: usize,
        /// The number, from 1.
        column: usize,
        /// The error at this position or just before it.
        message: String,
    },
}

impl ParseError {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Line { class, .. } => *class,
            Self::Sizes(_) => Class::Integrity,
            Self::TooLarge
            | Self::Empty
            | Self::Json { .. }
            | Self::Conflict(_)
            | Self::Newer(_)
            | Self::Older(_) => Class::Unsupported,
        }
    }

    fn of(error: &serde_json::Error, lock: &[u8]) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let place = format!(" at line {line} column {column}");
        let message = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        if error.is_syntax() || error.is_eof() {
            return Self::Json {
                line,
                column,
                message,
            };
        }
        Self::Line {
            class: class_of_entries(lock),
            line,
            column,
            message,
        }
    }
}
