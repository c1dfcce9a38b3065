//! Input: opening files that another user may have created. Opening a FIFO in an image layout would wait for a writer
//! forever, and opening a device can have any effect. Therefore only regular files and `/dev/null`, the usual way to
//! name an empty file, can be opened.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a regular file or `/dev/null` for reading. Never waits: the file is opened with `O_NONBLOCK`. The check is on
/// the opened file, because the path may change between a check and the opening.
///
/// # Errors
///
/// An error of the kind `InvalidInput` for any other kind of file.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if is_readable(&file.metadata()?) {
        Ok(file)
    } else {
        Err(not_regular())
    }
}

fn is_readable(metadata: &Metadata) -> bool {
    metadata.is_file() || (metadata.file_type().is_char_device() && is_null(metadata.rdev()))
}

/// Returns whether a device number is that of `/dev/null`.
fn is_null(device: u64) -> bool {
    std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == device)
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::io::Read as _;
    use std::os::unix::net::UnixListener;

    #[test]
    fn only_regular_files_are_opened_and_nothing_waits() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        let fifo = FileType::Fifo;
        mknodat(CWD, at("fifo"), fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        std::os::unix::fs::symlink("fifo", at("to-fifo")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();

        for name in ["file", "link"] {
            let mut text = String::new();
            open(&at(name)).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "text");
        }
        for name in ["fifo", "to-fifo", "."] {
            let error = open(&at(name)).unwrap_err();
            assert_eq!(error.to_string(), "not a regular file", "{name}");
        }
        assert!(open(&at("socket")).is_err());
        assert!(open(Path::new("/dev/zero")).is_err());
        open(Path::new("/dev/null")).unwrap();
    }
}
