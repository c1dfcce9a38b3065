//! Output: a file or directory that is either absent or complete.
//!
//! If the file system supports it, a file has no name while it is written (`O_TMPFILE`), so even `kill -9` leaves
//! nothing behind. It gets its name at the end. Otherwise it has a temporary name in the same directory. Devices and
//! pipes that exist (`/dev/null`, a FIFO) are written directly.
//!
//! A file that replaces another gets the permissions of the old file and, if the system allows it, its owner and group.
//! So a private file stays private. Access control lists are not kept.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD};
use tempfile::{NamedTempFile, TempDir};

/// What to do if the output exists already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Fail, and leave the existing file unchanged.
    Refuse,
    /// Replace the existing file when the new content is complete.
    Replace,
}

/// A file that gets its name when it is complete.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    existing: Existing,
    state: State,
}

#[derive(Debug)]
enum State {
    Unnamed(File),
    Named(NamedTempFile),
    Direct(File),
}

impl OutputFile {
    /// Creates a file that [`commit`](Self::commit) names `path`.
    ///
    /// # Errors
    ///
    /// An error for which [`Error::is_existing`] holds if the file exists and `existing` is [`Existing::Refuse`].
    pub fn create(path: &Path, existing: Existing) -> Result<Self, Error> {
        let failed = |source| Error::create(path, source);
        let mut replaced = None;
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(failed(io::ErrorKind::IsADirectory.into()));
            }
            Ok(metadata) if is_stream(&metadata) => {
                let file = File::options().write(true).open(path).map_err(failed)?;
                return Ok(Self {
                    path: path.to_owned(),
                    existing,
                    state: State::Direct(file),
                });
            }
            Ok(_) if existing == Existing::Refuse => return Err(Error::exists(path)),
            // A symbolic link without a target counts as an existing file.
            Err(_) if path.is_symlink() && existing == Existing::Refuse => {
                return Err(Error::exists(path));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(metadata) => replaced = Some(metadata),
            Err(_) => {}
        }
        let directory = parent(path);
        let unnamed = open_unnamed(directory).map_err(failed)?;
        let state = match unnamed {
            Some(file) => State::Unnamed(file),
            None => State::Named(
                tempfile::Builder::new()
                    .prefix(".hocker-")
                    .permissions(fs::Permissions::from_mode(0o666))
                    .tempfile_in(directory)
                    .map_err(failed)?,
            ),
        };
        let file = Self {
            path: path.to_owned(),
            existing,
            state,
        };
        if let Some(replaced) = replaced {
            take_over(file.as_file(), &replaced).map_err(failed)?;
        }
        Ok(file)
    }

    /// Returns standard output. It is treated as a pipe even if it is a file, because the file may have earlier
    /// content.
    pub fn standard_output() -> Result<Self, Error> {
        let path = Path::new("standard output");
        let descriptor = io::stdout().as_fd().try_clone_to_owned();
        Ok(Self {
            path: path.to_owned(),
            existing: Existing::Refuse,
            state: State::Direct(
                descriptor
                    .map_err(|source| Error::write(path, source))?
                    .into(),
            ),
        })
    }

    /// Returns the name of the output in messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the file itself, for copies in the kernel and for writes at an offset.
    #[must_use]
    pub fn as_file(&self) -> &File {
        match &self.state {
            State::Unnamed(file) | State::Direct(file) => file,
            State::Named(file) => file.as_file(),
        }
    }

    /// Returns whether bytes can be written at any offset and read back. Devices and pipes cannot do this.
    #[must_use]
    pub fn is_seekable(&self) -> bool {
        !matches!(self.state, State::Direct(_))
    }

    /// Gives the complete file its name.
    pub fn commit(mut self) -> Result<(), Error> {
        self.flush()
            .map_err(|source| Error::write(&self.path, source))?;
        match self.state {
            State::Direct(_) => Ok(()),
            State::Unnamed(file) => match link(&file, &self.path) {
                // linkat(2) cannot replace a file; rename(2) can.
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists
                        && self.existing == Existing::Replace =>
                {
                    replace(&file, &self.path)
                }
                linked => linked,
            }
            .map_err(|source| Error::name(&self.path, source)),
            State::Named(file) => match self.existing {
                Existing::Refuse => file.persist_noclobber(&self.path),
                Existing::Replace => file.persist(&self.path),
            }
            .map(drop)
            .map_err(|failed| Error::name(&self.path, failed.error)),
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.as_file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.as_file().flush()
    }
}

/// Gives an empty file the permissions, owner and group of the file that it will replace.
fn take_over(file: &File, replaced: &fs::Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    let mut mode = replaced.mode() & 0o777;
    // Only the superuser may change the owner. A user may set a group of which they are a member.
    if own.uid() != replaced.uid() {
        let _ = fchown(file, Some(replaced.uid()), None);
    }
    if own.gid() != replaced.gid() && fchown(file, None, Some(replaced.gid())).is_err() {
        // The new file has another group: that group gets the permissions of all other users.
        mode = mode & 0o707 | (mode & 0o007) << 3;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Gives an unnamed file a name, by the form of linkat(2) that requires no capability.
fn link(file: &File, path: &Path) -> io::Result<()> {
    let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
    let flags = AtFlags::SYMLINK_FOLLOW;
    Ok(rustix::fs::linkat(
        CWD,
        descriptor.as_str(),
        CWD,
        path,
        flags,
    )?)
}

/// Replaces a file by an unnamed one, which has a temporary name for a moment.
fn replace(file: &File, path: &Path) -> io::Result<()> {
    let temporary = tempfile::Builder::new()
        .prefix(".hocker-")
        .make_in(parent(path), |temporary| link(file, temporary))?;
    temporary
        .persist(path)
        .map(drop)
        .map_err(|failed| failed.error)
}

/// Opens a file without a name. Returns `None` if the file system or the kernel does not support it, or if `/proc`,
/// which [`link`] needs, is not mounted.
#[cfg(target_os = "linux")]
fn open_unnamed(directory: &Path) -> io::Result<Option<File>> {
    use rustix::fs::{Mode, OFlags};
    use rustix::io::Errno;
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match rustix::fs::openat(CWD, directory, flags, mode) {
        Ok(_) if !Path::new("/proc/self/fd").exists() => Ok(None),
        Ok(descriptor) => Ok(Some(File::from(descriptor))),
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Returns `None`: only Linux has files without a name.
#[cfg(not(target_os = "linux"))]
fn open_unnamed(_directory: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

fn is_stream(metadata: &fs::Metadata) -> bool {
    let kind = metadata.file_type();
    kind.is_char_device() || kind.is_fifo() || kind.is_socket() || kind.is_block_device()
}

/// Returns the operating system's error alone. The crate for temporary files adds a random name, which helps nobody. It
/// hides the error inside, so the number is read from the text: `No such file or directory (os error 2) at path "…"`.
pub(crate) fn without_temporary_name(error: io::Error) -> io::Error {
    let text = error.to_string();
    let code = text
        .split_once(") at path ")
        .and_then(|(reason, _)| reason.rsplit_once(" (os error "))
        .and_then(|(_, code)| code.parse().ok());
    code.map_or(error, io::Error::from_raw_os_error)
}

/// Returns the directory of a path; `.` for a bare file name.
#[must_use]
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A directory that gets its name when it is complete.
#[derive(Debug)]
pub struct OutputDirectory {
    path: PathBuf,
    temporary: TempDir,
}

impl OutputDirectory {
    /// Creates a directory that [`commit`](Self::commit) names `path`. `path` may be an empty directory.
    ///
    /// # Errors
    ///
    /// An error for which [`Error::is_existing`] holds if `path` is a file or a directory with files.
    pub fn create(path: &Path) -> Result<Self, Error> {
        // rename(2) cannot replace such a directory.
        if is_fixed(path) {
            return Err(Error::create(path, io::ErrorKind::ResourceBusy.into()));
        }
        let occupied = match fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory && path.is_file() => true,
            Err(error) => return Err(Error::create(path, error)),
        };
        if occupied {
            return Err(Error {
                is_directory: true,
                ..Error::exists(path)
            });
        }
        let temporary = tempfile::Builder::new()
            .prefix(".hocker-")
            .permissions(fs::Permissions::from_mode(0o777))
            .tempdir_in(parent(path))
            .map_err(|source| Error::create(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            temporary,
        })
    }

    /// Returns the temporary path of the directory until [`commit`](Self::commit).
    #[must_use]
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Gives the complete directory its name.
    pub fn commit(self) -> Result<(), Error> {
        // Renaming onto an empty directory replaces it (rename(2)); onto any other it fails.
        fs::rename(self.temporary.path(), &self.path)
            .map_err(|source| Error::name(&self.path, source))?;
        // The temporary name does not exist any more, so nothing has to be removed.
        let _ = self.temporary.keep();
        Ok(())
    }
}

/// Returns whether a path is the working directory, the root, or a mount point.
fn is_fixed(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(metadata) = fs::metadata(path) else {
        return false;
    };
    let same = |other: &Path| {
        fs::metadata(other)
            .is_ok_and(|other| other.dev() == metadata.dev() && other.ino() == metadata.ino())
    };
    let is_mounted = fs::metadata(path.join("..")).is_ok_and(|above| above.dev() != metadata.dev());
    is_mounted || same(Path::new(".")) || same(Path::new("/"))
}

/// A failure to create or write an output.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {}", path.display())]
pub struct Error {
    operation: &'static str,
    path: PathBuf,
    is_directory: bool,
    #[source]
    source: io::Error,
}

impl Error {
    /// Returns the error for a file or directory that cannot be created.
    #[must_use]
    pub fn create(path: &Path, source: io::Error) -> Self {
        Self {
            operation: "create",
            path: path.to_owned(),
            is_directory: false,
            source: without_temporary_name(source),
        }
    }

    fn name(path: &Path, source: io::Error) -> Self {
        Self::create(path, source)
    }

    fn exists(path: &Path) -> Self {
        let source = io::Error::new(
            io::ErrorKind::AlreadyExists,
            "the file or directory already exists",
        );
        Self::create(path, source)
    }

    /// Returns the error for a failed write to `path`.
    #[must_use]
    pub fn write(path: &Path, source: io::Error) -> Self {
        Self {
            operation: "write",
            path: path.to_owned(),
            is_directory: false,
            source: without_temporary_name(source),
        }
    }

    /// Returns whether the reader of the output closed the pipe.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        self.source.kind() == io::ErrorKind::BrokenPipe
    }

    /// Returns whether the output exists already and is a directory.
    #[must_use]
    pub fn is_existing_directory(&self) -> bool {
        self.is_directory && self.is_existing()
    }

    /// Returns whether the output's directory does not exist.
    #[must_use]
    pub fn is_without_directory(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound && !parent(&self.path).exists()
    }

    /// Returns whether the output exists already.
    #[must_use]
    pub fn is_existing(&self) -> bool {
        self.source.kind() == io::ErrorKind::AlreadyExists
    }
}

#[cfg(test)]
mod tests;
