//! What can go wrong with a lock file, the names in it, and what it is made from.

use std::path::PathBuf;

use super::super::Exit;
use hocker::compose;
use hocker::file_lock;
use hocker::lock::{self, Name};
use hocker::name::{self, Reference};
use hocker::printable::Printable;

/// Why a lock file does not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// There is no lock file.
    #[error("there is no lock file {}", .0.display())]
    NoLock(PathBuf),
    /// A lock file that cannot be read.
    #[error("cannot use the lock file {}", path.display())]
    Parse {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: lock::ParseError,
    },
    /// A name that no image can have.
    #[error("cannot name an image so")]
    Name(#[from] lock::NameError),
    /// A name that no image has.
    #[error("no image in {} is called {name}", path.display())]
    NotLocked {
        /// The name.
        name: Name,
        /// The lock file.
        path: PathBuf,
    },
    /// A name that another image has.
    #[error("`{name}` is {taken_by} already")]
    NameTaken {
        /// The name.
        name: Name,
        /// The image.
        taken_by: Box<Reference>,
    },
    /// Somebody else has written the lock file.
    #[error("`{name}` was changed in {} by somebody else meanwhile", path.display())]
    Changed {
        /// The lock file.
        path: PathBuf,
        /// The image.
        name: Name,
    },
    /// Another process keeps the place locked.
    #[error(transparent)]
    Held(file_lock::Error),
    /// Images that contradict each other.
    #[error("cannot lock images that contradict each other")]
    Sizes(#[from] lock::SizeError),
    /// Tags have moved. No failure, but what was asked.
    #[error("{moved} of {all} images have moved")]
    Moved {
        /// So many.
        moved: usize,
        /// Of so many.
        all: usize,
    },
    /// Credentials on the command line are for one registry.
    #[error("the credentials in the arguments are for one registry, and these are asked: {}", .0.join(", "))]
    CredentialsForSeveral(Vec<String>),
    /// A service of a Compose file whose image is no reference.
    #[error(
        "the service {name} has the image `{written}`, which is not one that a registry can have"
    )]
    Service {
        /// Its name.
        name: Printable,
        /// The image as the file has it, with its variables.
        written: Printable,
        /// Why not. Not there if variables are part of it: their values are not shown.
        #[source]
        source: Option<name::ParseError>,
    },
    /// A Compose file.
    #[error("cannot tell the images of {what}")]
    Compose {
        /// Which.
        what: String,
        /// Why not.
        #[source]
        source: compose::Error,
    },
    /// A file of variables.
    #[error("cannot use the variables in {}", path.display())]
    Dotenv {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: compose::dotenv::Error,
    },
}

impl LockError {
    /// How the program ends for this.
    pub(in crate::cli) fn exit(&self) -> Exit {
        match self {
            Self::Name(_)
            | Self::NameTaken { .. }
            | Self::Service { .. }
            | Self::CredentialsForSeveral(_) => Exit::Usage,
            Self::NoLock(_) | Self::NotLocked { .. } => Exit::NotFound,
            Self::Parse { source, .. } => source.class().into(),
            Self::Compose { .. } | Self::Dotenv { .. } => Exit::Unsupported,
            Self::Sizes(_) => Exit::Integrity,
            Self::Changed { .. } | Self::Held(_) | Self::Moved { .. } => Exit::Other,
        }
    }

    /// What the user can do, where that is worth saying.
    pub(in crate::cli) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoLock(_) => {
                Some("`hocker lock add IMAGE` begins one; --lock-file names another")
            }
            Self::Parse { source, .. } => hint_of_lock(source),
            Self::NotLocked { .. } => Some("`hocker lock list` tells the names"),
            Self::NameTaken { .. } => {
                Some("write NAME=IMAGE for another name, or replace it with --force")
            }
            Self::Service { source: None, .. } => {
                Some("what its variables stand for is not shown, as it may be secret")
            }
            Self::Changed { .. } => Some("nothing was written; try again"),
            Self::Held(_) => Some(
                "nothing was written; end that process, or keep the lock file where other users cannot read the directory",
            ),
            Self::Sizes(_) => Some("nothing was written; one of the two manifests is wrong"),
            Self::Moved { .. } => Some("`hocker lock update` follows them"),
            Self::CredentialsForSeveral(_) => Some(
                "name the images of one registry, or let `docker login` or `podman login` keep the credentials",
            ),
            _ => None,
        }
    }
}

fn hint_of_lock(error: &lock::ParseError) -> Option<&'static str> {
    match error {
        lock::ParseError::Conflict(_) => Some(
            "take one side, or remove the image and add it again: an image is one entry, and every entry stands alone",
        ),
        lock::ParseError::Newer(_) => Some("a newer hocker reads it"),
        lock::ParseError::Line { .. } => Some(
            "lock files are not for editing; remove the entry, and `hocker lock add` makes it anew",
        ),
        _ => None,
    }
}
