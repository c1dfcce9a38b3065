//! The files of an image: those of its layers, the upper ones over the lower ones.
//!
//! Source: OCI image specification, `layer.md`, "Whiteouts" and "Opaque Whiteout".

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Packages;
use super::lists::{add_apk, add_dpkg};
use super::paths::{APK, DPKG_OLD, Path};
use super::scan::{Found, LayerFiles};

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
