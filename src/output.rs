//! Output: a file or directory that is absent or complete, never half.
//!
//! A file is written without a name (`O_TMPFILE`) where the filesystem can, so that not even `kill -9`
//! leaves anything behind, and is linked to its name at the end; elsewhere it has a temporary name in the
//! same directory. Devices and pipes that exist (`/dev/null`, a FIFO) are written as they are.
//!
//! A file that replaces another has its permissions, and its owner and group where the system lets it: as if the other
//! had been written to. So what was not for others to read does not become so. Access control lists are not kept.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD};
use tempfile::{NamedTempFile, TempDir};

/// What to do if the output is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Fail, and leave it as it is.
    Refuse,
    /// Replace it once the new content is complete.
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
    /// Starts a file that [`commit`](Self::commit) will name `path`.
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
            // A link that leads nowhere stands in the way like a file.
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

    /// Standard output, taken as a pipe even where it leads to a file: what others wrote to it stays.
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

    /// What it is called in messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file itself, for copies in the kernel and writes at an offset.
    #[must_use]
    pub fn as_file(&self) -> &File {
        match &self.state {
            State::Unnamed(file) | State::Direct(file) => file,
            State::Named(file) => file.as_file(),
        }
    }

    /// Whether bytes can be written at any offset, and read back: not so a device or a pipe.
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
                // A link cannot replace a file, a rename can.
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

/// Gives a file that has no content yet the permissions, owner and group of the one that it will replace.
fn take_over(file: &File, replaced: &fs::Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    let mut mode = replaced.mode() & 0o777;
    // Only the superuser may give files away; members of a group may give it theirs.
    if own.uid() != replaced.uid() {
        let _ = fchown(file, Some(replaced.uid()), None);
    }
    if own.gid() != replaced.gid() && fchown(file, None, Some(replaced.gid())).is_err() {
        // What one group may do is not what another may do: that one is among the others.
        mode = mode & 0o707 | (mode & 0o007) << 3;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Names an unnamed file: the way of linkat(2) that needs no capability.
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

/// Puts an unnamed file in the place of another, by a name that exists for a moment.
fn replace(file: &File, path: &Path) -> io::Result<()> {
    let temporary = tempfile::Builder::new()
        .prefix(".hocker-")
        .make_in(parent(path), |temporary| link(file, temporary))?;
    temporary
        .persist(path)
        .map(drop)
        .map_err(|failed| failed.error)
}

/// Opens a file without a name; `None` where the filesystem or the kernel has no such thing, or where
/// `/proc`, which naming it needs, is not mounted.
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

/// Only Linux has such files.
#[cfg(not(target_os = "linux"))]
fn open_unnamed(_directory: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

fn is_stream(metadata: &fs::Metadata) -> bool {
    let kind = metadata.file_type();
    kind.is_char_device() || kind.is_fifo() || kind.is_socket() || kind.is_block_device()
}

/// The directory that a path is in.
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
    /// Starts a directory that [`commit`](Self::commit) will name `path`. An empty directory may stand
    /// there already.
    pub fn create(path: &Path) -> Result<Self, Error> {
        // A directory of this kind can be filled, but not be replaced by a rename.
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

    /// Where to write until then.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Gives the complete directory its name.
    pub fn commit(self) -> Result<(), Error> {
        // Renaming onto an empty directory replaces it (rename(2)); onto any other it fails.
        fs::rename(self.temporary.path(), &self.path)
            .map_err(|source| Error::name(&self.path, source))?;
        // The temporary name is gone, so there is nothing left to remove.
        let _ = self.temporary.keep();
        Ok(())
    }
}

/// Whether a path is the working directory, the root, or a mount point.
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

/// An output that cannot be written.
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
    /// A file or directory `path` that could not be made.
    #[must_use]
    pub fn create(path: &Path, source: io::Error) -> Self {
        Self {
            operation: "create",
            path: path.to_owned(),
            is_directory: false,
            source,
        }
    }

    fn name(path: &Path, source: io::Error) -> Self {
        Self::create(path, source)
    }

    fn exists(path: &Path) -> Self {
        Self::create(path, io::ErrorKind::AlreadyExists.into())
    }

    /// A write to `path` that failed.
    #[must_use]
    pub fn write(path: &Path, source: io::Error) -> Self {
        Self {
            operation: "write",
            path: path.to_owned(),
            is_directory: false,
            source,
        }
    }

    /// Whether whoever read the output closed it.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        self.source.kind() == io::ErrorKind::BrokenPipe
    }

    /// Whether the output was there already, and is a directory.
    #[must_use]
    pub fn is_existing_directory(&self) -> bool {
        self.is_directory && self.is_existing()
    }

    /// Whether the output was there already.
    #[must_use]
    pub fn is_existing(&self) -> bool {
        self.source.kind() == io::ErrorKind::AlreadyExists
    }
}

#[cfg(test)]
mod tests;
