//! Container daemons: Docker and Podman, through the Docker Engine API, and containerd. The module loads images and sends
//! only what the daemon lacks. It removes images that it loaded and that are no longer wanted.
//!
//! [`Daemon`] is the client of the API; `plan` decides what to send; `upload` writes the archive while it is sent,
//! and verifies the layers; [`load`] combines these. [`state`] records what was loaded, for [`prune`]. `containerd` does
//! the same by containerd's own API (feature `containerd`).
//!
//! Sources: Docker Engine API 1.24 to 1.45; moby `image/tarexport` (Docker's own image store never opens a layer whose
//! chain it has); containerd `core/images/archive`; podman `pkg/api`.

pub mod address;
mod client;
#[cfg(feature = "containerd")]
pub mod containerd;
pub mod context;
mod digest_name;
mod error;
mod events;
mod form;
pub mod load;
mod message;
mod peer;
mod plan;
pub mod prune;
pub mod state;
mod store;
mod tag;
mod temporary_name;
mod upload;

pub use self::address::{Address, Endpoint, TlsFiles};
pub use self::client::{Daemon, DaemonImage};
pub use self::digest_name::{DigestName, NotADigestName};
pub use self::error::{Error, Unreadable};
pub use self::form::LayerForm;
pub use self::message::DaemonMessage;
pub use self::store::Store;
pub use self::tag::{ParseError as TagNameError, TagName};
pub use self::upload::{OnSent, UploadError};
