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
    /// A file.
    File(PathBuf),
    /// A credential helper that a file names.
    Helper {
        /// The program.
        program: String,
        /// The file.
        file: PathBuf,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("the command line"),
            Self::Environment(names) => write!(f, "the environment ({names})"),
            Self::File(path) => path.display().fmt(f),
            Self::Helper { program, file } => {
                write!(f, "{program}, which {} names", file.display())
            }
        }
    }
}
