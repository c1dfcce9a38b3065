//! What can go wrong with a daemon.

use super::Message;
use super::address::{Address, EndpointError};
use crate::class::Class;
use crate::http::{self, StatusCode};
use crate::oci::digest::Digest;
use crate::oci::platform::Platform;
use crate::printable::Printable;

/// A daemon that cannot be used, or does not do what it is asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client cannot be set up.
    #[error("cannot set up the connection to the daemon at {address}")]
    Endpoint {
        /// Where.
        address: Address,
        /// Why.
        #[source]
        source: EndpointError,
    },
    /// No connection, or one that broke.
    #[error("cannot {what}: the daemon at {address} does not answer")]
    Http {
        /// What was attempted.
        what: String,
        /// Where.
        address: Address,
        /// What went wrong.
        #[source]
        source: http::Error,
    },
    /// The daemon says no.
    #[error("cannot {what}: the daemon at {address} answers {status}: {message}")]
    Status {
        /// What was attempted.
        what: String,
        /// Where.
        address: Address,
        /// The answer's status.
        status: StatusCode,
        /// What the daemon says.
        message: Message,
    },
    /// An answer that makes no sense.
    #[error("cannot {what}: the daemon at {address} answers something else than was asked for")]
    Garbage {
        /// What was attempted.
        what: String,
        /// Where.
        address: Address,
        /// What is wrong with the answer.
        #[source]
        source: Unreadable,
    },
    /// No daemon, or one from before 2016.
    #[error(
        "the daemon at {address} offers {}, and what is needed is at least 1.24",
        offered(version.as_ref())
    )]
    TooOld {
        /// Where.
        address: Address,
        /// What it offers.
        version: Option<Printable>,
    },
    /// The daemon took the image's archive, and did not load it.
    #[error("the daemon does not load the image: {message}")]
    Load {
        /// What the daemon says.
        message: Message,
    },
    /// An image for machines of another kind.
    #[error("the image is for {image}, not for {wanted}")]
    Platform {
        /// What the image is for.
        image: Platform,
        /// What was asked for, or what the daemon runs.
        wanted: Platform,
    },
    /// The daemon says that all went well, and has no such image.
    #[error("the daemon loaded the archive, but has no image {expected}")]
    Absent {
        /// The image id.
        expected: Digest,
    },
    /// The daemon says that all went well, and the image has other layers.
    #[error("the daemon's image {id} has other layers than its configuration names")]
    OtherLayers {
        /// The image id.
        id: Digest,
    },
}

fn offered(version: Option<&Printable>) -> String {
    match version {
        Some(version) => format!("version {version} of its API"),
        None => "no Docker Engine API".to_owned(),
    }
}

/// What is wrong with an answer. The parser may quote it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(Printable);

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self(Printable::new(&error.to_string()))
    }
}

impl Error {
    /// The kind of failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            _ if self.is_denied() => Class::Denied,
            Self::Http { source, .. } => source.class(),
            Self::Absent { .. } | Self::OtherLayers { .. } => Class::Integrity,
            Self::TooOld { .. } | Self::Platform { .. } | Self::Garbage { .. } => {
                Class::Unsupported
            }
            Self::Endpoint { .. } | Self::Status { .. } | Self::Load { .. } => Class::Other,
        }
    }

    /// Whether nobody listens there.
    #[must_use]
    pub fn is_down(&self) -> bool {
        matches!(self, Self::Http { source, .. } if source.is_connect())
    }

    /// Whether this user may not use the daemon.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Http { source, .. } => source.is_permission(),
            Self::Status { status, .. } => {
                matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            }
            _ => false,
        }
    }

    /// Whether the daemon has no room left.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Load { message } | Self::Status { message, .. } if message.is_full())
    }
}
