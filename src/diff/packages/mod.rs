//! The packages of an image: the lists that dpkg and apk keep in its layers. The database of rpm is only compared as a
//! whole.
//!
//! [`Scanner`] reads the lists from layers on disk, and [`Packages::of`] stacks the layers.

mod lists;
mod paths;
mod scan;
mod stack;

use std::collections::BTreeMap;

pub use self::scan::{Error, LayerFiles, Scanner};

use super::config::entries;
use crate::oci::digest::Digest;

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Manager {
    /// Debian's package manager.
    Dpkg,
    /// Alpine's package manager.
    Apk,
}

impl Manager {
    /// Returns the name of the program.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Apk => "apk",
        }
    }
}

/// The identity of a package in an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName {
    /// The package manager.
    pub manager: Manager,
    /// The name.
    pub name: String,
    /// The architecture, if the list names one.
    pub architecture: String,
}

/// The packages of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packages {
    /// The versions of the installed packages.
    pub versions: BTreeMap<PackageName, String>,
    /// The digests of the files of rpm's database, by their paths.
    pub rpm: BTreeMap<String, Digest>,
}

/// The difference between the packages of two images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageChanges {
    /// The packages that differ, by name.
    pub changed: Vec<PackageChange>,
    /// The number of packages with the same version in both images.
    pub kept: usize,
    /// Whether rpm's database differs. Its packages are not compared.
    pub rpm: bool,
}

/// A package that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageChange {
    /// The package manager.
    pub manager: Manager,
    /// The name, with the architecture if an image has the package for several.
    pub name: String,
    /// The old version, if the package was installed.
    pub from: Option<String>,
    /// The new version, if the package is installed.
    pub to: Option<String>,
}

impl PackageChanges {
    /// Compares the packages of two images.
    #[must_use]
    pub fn between(old: &Packages, new: &Packages) -> Self {
        let mut architectures: BTreeMap<(Manager, &str), Vec<&str>> = BTreeMap::new();
        for name in old.versions.keys().chain(new.versions.keys()) {
            let known = architectures.entry((name.manager, &name.name)).or_default();
            if !known.contains(&name.architecture.as_str()) {
                known.push(&name.architecture);
            }
        }
        let changed: Vec<_> = entries(&old.versions, &new.versions)
            .map(|(name, from, to)| {
                let several = architectures
                    .get(&(name.manager, name.name.as_str()))
                    .is_some_and(|known| known.len() > 1);
                PackageChange {
                    manager: name.manager,
                    name: if several {
                        format!("{}:{}", name.name, name.architecture)
                    } else {
                        name.name
                    },
                    from,
                    to,
                }
            })
            .collect();
        let in_both = new.versions.keys();
        let in_both = in_both.filter(|name| old.versions.contains_key(name));
        let differ = changed
            .iter()
            .filter(|change| change.from.is_some() && change.to.is_some());
        Self {
            kept: in_both.count().saturating_sub(differ.count()),
            changed,
            rpm: old.rpm != new.rpm,
        }
    }

    /// Returns whether no difference was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && !self.rpm
    }
}
