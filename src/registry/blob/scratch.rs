//! Scratch files: a blob from a mirror or URL may turn out to be wrong, so it must be possible to start again. This is
//! possible in a file, but not for a destination that gets the bytes in order.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use super::Destination;

/// The number of bytes that are passed on at once.
const BUFFER: usize = 128 << 10;

/// The file for attempts.
pub(in crate::registry) enum Scratch<'a> {
    /// The destination's file.
    File(&'a File),
    /// A part of the destination's file.
    Part { file: &'a File, offset: u64 },
    /// A temporary file.
    Own(File),
}

impl<'a> Scratch<'a> {
    /// Returns the file for attempts: the destination's file if it has one, else a temporary file.
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

    /// Returns the destination of an attempt.
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

    /// Removes the bytes of an attempt. The next attempt overwrites a part, because its size is known.
    pub(in crate::registry) fn reset(&self) -> io::Result<()> {
        match self {
            Self::File(file) => file.set_len(0),
            Self::Own(file) => file.set_len(0),
            Self::Part { .. } => Ok(()),
        }
    }

    /// Passes the verified bytes on to a destination that gets them in order.
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
