//! Why a layer does not become an image.

use std::io;

use crate::archive::plain_layer::LayerError;
use crate::class::Class;
use crate::verify;

/// A layer that does not become an image.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The layer cannot be read.
    #[error("cannot read the layer")]
    Read(#[source] io::Error),
    /// The layer cannot be decompressed, or is not what the image names.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The decompressed layer is not a tar archive, or ends early.
    #[error("not a complete tar archive: {0}")]
    Archive(&'static str),
    /// An entry of the archive cannot be part of an image.
    #[error("cannot convert the entry `{name}`")]
    Entry {
        /// The name in the archive.
        name: String,
        /// The reason.
        #[source]
        source: EntryError,
    },
    /// The image would need more than 2³² blocks.
    #[error("the image has more than 16 TiB")]
    ImageSize,
    /// The image or a temporary file cannot be written.
    #[error("cannot write the image")]
    Write(#[source] io::Error),
}

impl Error {
    /// The error of a layer that cannot be read: another digest than that of its descriptor is one of content.
    pub(super) fn of_read(error: io::Error) -> Self {
        let inner = error.get_ref();
        match inner.and_then(|inner| inner.downcast_ref::<verify::Error>()) {
            Some(content) => Self::Layer(content.clone().into()),
            None => Self::Read(error),
        }
    }

    pub(super) fn entry(name: &[u8], source: EntryError) -> Self {
        Self::Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            source,
        }
    }

    /// The class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Layer(error) => error.class(),
            Self::Archive(_) => Class::Integrity,
            Self::Entry { source, .. } => source.class(),
            Self::ImageSize => Class::Unsupported,
            Self::Read(_) | Self::Write(_) => Class::Other,
        }
    }
}

/// An entry of the archive that cannot be part of an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A parent of the entry is not a directory.
    #[error("a parent directory is listed as something else")]
    NotADirectory,
    /// The root of the layer is listed as something else than a directory.
    #[error("the root of a layer must be a directory")]
    Root,
    /// Symbolic links on the way to the entry lead in a circle.
    #[error("too many symbolic links on the way")]
    SymbolicLinks,
    /// A hard link to a file that the layer does not list before.
    #[error(
        "a hard link to `{0}`, which this layer does not list before; a link to a file of a lower layer is not \
         supported"
    )]
    LinkTarget(String),
    /// A hard link to a file that neither the layer lists before nor a lower layer has.
    #[error("a hard link to `{0}`, which no layer has")]
    NoLinkTarget(String),
    /// A hard link to a directory.
    #[error("a hard link to `{0}`, which is a directory")]
    LinkToDirectory(String),
    /// A whiteout that names no file.
    #[error("a whiteout without the name of a file")]
    Whiteout,
    /// A name that Linux does not accept.
    #[error("a name has more than 255 bytes, or a path has more than 4096")]
    LongName,
    /// A name with a zero byte.
    #[error("a name contains a zero byte")]
    ZeroByte,
    /// A symbolic link without a target, or with one that Linux does not accept.
    #[error("the target of a symbolic link has no bytes, or more than 4095")]
    SymbolicLinkTarget,
    /// An entry of a type that layers do not have.
    #[error("an entry of the unknown type `{}`", char::from(*.0).escape_default())]
    Type(u8),
    /// A user or group that Linux does not have.
    #[error("the user or group ID {0} is too large")]
    Owner(u64),
    /// A device number that Linux does not have.
    #[error("the device number {major}:{minor} is too large")]
    Device {
        /// The number of the driver.
        major: u64,
        /// The number of the device.
        minor: u64,
    },
    /// An extended attribute with a name that Linux does not accept.
    #[error("an extended attribute has no valid name")]
    AttributeName,
    /// Extended attributes that are too large for an inode.
    #[error("the extended attributes have more than {limit} bytes")]
    Attributes {
        /// The limit in bytes.
        limit: usize,
    },
    /// More names than memory is made for.
    #[error("the layer has more than {limit} files and directories")]
    Files {
        /// The limit.
        limit: usize,
    },
    /// More bytes in names, link targets and extended attributes than memory is made for.
    #[error("the names and extended attributes of the layer have more than {limit} bytes")]
    Metadata {
        /// The limit in bytes.
        limit: usize,
    },
}

impl EntryError {
    /// [`Class::Integrity`] for an archive that contradicts itself, else [`Class::Unsupported`].
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::NotADirectory
            | Self::Root
            | Self::SymbolicLinks
            | Self::LinkToDirectory(_)
            | Self::NoLinkTarget(_)
            | Self::Whiteout
            | Self::ZeroByte
            | Self::SymbolicLinkTarget => Class::Integrity,
            Self::LinkTarget(_)
            | Self::LongName
            | Self::Type(_)
            | Self::Owner(_)
            | Self::Device { .. }
            | Self::AttributeName
            | Self::Attributes { .. }
            | Self::Files { .. }
            | Self::Metadata { .. } => Class::Unsupported,
        }
    }
}
