//! Exit codes. Scripts depend on them, so they never change.

use std::process::ExitCode;

use hocker::class::Class;

/// The result of the program, with an exit code for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command succeeded, or the reader of its output closed the pipe: 0.
    Done,
    /// Any other failure: 1.
    Other,
    /// The command line is wrong: 2.
    Usage,
    /// The image, tag, layer or platform does not exist: 3.
    NotFound,
    /// The registry or the daemon denies access: 4.
    Denied,
    /// A size or a digest is wrong: 5.
    Integrity,
    /// A registry gives no usable response, after all retries: 6.
    Unavailable,
    /// hocker cannot use this kind of document or content: 7.
    Unsupported,
    /// A signal with this number ended the program: 128 and the number.
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
            // Shells report signals like this.
            Exit::Signal(number) => 128u8.saturating_add(number),
        })
    }
}
