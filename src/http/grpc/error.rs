//! The failures of gRPC calls.

use std::io;

use crate::printable::Printable;

/// The codes of a status that have a meaning for hocker.
///
/// Source: grpc/grpc, `doc/statuscodes.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The request is invalid.
    InvalidArgument,
    /// The object does not exist.
    NotFound,
    /// The object exists already.
    AlreadyExists,
    /// The caller may not do this.
    PermissionDenied,
    /// The state of the object does not allow this.
    FailedPrecondition,
    /// The server does not know the method or the service.
    Unimplemented,
    /// The object is in use, or the server is not ready.
    Unavailable,
    /// Any other code.
    Other(u32),
}

impl Code {
    pub(super) fn of(number: u32) -> Self {
        match number {
            3 => Self::InvalidArgument,
            5 => Self::NotFound,
            6 => Self::AlreadyExists,
            7 => Self::PermissionDenied,
            9 => Self::FailedPrecondition,
            12 => Self::Unimplemented,
            14 => Self::Unavailable,
            number => Self::Other(number),
        }
    }
}

/// The answer of a server that refuses a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The code.
    pub code: Code,
    /// The message of the server.
    pub message: String,
}

/// A call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no connection.
    #[error(transparent)]
    Connect(io::Error),
    /// The connection broke, or the server does not speak HTTP/2.
    #[error("{0}")]
    Broken(Printable),
    /// The server speaks HTTP but not gRPC.
    #[error("the server answers {0} without gRPC")]
    NotGrpc(u16),
    /// The stream ended without a status or a message.
    #[error("the response ended early")]
    EndedEarly,
    /// More than one message arrived where one is allowed.
    #[error("the response has several messages")]
    SeveralMessages,
    /// A message exceeds its limit.
    #[error("the response has a message of more than {0} bytes")]
    TooLarge(usize),
    /// A message is invalid.
    #[error("the response has an invalid message: {0}")]
    Invalid(Printable),
    /// The server refused the call.
    #[error("{}", Printable::new(&.0.message))]
    Status(Status),
}

impl Error {
    pub(super) fn broken(error: &hyper::Error) -> Self {
        let mut innermost: &(dyn std::error::Error + 'static) = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self::Broken(Printable::new(&innermost.to_string()))
    }

    /// Returns the code of the server's answer, if it refused the call.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Status(status) => Some(status.code),
            _ => None,
        }
    }

    /// Returns whether the call did not get an answer by gRPC.
    #[must_use]
    pub fn is_other_protocol(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::NotGrpc(_) | Self::EndedEarly)
            || self.code() == Some(Code::Unimplemented)
    }
}
