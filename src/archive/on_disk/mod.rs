//! Images on disk, as a layout: an OCI image layout in a directory, an output of `fetchdocker`, or an archive of
//! another program. An archive is read once and unpacked into a temporary directory, which is removed with the last
//! user of its files.
//!
//! An archive has an OCI image layout, Docker's `manifest.json`, or both. It may be compressed.

mod directory;
mod docker;
mod error;
mod hybrid;
mod input;
mod members;
mod unpack;

use std::fs::File;
use std::io::Read;
use std::ops::Deref;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

pub use self::directory::{Unpacked, remove_unpacked};
pub use self::error::Error;

use self::unpack::Files;
use super::oci_layout::{LayoutReader, OCI_LAYOUT};
use crate::compression::{UnsupportedCompression, sniff};
use crate::input as files;
use crate::oci::media_type::Compression;
use crate::output::without_temporary_name;

/// The size of a block of tar in bytes.
const BLOCK: usize = 512;

/// The images at one path.
#[derive(Clone, Debug)]
pub struct OnDisk {
    layout: LayoutReader,
    unpacked: Option<Unpacked>,
}

impl OnDisk {
    /// Opens a layout or an archive.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::check(path)?;
        if is_open_pipe(path) {
            let pipe = File::open(path).map_err(Error::Tar)?;
            return Self::unpack(pipe, path);
        }
        if !path.is_file() {
            return Ok(Self {
                layout: LayoutReader::open(path)?,
                unpacked: None,
            });
        }
        let file = files::open(path).map_err(Error::Tar)?;
        Self::unpack(file, path)
    }

    /// Checks that a layout or an archive is at `path`, without reading it.
    pub fn check(path: &Path) -> Result<(), Error> {
        if is_open_pipe(path) {
            return Ok(());
        }
        if !path.is_file() {
            return Ok(LayoutReader::locate(path).map(drop)?);
        }
        if is_archive(path) {
            Ok(())
        } else {
            Err(Error::NoImage)
        }
    }

    /// Reads an archive, such as that of `docker save`, from a file or a pipe. Errors name it `archive`.
    pub fn unpack(input: impl Read, archive: &Path) -> Result<Self, Error> {
        let directory = Unpacked::create(archive).map_err(|source| Error::Write {
            path: std::env::temp_dir(),
            source: without_temporary_name(source),
        })?;
        let files = Files::unpack(input::plain(input)?, directory.path())?;
        let items = docker::items(&files)?;
        let index = files.read("index.json")?;
        let layout = match (index, items) {
            (Some(index), items) => {
                files.write("index.json", &index)?;
                let marker = files.read("oci-layout")?;
                files.write("oci-layout", marker.as_deref().unwrap_or(OCI_LAYOUT))?;
                let layout = LayoutReader::open_as(directory.path(), archive, files.wrong())?;
                if let Some(items) = items {
                    hybrid::compare(&files, &layout, &items)?;
                }
                layout
            }
            (None, Some(items)) => {
                docker::compose(&files, &items)?;
                LayoutReader::open_as(directory.path(), archive, files.wrong())?
            }
            (None, None) if files.find("repositories")?.is_some() => return Err(Error::OldFormat),
            (None, None) => return Err(Error::NoManifest),
        };
        Ok(Self {
            layout,
            unpacked: Some(directory),
        })
    }

    /// Returns what keeps the files of an unpacked archive on the disk.
    #[must_use]
    pub fn unpacked(&self) -> Option<Unpacked> {
        self.unpacked.clone()
    }
}

impl Deref for OnDisk {
    type Target = LayoutReader;

    fn deref(&self) -> &LayoutReader {
        &self.layout
    }
}

/// Returns whether a path names a pipe that this process has open, as shells pass `<(command)`. No other pipe is opened:
/// it may have no writer.
fn is_open_pipe(path: &Path) -> bool {
    let is_descriptor = path == Path::new("/dev/stdin")
        || ["/dev/fd", "/proc/self/fd"]
            .iter()
            .any(|directory| path.parent() == Some(Path::new(directory)));
    is_descriptor
        && path
            .metadata()
            .is_ok_and(|metadata| metadata.file_type().is_fifo())
}

/// Returns whether a file starts like an archive, compressed or not.
#[must_use]
pub fn is_archive(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = files::open(path).and_then(|file| file.take(BLOCK as u64).read_to_end(&mut start));
    // A script is text. A file that is neither is called a damaged archive.
    let is_text = str::from_utf8(&start).map_or_else(|error| error.error_len().is_none(), |_| true);
    read.is_ok()
        && (!is_text
            || start.contains(&0)
            || sniff(&start) != Compression::None
            || UnsupportedCompression::sniff(&start).is_some()
            || <&[u8; BLOCK]>::try_from(start.as_slice()).is_ok_and(members::is_header))
}
