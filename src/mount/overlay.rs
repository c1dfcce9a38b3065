//! The overlay of an image's layers.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{CWD, Mode, OFlags, fgetxattr, openat};
use rustix::io::Errno;
use rustix::mount::MountAttrFlags;
use tempfile::TempDir;

use super::NAME;
use super::error::Error;
use super::kernel::{self, Kernel, MAX_OPTIONS, path_of};
use super::target::Target;
use super::top::{Top, Upper};
use crate::oci::digest::{DiffId, Digest};

/// The most layers of an overlay.
///
/// Source: Linux, `fs/overlayfs/params.c`, `OVL_MAX_STACK`.
const MAX_LAYERS: usize = 500;

/// A directory without upper directory needs two layers.
const MIN_LAYERS: usize = 2;

/// An image to mount.
#[derive(Debug)]
pub struct Overlay<'a> {
    /// The digest of the image's manifest, which becomes the name of the mount.
    pub digest: &'a Digest,
    /// The EROFS images of the layers, the lowest first.
    pub layers: &'a [(DiffId, File)],
    /// What becomes of changes.
    pub top: &'a Top,
    /// Whether programs may run as their owner or group (set-user-ID, set-group-ID, file capabilities).
    pub set_user_id: bool,
    /// Whether devices are devices.
    pub devices: bool,
}

/// A mounted image that has no directory yet. If it is dropped, nothing is left.
#[derive(Debug)]
pub struct Prepared {
    mount: OwnedFd,
}

impl Overlay<'_> {
    /// Mounts the layers as one, where no path leads to.
    pub fn prepare(&self, kernel: Kernel) -> Result<Prepared, Error> {
        let mut layers = Vec::new();
        // A layer that is there twice counts where it is highest, and the kernel refuses it the second time.
        let mut seen = std::collections::HashSet::new();
        for (diff_id, image) in self.layers.iter().rev() {
            if !seen.insert(diff_id) {
                continue;
            }
            let failed = |source| Error::Layer {
                diff_id: Box::new(*diff_id),
                source,
            };
            let layer = kernel::erofs(image, kernel).map_err(failed)?;
            let is_opaque = has_opaque_root(&layer).map_err(failed)?;
            layers.push(layer);
            // Overlayfs does not look at this attribute of a root.
            if is_opaque {
                break;
            }
        }
        let failed = |source: io::Error| Error::Overlay {
            layers: self.layers.len(),
            source,
        };
        while layers.len() < MIN_LAYERS {
            layers.push(kernel::tmpfs().map_err(failed)?);
        }
        if layers.len() > MAX_LAYERS {
            return Err(Error::Layers {
                layers: layers.len(),
                limit: MAX_LAYERS,
            });
        }
        let root = layers.first().ok_or_else(|| failed(Errno::INVAL.into()))?;
        let upper = Upper::prepare(self.top, open_root(root).map_err(Error::Top)?)?;
        let mount = self.mount(&layers, upper.as_ref(), kernel)?;
        Ok(Prepared { mount })
    }

    fn mount(
        &self,
        layers: &[OwnedFd],
        upper: Option<&Upper>,
        kernel: Kernel,
    ) -> Result<OwnedFd, Error> {
        let failed = |source: io::Error| Error::Overlay {
            layers: layers.len(),
            source,
        };
        let name = format!("{NAME}{}", self.digest);
        let paths: Vec<_> = layers.iter().map(path_of).collect();
        let mut options = Vec::new();
        // With these, a layer or a top that somebody changed could lead to files of other layers.
        for (key, value) in [
            ("metacopy", "off"),
            ("redirect_dir", "nofollow"),
            ("index", "off"),
            // Then files of all layers have different inode numbers.
            ("xino", "auto"),
        ] {
            options.push((key, value.to_owned()));
        }
        if let Some(upper) = upper {
            options.push(("upperdir", path_of(&upper.changes)));
            options.push(("workdir", path_of(&upper.work)));
        }
        let attributes = self.attributes();
        if kernel.takes_detached_layers && kernel.appends_layers {
            match kernel::overlay(&name, &paths, &options, attributes) {
                Err(Errno::INVAL) => {}
                mounted => return mounted.map_err(|errno| failed(errno.into())),
            }
        }
        let mut scaffold = Scaffold::new().map_err(failed)?;
        let top = upper.and_then(|upper| upper.mount.as_ref());
        for mount in layers.iter().chain(top) {
            scaffold.attach(mount).map_err(failed)?;
        }
        if kernel.appends_layers {
            match kernel::overlay(&name, &paths, &options, attributes) {
                Err(Errno::INVAL) => {}
                mounted => return mounted.map_err(|errno| failed(errno.into())),
            }
        }
        let text = text(&paths, &options)?;
        let directory = scaffold.directory("merged").map_err(failed)?;
        kernel::overlay_by_text(&name, &text, attributes, &directory).map_err(failed)
    }

    fn attributes(&self) -> MountAttrFlags {
        let mut attributes = MountAttrFlags::empty();
        for (attribute, is_set) in [
            (
                MountAttrFlags::MOUNT_ATTR_RDONLY,
                *self.top == Top::ReadOnly,
            ),
            (MountAttrFlags::MOUNT_ATTR_NOSUID, !self.set_user_id),
            (MountAttrFlags::MOUNT_ATTR_NODEV, !self.devices),
        ] {
            attributes.set(attribute, is_set);
        }
        attributes
    }
}

impl Prepared {
    /// Gives the image its directory.
    pub fn attach(self, target: &Target) -> Result<(), Error> {
        kernel::attach(&self.mount, &target.directory).map_err(|source| Error::Attach {
            path: target.path.clone(),
            source: source.into(),
        })
    }
}

/// The root of a mount, opened for more than its path.
fn open_root(mount: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(mount, ".", flags, Mode::empty())?)
}

/// Whether a layer hides all layers below it.
fn has_opaque_root(mount: &OwnedFd) -> io::Result<bool> {
    let mut value = [0; 2];
    match fgetxattr(open_root(mount)?, "trusted.overlay.opaque", &mut value) {
        Ok(length) => Ok(value.get(..length) == Some(b"y")),
        Err(Errno::NODATA | Errno::RANGE) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// All options in one text, for kernels before 6.8.
fn text(layers: &[String], options: &[(&str, String)]) -> Result<String, Error> {
    let mut text = format!("lowerdir={}", layers.join(":"));
    for (key, value) in options {
        text.extend([",", *key, "=", value.as_str()]);
    }
    if text.len() > MAX_OPTIONS {
        let per_layer = text.len().div_ceil(layers.len().max(1));
        return Err(Error::Layers {
            layers: layers.len(),
            limit: MAX_OPTIONS / per_layer,
        });
    }
    Ok(text)
}

/// Directories in which mounts are for a moment, on kernels that want layers to have a path.
struct Scaffold {
    directory: TempDir,
    mounted: Vec<PathBuf>,
}

impl Scaffold {
    fn new() -> io::Result<Self> {
        Ok(Self {
            directory: tempfile::Builder::new().prefix("hocker-").tempdir()?,
            mounted: Vec::new(),
        })
    }

    fn directory(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.directory.path().join(name);
        fs::create_dir(&path)?;
        Ok(path)
    }

    fn attach(&mut self, mount: &OwnedFd) -> io::Result<()> {
        let path = self.directory(&self.mounted.len().to_string())?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, &path, flags, Mode::empty())?;
        kernel::attach(mount, directory)?;
        self.mounted.push(path);
        Ok(())
    }
}

impl Drop for Scaffold {
    fn drop(&mut self) {
        for path in &self.mounted {
            // The overlay has mounts of its own. What stays after a failure is in an empty directory of this user.
            let _ = kernel::detach(path);
        }
    }
}
