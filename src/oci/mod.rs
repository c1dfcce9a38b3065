//! The terms of the OCI image specification: digests, descriptors, manifests, indexes and configs.
//!
//! A document whose digest matters stays in a [`Document`] with its original bytes. It is never serialised again. This
//! module does no input or output.

pub(crate) mod artifact;
pub mod config;
pub mod descriptor;
pub mod digest;
pub mod document;
pub mod index;
pub mod manifest;
pub mod media_type;
pub mod platform;
pub mod runtime_config;
pub mod timestamp;

pub use self::config::ImageConfig;
pub use self::descriptor::Descriptor;
pub use self::digest::{DiffId, Digest};
pub use self::document::Document;
pub use self::index::Index;
pub use self::manifest::Manifest;
pub use self::media_type::MediaType;
pub use self::platform::Platform;
