//! containerd itself, as k3s, RKE2, Kubernetes and nerdctl use it. hocker sends the blobs that containerd lacks, lets it
//! unpack the layers that it has not unpacked, and gives the image its names, so that containers start at once.
//!
//! containerd's API is gRPC on a Unix socket. hocker uses the services that every version since 1.4 has: content,
//! leases, images, snapshots and diff.

mod client;
mod content;
mod error;
mod image;
mod images;
mod lease;
pub mod load;
mod messages;
mod namespace;
pub mod prune;
mod send;
mod snapshots;
mod snapshotter;
mod transfer;

pub use self::client::{Containerd, ContainerdOptions};
pub use self::error::Error;
pub use self::namespace::{Namespace, ParseError as NamespaceError};
