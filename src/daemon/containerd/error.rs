//! The failures of containerd and of its client.

use std::io;
use std::path::PathBuf;

use crate::class::Class;
use crate::daemon::message::DaemonMessage;
use crate::http::GrpcError;
use crate::http::grpc::Code;
use crate::oci::digest::{DiffId, Digest};
use crate::printable::Printable;

/// containerd cannot be used, or does not do what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no connection.
    #[error("cannot connect to containerd at {}", socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another program listens at the socket.
    #[error("the server at {} is not containerd", socket.display())]
    OtherServer {
        /// The socket.
        socket: PathBuf,
        /// The cause.
        #[source]
        source: GrpcError,
    },
    /// The server at the socket does not answer.
    #[error("the server at {} did not answer within {seconds} s", socket.display())]
    Silent {
        /// The socket.
        socket: PathBuf,
        /// The time limit.
        seconds: u64,
    },
    /// The connection broke, or the answer is invalid.
    #[error("cannot {what}: containerd does not answer")]
    Call {
        /// The operation.
        what: String,
        /// The cause.
        #[source]
        source: GrpcError,
    },
    /// containerd refused the request.
    #[error("cannot {what}: {message}")]
    Refused {
        /// The operation.
        what: String,
        /// The kind of refusal.
        code: Code,
        /// The message of containerd.
        message: DaemonMessage,
    },
    /// containerd does not have the snapshotter, or it does not work there.
    #[error("containerd has no snapshotter `{name}`{}; it has {}", reason(problem.as_ref()), list(others))]
    Snapshotter {
        /// The name.
        name: Printable,
        /// The reason why it does not work, if containerd has it.
        problem: Option<Printable>,
        /// The snapshotters that work.
        others: Vec<Printable>,
    },
    /// The content that containerd unpacked from a layer is not that of the config.
    #[error("containerd unpacked the layer {layer} to {}, but the config names {expected}", found.as_str())]
    OtherContent {
        /// The digest of the layer.
        layer: Digest,
        /// The diff ID in the config.
        expected: DiffId,
        /// What containerd reports.
        found: Printable,
    },
    /// A part of the image is absent after the load.
    #[error("containerd lost {what} during the load")]
    Lost {
        /// The part.
        what: String,
    },
    /// A document of containerd's is not what its digest names, or is too large.
    #[error("containerd has an invalid document {digest}")]
    Document {
        /// The digest.
        digest: Digest,
    },
    /// The containers are more than hocker counts.
    #[error("containerd has more containers than hocker can count")]
    TooManyContainers,
    /// The operating system has no random bytes.
    #[error("the operating system has no random bytes")]
    NoRandom,
}

fn reason(problem: Option<&Printable>) -> String {
    problem.map_or_else(String::new, |problem| format!(" that works ({problem})"))
}

fn list(names: &[Printable]) -> String {
    let names: Vec<_> = names.iter().map(Printable::as_str).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            _ if self.is_denied() => Class::Denied,
            Self::Connect { .. } | Self::Silent { .. } | Self::Call { .. } => Class::Unavailable,
            Self::OtherServer { .. } | Self::Snapshotter { .. } => Class::Unsupported,
            Self::OtherContent { .. } | Self::Document { .. } | Self::Lost { .. } => {
                Class::Integrity
            }
            Self::Refused { .. } | Self::TooManyContainers | Self::NoRandom => Class::Other,
        }
    }

    /// Returns whether there is no connection.
    #[must_use]
    pub fn is_down(&self) -> bool {
        matches!(self, Self::Connect { .. })
    }

    /// Returns whether the user lacks the permission to use containerd.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Connect { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
            Self::Refused { code, .. } => *code == Code::PermissionDenied,
            _ => false,
        }
    }

    /// Returns whether containerd's disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Refused { message, .. } if message.is_full())
    }

    /// Returns the kind of refusal, if containerd refused the request.
    pub(super) fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }
}
