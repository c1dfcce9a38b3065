//! The program as a builder of Nix: the job in the attributes of a derivation, and the download of a blob.

mod archive;
mod attributes;
mod blob;
mod erofs;
mod error;
mod fetch;
mod job;
mod places;
mod rootfs;
mod service;

pub use self::archive::ArchiveJob;
pub use self::attributes::{Attributes, NIX_ATTRS_JSON_FILE};
pub use self::blob::{BlobJob, Location};
pub use self::erofs::ErofsJob;
pub use self::error::Error;
pub use self::fetch::{FetchContext, FetchError, fetch};
pub use self::job::Job;
pub use self::places::AllLocationsFailed;
pub use self::rootfs::RootfsJob;
pub use self::service::ServiceJob;
