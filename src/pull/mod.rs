//! Pulling: from the source of an image, a registry or files, to a sink: an archive, an OCI image layout or a file system.
//!
//! An [`Image`] knows where its layers are. Each sink fetches them in parallel, verifies them, and is complete or absent.

mod docker_archive;
mod error;
mod image;
mod layout;
mod layout_archive;
mod progress;
mod rootfs;
mod source;
mod store;
mod transfers;

pub use self::error::Error;
pub use self::image::Image;
pub use self::progress::{ImageProgress, LayerProgress, Silent};
pub use crate::archive::docker_archive::LayerNames;
