//! Errors of comparisons.

use std::io;
use std::path::PathBuf;

use super::super::Exit;
use hocker::class::Class;
use hocker::diff::packages;
use hocker::oci::index::NoSuchPlatform;
use hocker::printable::Printable;

/// Images or lock files cannot be compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiffError {
    /// More than two platforms were given.
    #[error("cannot use more than two platforms for two images")]
    Platforms,
    /// A lock file does not have the image, or has several and none was named.
    #[error("cannot find the image {} in {}", wanted.as_deref().unwrap_or("without a name"), path.display())]
    Entry {
        /// The lock file.
        path: PathBuf,
        /// The name of the image, if the user gave one.
        wanted: Option<String>,
    },
    /// A lock file does not have the image for the platform.
    #[error("cannot select a platform of {what}")]
    Platform {
        /// The image, as the user named it.
        what: String,
        /// The cause, with the available platforms.
        #[source]
        source: NoSuchPlatform,
    },
    /// The packages of an image cannot be read.
    #[error("cannot read the packages of {what}")]
    Packages {
        /// The image, as the user named it.
        what: String,
        /// The cause.
        #[source]
        source: packages::Error,
    },
    /// A layer cannot be kept on disk while it is read.
    #[error("cannot write a temporary file")]
    Temporary(#[source] io::Error),
    /// The name of a commit could be an option or a path.
    #[error("cannot use `{0}` as the name of a commit")]
    Revision(Printable),
    /// git cannot be started.
    #[error("cannot start git")]
    Git(#[source] io::Error),
    /// git fails.
    #[error("cannot find the lock file in the commit {revision}")]
    GitFailed {
        /// The name of the commit.
        revision: Printable,
        /// What git prints.
        #[source]
        source: GitMessage,
    },
}

/// The last line that git prints on standard error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct GitMessage(pub(in crate::cli) Printable);

impl DiffError {
    /// Returns the exit code.
    pub(in crate::cli) fn exit(&self) -> Exit {
        match self {
            Self::Platforms | Self::Revision(_) => Exit::Usage,
            Self::Entry { .. } | Self::Platform { .. } | Self::GitFailed { .. } => {
                Class::NotFound.into()
            }
            Self::Packages { source, .. } => source.class().into(),
            Self::Temporary(_) | Self::Git(_) => Exit::Other,
        }
    }

    /// Returns an action that the user can take, if there is one.
    pub(in crate::cli) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Entry { .. } => {
                Some("write FILE#NAME with one of the names that `hocker lock list` prints")
            }
            Self::Platform { .. } => Some("select one of these with --platform"),
            Self::Packages { .. } => {
                Some("if you trust the image, allow larger layers with --max-layer-size")
            }
            Self::Git(_) => Some("install git, or compare images with `hocker diff`"),
            Self::GitFailed { .. } => {
                Some("name a commit of the repository that has the lock file")
            }
            _ => None,
        }
    }
}
