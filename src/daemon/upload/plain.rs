//! A layer that is sent decompressed. The archive has the size before the content, when the size is not known for
//! certain. The size that the blob announces is correct except for a few layers, such as those of several gzip members.

use std::io::{self, Write};

use super::check::LayerCheck;
use super::pipe::{Pipe, StopSignal};
use super::{OnSent, UploadError};
use crate::archive::header::{self, Members};

/// Writes a layer as a member with this name.
///
/// If the content is longer than announced, the member is filled and the layer is written again with the correct size.
/// Of two members with the same name, the later one counts (moby, `pkg/archive`, `Unpack`).
pub(super) fn write(
    members: &mut Members<Pipe>,
    name: &str,
    layer: &LayerCheck,
    stop: &StopSignal,
    sent: &OnSent,
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

/// Writes a layer to a member of the expected size, and returns the actual size. Bytes beyond the expected size are
/// verified and dropped.
fn write_of_size(
    members: &mut Members<Pipe>,
    name: &str,
    layer: &LayerCheck,
    expected: u64,
    stop: &StopSignal,
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

/// A writer for the content of a member, which drops bytes beyond its size.
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
