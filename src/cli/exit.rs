//! Exit codes, which are promised to scripts.

use std::process::ExitCode;

use hocker::class::Class;

/// How the program ends. The numbers are promised to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All done, or the reader of the output closed it.
    Done,
    /// Nothing of the below.
    Other,
    /// Arguments that make no sense.
    Usage,
    /// No such image, tag, layer or platform.
    NotFound,
    /// No access.
    Denied,
    /// Content that is not what its digest says.
    Integrity,
    /// No usable answer from a registry.
    Unavailable,
    /// Something this program does not handle.
    Unsupported,
    /// Ended by a signal, of this number.
    Signal(u8),
}

impl From<Class> for Exit {
    fn from(class: Class) -> Self {
        match class {
            Class::NotFound => Self::NotFound,
            Class::Denied => Self::Denied,
            Class::Integrity => Self::Integrity,
            Class::Unavailable => Self::Unavailable,
            Class::Unsupported => Self::Unsupported,
            Class::Usage => Self::Usage,
            Class::Other => Self::Other,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Other => 1,
            Exit::Usage => 2,
            Exit::NotFound => 3,
            Exit::Denied => 4,
            Exit::Integrity => 5,
            Exit::Unavailable => 6,
            Exit::Unsupported => 7,
            // As shells report it.
            Exit::Signal(number) => 128u8.saturating_add(number),
        })
    }
}
