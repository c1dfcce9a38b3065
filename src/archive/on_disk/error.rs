//! The reasons why an image on disk cannot be opened.

use std::io;
use std::path::PathBuf;

use crate::archive::oci_layout;
use crate::class::Class;
use crate::compression::TooLarge;
use crate::oci::digest::Digest;
use crate::oci::document::ParseError;

/// An archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive cannot be read, or it ends too early.
    #[error("cannot read the tar archive")]
    Tar(#[source] io::Error),
    /// The content is not a tar archive.
    #[error("the file is not a tar archive, or is damaged")]
    NoTar,
    /// The file is neither an archive nor a script.
    #[error("the file is not an image: it is neither an archive nor a result of fetchdocker")]
    NoImage,
    /// The archive does not describe images.
    #[error("the archive has no image: it has neither `index.json` nor `manifest.json`")]
    NoManifest,
    /// The archive was written by a Docker that had no `manifest.json`.
    #[error(
        "the archive has the format of Docker before 1.10, with `repositories` but without `manifest.json`"
    )]
    OldFormat,
    /// The input has no bytes.
    #[error("there is no archive: the input is empty")]
    Empty,
    /// A name or an extended header is too long.
    #[error("the archive has a name of {size} bytes; the limit is {limit}")]
    LongName {
        /// The size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The archive has too many members.
    #[error("the archive has more than {limit} members")]
    TooManyMembers {
        /// The limit.
        limit: usize,
    },
    /// A member is sparse.
    #[error("the archive has a sparse member, which hocker does not read")]
    Sparse,
    /// Two members have one name and different contents, so that programs read different images.
    #[error("the archive has two different members with the name `{name}`")]
    TwoMembers {
        /// The name.
        name: String,
    },
    /// A member is absent or not a file.
    #[error("the archive has no file `{name}`")]
    Absent {
        /// The name.
        name: String,
    },
    /// A member's content does not have the digest in its name.
    #[error("digest mismatch in the archive's member `{name}`: expected {expected}, got {found}")]
    Digest {
        /// The name.
        name: String,
        /// The digest in the name, or in the config.
        expected: Box<Digest>,
        /// The digest of the content.
        found: Box<Digest>,
    },
    /// A document in the archive is invalid.
    #[error("cannot use `{name}` in the archive")]
    Document {
        /// The member's name.
        name: String,
        /// The cause.
        #[source]
        source: ParseError,
    },
    /// `manifest.json` and `index.json` name different images.
    #[error("`manifest.json` and `index.json` in the archive contradict each other: {0}")]
    Contradiction(String),
    /// The temporary directory cannot be written.
    #[error("cannot unpack the archive into the temporary directory {}", path.display())]
    Write {
        /// The directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The layout cannot be used.
    #[error(transparent)]
    Layout(#[from] oci_layout::Error),
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            // xz needs more memory than hocker allows.
            Self::Tar(error) if error.kind() == io::ErrorKind::OutOfMemory => Class::Unsupported,
            Self::Tar(error) if TooLarge::of(error).is_some() => Class::Integrity,
            Self::Tar(error) if error.kind() == io::ErrorKind::UnexpectedEof => Class::Integrity,
            Self::Tar(_) | Self::Write { .. } => Class::Other,
            Self::NoTar
            | Self::NoImage
            | Self::Empty
            | Self::NoManifest
            | Self::OldFormat
            | Self::LongName { .. }
            | Self::TooManyMembers { .. }
            | Self::Sparse => Class::Unsupported,
            Self::TwoMembers { .. } | Self::Digest { .. } | Self::Contradiction(_) => {
                Class::Integrity
            }
            Self::Absent { .. } => Class::NotFound,
            Self::Document { source, .. } => source.class(),
            Self::Layout(error) => error.class(),
        }
    }
}
