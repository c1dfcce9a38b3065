//! Origins: where credentials came from, fit for messages. They say which file or program, never what it
//! holds.

use std::fmt;
use std::path::PathBuf;

/// Where credentials came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The arguments of this call.
    CommandLine,
    /// The environment variables of these names.
    Environment(&'static str),
    /// The environment variable of this name, which says for which registry they are.
    Variable(&'static str),
    /// A file that the arguments of this call name.
    NamedFile(PathBuf),
    /// A file in which credentials are kept.
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
    /// Whether the user gave them for this very call. Others were kept for a registry's name, some time ago.
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
