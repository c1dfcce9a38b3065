//! Why an image is no service.

use crate::class::Class;

/// An image that is no service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither the image nor the options name a program.
    #[error("the image names no command")]
    NoCommand,
    /// A word of the command cannot be part of a unit.
    #[error("the command has a word with a zero byte")]
    Word,
    /// The program cannot be started by systemd.
    #[error("systemd cannot start the program `{0}`")]
    Program(String),
    /// The working directory cannot be part of a unit.
    #[error("the working directory `{0}` cannot be part of a unit")]
    Directory(String),
    /// The stop signal is none.
    #[error("the stop signal `{0}` is not a signal")]
    Signal(String),
    /// The image has no such user.
    #[error("the image has no user `{0}`")]
    User(String),
    /// The host needs an account for the image's user.
    #[error(
        "the image runs as `{name}`, which is {user}:{group}; systemd needs an account of the host with these numbers"
    )]
    NotRoot {
        /// The user in the config.
        name: String,
        /// The number of the user.
        user: u32,
        /// The number of the group.
        group: u32,
    },
    /// The image has no such group.
    #[error("the image has no group `{0}`")]
    Group(String),
}

impl Error {
    /// The class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::User(_) | Self::Group(_) | Self::NoCommand => Class::NotFound,
            Self::NotRoot { .. }
            | Self::Word
            | Self::Program(_)
            | Self::Directory(_)
            | Self::Signal(_) => Class::Unsupported,
        }
    }
}
