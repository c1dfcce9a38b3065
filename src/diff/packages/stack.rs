//! The files of an image: those of its layers, the upper ones over the lower ones.
//!
//! Source: OCI image specification, `layer.md`, "Whiteouts" and "Opaque Whiteout".

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Packages;
use super::lists::{add_apk, add_dpkg};
use super::scan::{Found, LayerFiles};

/// A path below the root of an image, with `/` between the names.
pub(super) type Path = Vec<u8>;

/// dpkg's list of packages.
pub(super) const DPKG: &[u8] = b"var/lib/dpkg/status";
/// The version of the list before the last change. `status` may be a hard link to it.
pub(super) const DPKG_OLD: &[u8] = b"var/lib/dpkg/status-old";
/// The directory in which distroless images have one list for each package.
pub(super) const DPKG_DIRECTORY: &[u8] = b"var/lib/dpkg/status.d";
/// apk's lists, without and with a merged `/usr`.
pub(super) const APK: [&[u8]; 2] = [b"lib/apk/db/installed", b"usr/lib/apk/db/installed"];
/// The directories with rpm's database.
pub(super) const RPM: [&[u8]; 2] = [b"var/lib/rpm", b"usr/lib/sysimage/rpm"];
/// The files with rpm's packages, in the formats of its database.
pub(super) const RPM_FILES: [&[u8]; 3] = [b"rpmdb.sqlite", b"Packages", b"Packages.db"];

impl Packages {
    /// Returns the packages of an image with these layers, lowest first.
    #[must_use]
    pub fn of(layers: &[Arc<LayerFiles>]) -> Self {
        let mut files: BTreeMap<&Path, &Found> = BTreeMap::new();
        for layer in layers {
            files.retain(|path, _| !layer.hides(path));
            let mut links = Vec::new();
            for (path, found) in &layer.files {
                match found {
                    Found::Link(target) => links.push((path, target)),
                    found => drop(files.insert(path, found)),
                }
            }
            for (path, target) in links {
                if let Some(found) = files.get(target).copied() {
                    files.insert(path, found);
                }
            }
        }
        let mut packages = Self::default();
        for (path, found) in files {
            match found {
                Found::Text(text) if APK.contains(&path.as_slice()) => {
                    add_apk(&mut packages, text);
                }
                Found::Text(text) if path.as_slice() != DPKG_OLD => add_dpkg(&mut packages, text),
                Found::Digest(digest) => {
                    let path = String::from_utf8_lossy(path).into_owned();
                    packages.rpm.insert(path, *digest);
                }
                Found::Text(_) | Found::Link(_) => {}
            }
        }
        packages
    }
}

/// Returns whether `path` is `above`, or is below it.
pub(super) fn is_within(path: &[u8], above: &[u8]) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
