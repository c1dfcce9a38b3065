//! Compose files: the images of their services, and those that volumes mount. The module ignores everything else in the
//! files.
//!
//! Source: the Compose specification, `05-services.md`, `10-fragments.md`, `12-interpolation.md`, `13-merge.md`,
//! `14-include.md`, `15-profiles.md`.

pub mod dotenv;
mod error;
mod files;
mod images;
mod interpolation;
mod interpolation_error;
mod model;
mod pins;
mod project;
mod service;
#[cfg(test)]
mod tests;
mod variables;
mod volumes;
mod yaml;

pub use self::error::Error;
pub use self::images::{ImageVolume, Images, Service};
pub use self::interpolation_error::InterpolationError;
pub use self::model::images;
pub use self::pins::{HEADER, Pins};
pub use self::project::{Directory, Project, read_text};
pub use self::variables::{Lookup, Value, Variables};
pub use self::yaml::{MAX_FILE_SIZE, YamlError};
