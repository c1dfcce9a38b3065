//! The reasons why the images of a project cannot be determined.

use std::io;
use std::path::Path;

use super::dotenv;
use super::interpolation_error::InterpolationError;
use super::yaml::YamlError;
use crate::printable::Printable;

/// The images of the file cannot be determined.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not YAML, or too large.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The file is not a Compose file.
    #[error("the file has no `services`")]
    NoServices,
    /// A service has neither an image nor a build.
    #[error("the service {0} has neither `image` nor `build`")]
    NoImage(Printable),
    /// A volume of the type `image` has no source or no target.
    #[error("the service {0} has a volume of the type `image` without `source` or `target`")]
    NoVolume(Printable),
    /// A service extends one that does not exist.
    #[error("a service extends {0}, which is not in the file")]
    NoBase(Printable),
    /// Services extend each other in a cycle, or too many do.
    #[error("services extend each other in a cycle, or too many services do")]
    Extends,
    /// Files include each other in a cycle, or too many do.
    #[error("files include or extend each other in a cycle, or too many files do")]
    Files,
    /// Two files have the same service, with a difference.
    #[error("the service {0} differs between a file and one that it includes")]
    Conflict(Printable),
    /// The variables of a value cannot be replaced.
    #[error("cannot replace the variables of {what}")]
    Interpolation {
        /// The service, or the field.
        what: Printable,
        /// The cause.
        #[source]
        source: InterpolationError,
    },
    /// A secret would become part of a name, which hocker sends to registries.
    #[error("{what} uses {variable}, which looks like a secret and must not become part of a name")]
    Secret {
        /// The service, or the field.
        what: Printable,
        /// The name of the variable.
        variable: String,
    },
    /// Another file of the project cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: Printable,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file of variables is invalid.
    #[error("cannot read {path}")]
    Dotenv {
        /// The file.
        path: Printable,
        /// The cause.
        #[source]
        source: dotenv::Error,
    },
    /// Another file of the project is invalid.
    #[error("cannot use {path}")]
    In {
        /// The file.
        path: Printable,
        /// The cause.
        #[source]
        source: Box<Self>,
    },
}

impl Error {
    /// Returns the error with the name of the file in which it is.
    pub(super) fn of(self, path: &Path) -> Self {
        Self::In {
            path: Printable::new(&path.to_string_lossy()),
            source: Box::new(self),
        }
    }
}
