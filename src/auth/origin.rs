//! Origins: the sources of credentials, for messages. An origin names a file, variable or program, never its content.

use std::fmt;
use std::path::PathBuf;

/// The source of credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Arguments of this call.
    CommandLine,
    /// Environment variables with these names.
    Environment(&'static str),
    /// The environment variable with this name, whose value names the registry.
    Variable(&'static str),
    /// A file that an argument of this call names.
    NamedFile(PathBuf),
    /// A file of stored credentials.
    File(PathBuf),
    /// A credential helper that a file names.
    Helper {
        /// The program.
        program: String,
        /// The file.
        file: PathBuf,
    },
}

impl Origin {
    /// Returns whether the user gave the credentials for this call. All others were stored earlier for a registry.
    #[must_use]
    pub fn is_this_call(&self) -> bool {
        match self {
            Self::CommandLine | Self::Environment(_) | Self::NamedFile(_) => true,
            Self::Variable(_) | Self::File(_) | Self::Helper { .. } => false,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("the command line"),
            Self::Environment(names) | Self::Variable(names) => {
                write!(f, "the environment ({names})")
            }
            Self::NamedFile(path) | Self::File(path) => path.display().fmt(f),
            Self::Helper { program, file } => {
                write!(f, "{program}, which {} names", file.display())
            }
        }
    }
}
