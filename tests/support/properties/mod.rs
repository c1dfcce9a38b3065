//! What holds of everything that is parsed, whatever is fed to it: no panic, and what is accepted is sound and reads
//! back as the same. One function a parser; it returns where a text is refused, and panics where a property is broken.
//!
//! Two feed it: `tests/it/parsers.rs` with texts that are almost right, and the fuzz targets in `fuzz/` with whatever
//! reaches code that nothing reached before.

#![allow(
    unreachable_pub,
    reason = "public for the fuzz targets, which are programs of their own"
)]
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "all of it is test code, and panics are how it reports"
)]

mod credentials;
mod documents;
pub mod erofs_image;
mod headers;
pub mod layers;
mod locks;
mod names;
mod podman_store;
mod proofs;
pub mod rootfs;

pub use self::credentials::{credentials_file, docker_config, netrc};
pub use self::documents::{config, index, manifest};
pub use self::headers::{challenge, content_range};
pub use self::layers::layer;
pub use self::locks::{compose, lock};
pub use self::names::{digest, endpoint, pattern, platform, reference};
pub use self::podman_store::podman_store;
pub use self::proofs::proof;
pub use self::rootfs::rootfs;

use hocker::name::{RegistryName, Repository};
use hocker::oci::platform::Platform;

/// Whatever its spelling, a platform runs what is for it.
fn normalises(platform: &Platform) {
    let normal = platform.normalised();
    assert_eq!(normal.normalised(), normal);
    assert_eq!(platform.distance_to(&normal), Some(0));
}

/// The inside of a quoted word.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn registry_of(text: &str) -> RegistryName {
    text.parse().unwrap()
}

fn repository_of(text: &str) -> Repository {
    text.parse().unwrap()
}
