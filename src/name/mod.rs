//! Names of images, and the URLs of their registries.
//!
//! A [`Reference`] is a [`RegistryName`], a [`Repository`] and a [`Tag`] or digest. An [`Endpoint`] is the URL of a
//! registry's API. A [`Mirror`] is another endpoint with the content of a registry. This module does no input or
//! output.

pub(crate) mod address;
pub mod docker_hub;
pub mod endpoint;
mod error;
pub mod mirror;
mod reference;
mod registry;
mod repository;
mod tag;
pub mod version;

/// The maximum length of a name, including the registry, in bytes.
const MAX_NAME_LENGTH: usize = 255;

pub use self::docker_hub::DOCKER_HUB;
pub use self::endpoint::Endpoint;
pub use self::error::ParseError;
pub use self::mirror::Mirror;
pub use self::reference::Reference;
pub use self::registry::RegistryName;
pub use self::repository::Repository;
pub use self::tag::Tag;
pub use self::version::Version;
