//! What an argument of `hocker diff` names: an image in a registry, on disk, or in a lock file.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::super::Error;
use super::super::image::is_path;
use super::super::lock::{LockFile, parse_image};
use super::error::DiffError;
use hocker::input;
use hocker::lock::{LockedImage, LockedPlatform, MAX_LOCK_SIZE};
use hocker::name::endpoint::Endpoint;
use hocker::name::{Reference, Repository};
use hocker::oci::index::NoSuchPlatform;
use hocker::oci::platform::Platform;

/// The lock file that `#NAME` means.
const LOCK_FILE: &str = "docker-images.lock.json";

/// The end of a name of a lock file.
const LOCK_SUFFIX: &str = ".lock.json";

/// An image, before anything of it is fetched.
pub(super) enum Place {
    Registry {
        /// The argument.
        name: String,
        reference: Box<Reference>,
        endpoint: Box<Endpoint>,
        platform: Platform,
        is_platform_required: bool,
    },
    Disk {
        /// The argument.
        name: String,
        path: PathBuf,
        /// The name or digest that selects one of several images.
        image: Option<String>,
        platform: Platform,
        is_platform_required: bool,
    },
    Lock {
        /// The argument.
        name: String,
        image: Box<LockedImage>,
        platform: Platform,
        locked: Box<LockedPlatform>,
    },
}

impl Place {
    /// Decides what an argument names. An existing path is never split at a `#`. No reference contains one.
    pub(super) fn of(
        text: &str,
        platform: Option<&Platform>,
        registry: Option<&Endpoint>,
    ) -> Result<Self, Error> {
        let is_file = is_path(text) && Path::new(text).exists();
        if !is_file && let Some((path, image)) = text.rsplit_once('#') {
            let path = PathBuf::from(if path.is_empty() { LOCK_FILE } else { path });
            return Self::in_file(text, path, Some(image), platform);
        }
        if is_path(text) {
            return Self::in_file(text, PathBuf::from(text), None, platform);
        }
        let (reference, endpoint) = parse_image(text, registry)?;
        Ok(Self::Registry {
            name: text.to_owned(),
            reference: Box::new(reference),
            endpoint: Box::new(endpoint),
            platform: chosen(platform),
            is_platform_required: platform.is_some(),
        })
    }

    fn in_file(
        text: &str,
        path: PathBuf,
        image: Option<&str>,
        platform: Option<&Platform>,
    ) -> Result<Self, Error> {
        if is_lock(&path) {
            return Self::in_lock(text, &path, image, platform);
        }
        Ok(Self::Disk {
            name: text.to_owned(),
            path,
            image: image.map(str::to_owned),
            platform: chosen(platform),
            is_platform_required: platform.is_some(),
        })
    }

    fn in_lock(
        text: &str,
        path: &Path,
        image: Option<&str>,
        platform: Option<&Platform>,
    ) -> Result<Self, Error> {
        let lock = LockFile::read(path)?.lock;
        let mut images = lock.images.iter();
        let found = match image {
            Some(wanted) => images.find(|(name, _)| name.as_str() == wanted),
            None if lock.images.len() == 1 => images.next(),
            None => None,
        };
        let Some((_, image)) = found else {
            return Err(DiffError::Entry {
                path: path.to_owned(),
                wanted: image.map(str::to_owned),
            }
            .into());
        };
        let platforms = image.platforms();
        let wanted = chosen(platform).normalised();
        let locked = match platforms.get_key_value(&wanted) {
            // Like the other commands that read a lock, this one falls back to the first platform.
            None if platform.is_none() => platforms.iter().next(),
            found => found,
        };
        let (platform, locked) = locked.ok_or_else(|| DiffError::Platform {
            what: text.to_owned(),
            source: NoSuchPlatform::among(&wanted, platforms.keys()),
        })?;
        Ok(Self::Lock {
            name: text.to_owned(),
            platform: platform.clone(),
            locked: Box::new(locked.clone()),
            image: Box::new(image.clone()),
        })
    }

    /// Returns the registry and the repository that have the image, unless it is on disk.
    pub(super) fn in_registry(&self) -> Option<(&Endpoint, &Repository)> {
        match self {
            Self::Registry {
                reference,
                endpoint,
                ..
            } => Some((endpoint, &reference.repository)),
            Self::Lock { image, .. } => Some((image.endpoint(), &image.reference().repository)),
            Self::Disk { .. } => None,
        }
    }
}

fn chosen(platform: Option<&Platform>) -> Platform {
    platform.cloned().unwrap_or_else(Platform::of_this_machine)
}

/// Returns whether a file is a lock file: its name ends like one, or its content has the members of one.
fn is_lock(path: &Path) -> bool {
    #[derive(serde::Deserialize)]
    struct Members {
        #[serde(rename = "version")]
        _version: u64,
        #[serde(rename = "images")]
        _images: serde::de::IgnoredAny,
    }
    let name = path.file_name().unwrap_or_default();
    if name.to_string_lossy().ends_with(LOCK_SUFFIX) {
        return true;
    }
    let Ok(file) = input::open(path) else {
        return false;
    };
    let mut text = Vec::new();
    let mut file = file.take(MAX_LOCK_SIZE as u64);
    // An archive is much larger, and its first byte differs.
    if file.by_ref().take(1).read_to_end(&mut text).is_err() || text != b"{" {
        return false;
    }
    file.read_to_end(&mut text).is_ok() && serde_json::from_slice::<Members>(&text).is_ok()
}
