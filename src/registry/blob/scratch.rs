//! Where a blob can be begun again when a place that was asked turns out to be wrong: only a file, never someone
//! who takes the bytes in order.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use super::Destination;

/// What is handed on at a time, in bytes.
const BUFFER: usize = 128 << 10;

/// A file for attempts.
pub(in crate::registry) enum Scratch<'a> {
    /// The destination itself.
    File(&'a File),
    /// The destination itself, with what belongs to others around it.
    Part { file: &'a File, offset: u64 },
    /// One of its own.
    Own(File),
}

impl<'a> Scratch<'a> {
    /// Finds the file for attempts at `destination`.
    pub(in crate::registry) fn of(destination: &Destination<'a>) -> io::Result<Self> {
        Ok(match destination {
            Destination::File(file)
            | Destination::InOrder {
                spool: Some(file), ..
            } => Self::File(file),
            Destination::Part { file, offset } => Self::Part {
                file,
                offset: *offset,
            },
            Destination::InOrder { spool: None, .. } => Self::Own(tempfile::tempfile()?),
        })
    }

    /// The destination of an attempt.
    pub(in crate::registry) fn attempt(&self) -> Destination<'_> {
        match self {
            Self::File(file) => Destination::File(file),
            Self::Own(file) => Destination::File(file),
            Self::Part { file, offset } => Destination::Part {
                file,
                offset: *offset,
            },
        }
    }

    /// Forgets an attempt. The next one writes over a part: its size is known.
    pub(in crate::registry) fn reset(&self) -> io::Result<()> {
        match self {
            Self::File(file) => file.set_len(0),
            Self::Own(file) => file.set_len(0),
            Self::Part { .. } => Ok(()),
        }
    }

    /// Hands on what was found good to someone who takes it in order.
    pub(in crate::registry) fn replay(&self, destination: &mut Destination<'_>) -> io::Result<()> {
        let Destination::InOrder { take, .. } = destination else {
            return Ok(());
        };
        let mut file = match self {
            Self::File(file) | Self::Part { file, .. } => file,
            Self::Own(file) => file,
        };
        file.rewind()?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = file.read(&mut buffer)?;
            match buffer.get(..count) {
                Some(bytes) if !bytes.is_empty() => take(bytes)?,
                _ => return Ok(()),
            }
        }
    }
}
