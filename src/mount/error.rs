//! Why an image is not mounted.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::class::Class;
use crate::erofs;
use crate::oci::digest::{DiffId, Digest};
use crate::output;

/// An image that is not mounted, or a directory that is not unmounted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory cannot be used.
    #[error("cannot use the directory {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// Something is mounted on the directory already.
    #[error("cannot mount on {}: the directory is a mount point already", path.display())]
    Mounted {
        /// The directory.
        path: PathBuf,
        /// Whether hocker mounted it.
        by_hocker: bool,
    },
    /// The directory has files, which the mount would hide.
    #[error("cannot mount on {}: the directory is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// Nothing is mounted on the directory.
    #[error("cannot unmount {}: nothing is mounted on it", .0.display())]
    NotMounted(PathBuf),
    /// Another program mounted the directory.
    #[error("cannot unmount {}: another program than hocker mounted it", .0.display())]
    Foreign(PathBuf),
    /// Another user can change what the kernel would read.
    #[error("cannot use {}: another user can change it", .0.display())]
    Unsafe(PathBuf),
    /// A file that should be the EROFS image of a layer cannot be used.
    #[error("cannot use {}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: erofs::CheckError,
    },
    /// A layer does not become an EROFS image.
    #[error("cannot convert the layer {layer}")]
    Convert {
        /// The digest of the layer.
        layer: Box<Digest>,
        /// The cause.
        #[source]
        source: Box<erofs::Error>,
    },
    /// An EROFS image cannot be kept.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// The kernel does not mount a layer.
    #[error("cannot mount the layer with the diff ID {diff_id}")]
    Layer {
        /// The diff ID of the layer.
        diff_id: Box<DiffId>,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// The kernel does not mount the layers as one.
    #[error("cannot mount the overlay of {layers} layers")]
    Overlay {
        /// The number of layers.
        layers: usize,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// The kernel takes fewer layers.
    #[error("cannot mount an image of {layers} layers: this kernel mounts at most {limit}")]
    Layers {
        /// The number of layers.
        layers: usize,
        /// The limit.
        limit: usize,
    },
    /// The writable top cannot be made.
    #[error("cannot prepare the writable top")]
    Top(#[source] io::Error),
    /// The overlay cannot be attached.
    #[error("cannot mount on {}", path.display())]
    Attach {
        /// The directory.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// The kernel does not unmount the directory.
    #[error("cannot unmount {}", path.display())]
    Unmount {
        /// The directory.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// The list of mounts cannot be read.
    #[error("cannot read the list of mounts")]
    Table(#[source] io::Error),
}

impl Error {
    pub(super) fn directory(path: &Path, source: impl Into<io::Error>) -> Self {
        let (path, source) = (path.to_owned(), source.into());
        Self::Directory { path, source }
    }

    /// The class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Convert { source, .. } => source.class(),
            Self::Image { source, .. } => source.class(),
            Self::Layers { .. } => Class::Unsupported,
            _ => Class::Other,
        }
    }

    /// Whether a directory that the user named does not exist.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Directory { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the kernel refuses the mount to this user.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.is(Errno::PERM)
    }

    /// Whether programs use files in the mounted directory.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.is(Errno::BUSY)
    }

    /// Whether the kernel lacks a file system.
    #[must_use]
    pub fn is_unknown_file_system(&self) -> bool {
        self.is(Errno::NODEV)
    }

    fn is(&self, errno: Errno) -> bool {
        match self {
            Self::Layer { source, .. }
            | Self::Overlay { source, .. }
            | Self::Attach { source, .. }
            | Self::Top(source)
            | Self::Unmount { source, .. } => source.raw_os_error() == Some(errno.raw_os_error()),
            _ => false,
        }
    }
}
