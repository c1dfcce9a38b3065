//! What changed between two images: their configuration, layers and packages, and between the images of two locks. The
//! module compares what it is given and uses no network. Three forms show the result: [`text`], [`json`] and
//! [`markdown`].
//!
//! Everything that an image states about itself is untrusted. The forms show such text printable, and in Markdown only
//! as code. A link to a repository is built from verified parts.

mod config;
mod description;
mod fields;
mod history;
mod image;
pub mod json;
mod layers;
mod link;
mod locks;
pub mod markdown;
pub mod packages;
mod settings;
pub mod text;

pub use self::config::{ConfigChange, EntryChange, FieldChange, SetChange};
pub use self::description::Description;
pub use self::image::{ImageDiff, Side};
pub use self::layers::{LayerChanges, ListedLayer};
pub use self::link::{compare_link, source_link};
pub use self::locks::{LockDiff, LockedChange, LockedState, PlatformDiff, PlatformFetch};
pub use self::settings::Settings;

/// Choices about what is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Show the values of environment variables, not only their names.
    pub values: bool,
}
