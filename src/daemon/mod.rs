//! Container daemons: Docker and Podman by the Docker Engine API. Loads images, sending only what the daemon
//! lacks, and removes what was loaded and is no longer wanted.
//!
//! [`Daemon`] speaks the API; [`plan`] decides what to send from what is there; `upload` makes the archive while
//! it is sent, and finds out whether its layers are good; [`load`] puts these together. [`state`] remembers what
//! was loaded, for [`prune`].
//!
//! Sources: Docker Engine API 1.24 to 1.45; moby `image/tarexport` (its own image store never opens a layer whose
//! chain it has); containerd `core/images/archive`; podman `pkg/api`.

pub mod address;
mod client;
pub mod context;
mod error;
mod events;
mod form;
pub mod load;
mod message;
pub mod plan;
pub mod prune;
pub mod state;
mod store;
mod tag;
mod upload;

pub use self::address::{Address, Endpoint, TlsFiles};
pub use self::client::{Daemon, Image};
pub use self::error::{Error, Unreadable};
pub use self::form::Form;
pub use self::message::Message;
pub use self::store::Store;
pub use self::tag::{ParseError as TagNameError, TagName};
pub use self::upload::{Sent, UploadError};
