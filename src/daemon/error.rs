//! The errors of a daemon and its client.

use super::DaemonMessage;
use super::address::{Address, EndpointError};
use crate::class::Class;
use crate::http::{self, StatusCode};
use crate::oci::digest::Digest;
use crate::oci::platform::Platform;
use crate::printable::Printable;

/// The daemon cannot be used, or does not do what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client cannot be set up.
    #[error("cannot set up the connection to the daemon at {address}")]
    Endpoint {
        /// The address of the daemon.
        address: Address,
        /// The cause.
        #[source]
        source: EndpointError,
    },
    /// There is no connection, or it broke.
    #[error("cannot {what}: the daemon at {address} does not answer")]
    Http {
        /// The operation.
        what: String,
        /// The address of the daemon.
        address: Address,
        /// The cause.
        #[source]
        source: http::Error,
    },
    /// The daemon refused the request.
    #[error("cannot {what}: the daemon at {address} answers {status}: {message}")]
    Status {
        /// The operation.
        what: String,
        /// The address of the daemon.
        address: Address,
        /// The status of the answer.
        status: StatusCode,
        /// The message of the daemon.
        message: DaemonMessage,
    },
    /// The answer is invalid.
    #[error("cannot {what}: the daemon at {address} sends an invalid response")]
    InvalidAnswer {
        /// The operation.
        what: String,
        /// The address of the daemon.
        address: Address,
        /// The cause.
        #[source]
        source: Unreadable,
    },
    /// The server is not a daemon, or a daemon from before 2016.
    #[error(
        "the daemon at {address} offers {}, but hocker needs at least 1.24",
        offered(version.as_ref())
    )]
    TooOld {
        /// The address of the daemon.
        address: Address,
        /// The version that it offers.
        version: Option<Printable>,
    },
    /// The daemon received the archive of the image but did not load it.
    #[error("the daemon did not load the image: {message}")]
    Load {
        /// The message of the daemon.
        message: DaemonMessage,
    },
    /// containerd cannot be used, or does not do what it was asked to do.
    #[cfg(feature = "containerd")]
    #[error(transparent)]
    Containerd(#[from] Box<super::containerd::Error>),
    /// The image is for another platform.
    #[error("the image is for {image}, not for {wanted}")]
    Platform {
        /// The platform of the image.
        image: Platform,
        /// The platform that the user or the daemon requires.
        wanted: Platform,
    },
    /// The daemon reported success but does not have the image.
    #[error("the daemon loaded the archive, but has no image {expected}")]
    Absent {
        /// The image ID.
        expected: Digest,
    },
    /// The daemon reported success, but its image has other layers.
    #[error("the daemon's image {id} has other layers than its config names")]
    OtherLayers {
        /// The image ID.
        id: Digest,
    },
}

fn offered(version: Option<&Printable>) -> String {
    match version {
        Some(version) => format!("version {version} of its API"),
        None => "no Docker Engine API".to_owned(),
    }
}

/// The reason why an answer cannot be parsed. It may quote the answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(Printable);

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self(Printable::new(&error.to_string()))
    }
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            _ if self.is_denied() => Class::Denied,
            Self::Http { source, .. } => source.class(),
            #[cfg(feature = "containerd")]
            Self::Containerd(error) => error.class(),
            Self::Absent { .. } | Self::OtherLayers { .. } => Class::Integrity,
            Self::TooOld { .. } | Self::Platform { .. } | Self::InvalidAnswer { .. } => {
                Class::Unsupported
            }
            Self::Endpoint { .. } | Self::Status { .. } | Self::Load { .. } => Class::Other,
        }
    }

    /// Returns whether there is no connection to the daemon.
    #[must_use]
    pub fn is_down(&self) -> bool {
        match self {
            Self::Http { source, .. } => source.is_connect(),
            #[cfg(feature = "containerd")]
            Self::Containerd(error) => error.is_down(),
            _ => false,
        }
    }

    /// Returns whether the server has no Docker Engine API, as its answer to the first request shows.
    #[must_use]
    pub fn is_other_server(&self) -> bool {
        matches!(self, Self::Status { what, status, .. }
            if what == "connect" && *status == StatusCode::NOT_FOUND)
    }

    /// Returns whether the user lacks the permission to use the daemon.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Http { source, .. } => source.is_permission(),
            Self::Status { status, .. } => {
                matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            }
            #[cfg(feature = "containerd")]
            Self::Containerd(error) => error.is_denied(),
            _ => false,
        }
    }

    /// Returns whether the daemon lacks a part of the image.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        matches!(self, Self::Status { message, .. } if message.is_damaged())
    }

    /// Returns the daemon's own message about a request that it received.
    pub(super) fn message(&self) -> Option<&DaemonMessage> {
        match self {
            Self::Load { message } | Self::Status { message, .. } => Some(message),
            _ => None,
        }
    }

    /// Returns whether the daemon's disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Load { message } | Self::Status { message, .. } => message.is_full(),
            #[cfg(feature = "containerd")]
            Self::Containerd(error) => error.is_full(),
            _ => false,
        }
    }
}
