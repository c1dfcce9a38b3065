//! A layer that goes out decompressed. The archive says its size before its content, when it is not known yet: what
//! the blob says of it is right of all but a few, as those of several gzip members.

use std::io::{self, Write};

use super::check::Check;
use super::pipe::{Pipe, Stop};
use super::{Sent, UploadError};
use crate::archive::header::{self, Members};

/// Writes a layer as a member of this name.
///
/// Where it becomes longer than it said, the member that was begun is filled, and the layer comes once more: of two
/// members of one name, who unpacks an archive has the later in the end (moby, `pkg/archive`, `Unpack`).
pub(super) fn write(
    members: &mut Members<Pipe>,
    name: &str,
    layer: &Check,
    stop: &Stop,
    sent: &Sent,
) -> Result<(), UploadError> {
    let expected = match layer.announced_size()? {
        Some(size) => size,
        None => layer.measure(stop)?,
    };
    let size = write_of_size(members, name, layer, expected, stop, |bytes| sent(bytes))?;
    if size > expected {
        write_of_size(members, name, layer, size, stop, |_| ())?;
    }
    Ok(())
}

/// Writes a layer to a member that is as long as it is expected to be, and gives its true size. What is too much is
/// looked at and dropped.
fn write_of_size(
    members: &mut Members<Pipe>,
    name: &str,
    layer: &Check,
    expected: u64,
    stop: &Stop,
    read: impl Fn(u64),
) -> Result<u64, UploadError> {
    members
        .begin(name, expected)
        .map_err(UploadError::of_archive)?;
    let content = Content {
        members,
        left: expected,
    };
    let size = layer.write(stop, content, read)?;
    if size < expected {
        return Err(UploadError::Archive(header::Error::Short {
            name: name.to_owned(),
            size: expected,
            copied: size,
        }));
    }
    members.end(expected).map_err(UploadError::of_archive)?;
    Ok(size)
}

/// The content of a member, as far as there is room for it.
struct Content<'a> {
    members: &'a mut Members<Pipe>,
    left: u64,
}

impl Write for Content<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        let fitting = bytes.get(..room).unwrap_or(bytes);
        self.members.content(fitting)?;
        self.left -= fitting.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
